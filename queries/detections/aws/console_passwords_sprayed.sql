-- ---
-- id = "aws.console_passwords_sprayed"
-- kind = "detection"
-- title = "One address failed to log in to the console as many different users"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1110.003"]
-- attack_v19 = ["T1110.003"]
-- attack_version = "18.1"
-- description = "Console logins from one address fail for at least distinct_users different users within two adjacent blocks of half an hour. Only failures count. All names that AWS hides, because no such user exists, count as one. Addresses of the case's own networks are left out."
-- misses = "A spray over many addresses or over days. Passwords tried at an identity provider."
-- false_positives = ["An office behind one address after the passwords expired, where the case states no own networks"]
-- next_steps = ["Look for a login of one of these users that succeeded afterwards", "Search everything else done from the address", "Reset the passwords of the users concerned"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html", "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html"]
--
-- [params]
-- distinct_users = { type = "integer", doc = "Different users that failed from one address within two adjacent blocks of half an hour", default = 5 }
-- ---
WITH failures AS (
  SELECT
    event_key,
    source_ip,
    event_epoch // 1800 AS block_no,
    coalesce(account_id, '') || '/' || coalesce(user_name, actor, '') AS login_user
  FROM aws_event
  WHERE event_source = 'signin.amazonaws.com'
    AND event_name_base = 'ConsoleLogin'
    AND coalesce(json_extract_string(response_elements, '$.ConsoleLogin'), '') = 'Failure'
    AND NOT EXISTS (
      SELECT 1 FROM case_network AS n
      WHERE n.kind = 'own_egress' AND aws_event.source_ip_key >= n.low AND aws_event.source_ip_key <= n.high
    )
    AND event_time >= $since
    AND event_time < $until
),
-- Each failure stands in two windows of two blocks, so that no spray is cut by the turn of the half hour.
window_failures AS (
  SELECT source_ip, block_no AS first_block, login_user FROM failures
  UNION ALL
  SELECT source_ip, block_no - 1 AS first_block, login_user FROM failures
),
sprays AS (
  SELECT source_ip, first_block, count(DISTINCT login_user) AS users
  FROM window_failures
  GROUP BY source_ip, first_block
  HAVING count(DISTINCT login_user) >= $distinct_users
),
covered_blocks AS (
  SELECT source_ip, first_block AS block_no, users FROM sprays
  UNION ALL
  SELECT source_ip, first_block + 1 AS block_no, users FROM sprays
),
spray_blocks AS (
  SELECT source_ip, block_no, max(users) AS users_in_window FROM covered_blocks GROUP BY source_ip, block_no
)
SELECT
  f.source_ip || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  e.user_name AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  b.users_in_window,
  e.error_message,
  e.user_agent
FROM failures AS f
JOIN spray_blocks AS b ON b.source_ip = f.source_ip AND b.block_no = f.block_no
JOIN aws_event AS e ON e.event_key = f.event_key
ORDER BY e.event_time NULLS LAST, e.event_key
