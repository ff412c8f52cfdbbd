-- ---
-- id = "aws.instance_passwords_requested"
-- kind = "detection"
-- title = "One session asked for the administrator passwords of many instances"
-- severity = "high"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1552"]
-- attack_v19 = ["T1552"]
-- attack_version = "18.1"
-- description = "A principal, in one session, asks for the encrypted Windows administrator password of at least distinct_instances different instances within two adjacent half hours. Denied attempts count, because they show the intent; a request that names no instance counts as one of its own. A principal that did so on at least habit_days days of the baseline is reported only when it asks for more instances than it ever did there."
-- misses = "Requests for fewer instances. Passwords taken by other ways than this call. Linux instances, which have none."
-- false_positives = ["An administrator who collects the passwords of a new set of machines", "Software that sets up Windows machines, in its first days"]
-- next_steps = ["Ask the holder of the credential about the purpose", "Check who holds the private key pair that the passwords are encrypted with", "Look for logins to the instances and change their passwords"]
-- references = ["https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetPasswordData.html"]
--
-- [params]
-- distinct_instances = { type = "integer", doc = "Different instances within two adjacent half hours", default = 5 }
-- habit_days = { type = "integer", doc = "Days of the baseline with such a burst that make it a habit", default = 3 }
-- ---
WITH calls AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS caller,
    coalesce(e.session_name, '') AS caller_session,
    e.event_epoch // 1800 AS block_no,
    coalesce(json_extract_string(e.request_parameters, '$.instanceId'), e.event_key) AS thing
  FROM aws_event AS e
  WHERE e.event_source = 'ec2.amazonaws.com'
    AND e.event_name_base = 'GetPasswordData'
    AND e.outcome IN ('success', 'denied')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
-- Each call stands in two windows of two blocks, so that no burst is cut by the turn of a half hour.
window_calls AS (
  SELECT caller, caller_session, block_no AS first_block, thing, event_time < $baseline_until AS is_earlier FROM calls
  UNION ALL
  SELECT caller, caller_session, block_no - 1 AS first_block, thing, event_time < $baseline_until AS is_earlier FROM calls
),
window_counts AS (
  SELECT
    caller,
    caller_session,
    first_block,
    count(DISTINCT thing) AS instances,
    count(DISTINCT CASE WHEN is_earlier THEN thing END) AS earlier_instances
  FROM window_calls
  GROUP BY caller, caller_session, first_block
),
habits AS (
  SELECT
    caller,
    max(earlier_instances) AS most_instances,
    count(DISTINCT CASE WHEN earlier_instances >= $distinct_instances THEN first_block // 48 END) AS burst_days
  FROM window_counts
  GROUP BY caller
),
bursts AS (
  SELECT c.caller, c.caller_session, c.first_block, c.instances
  FROM window_counts AS c
  JOIN habits AS h ON h.caller = c.caller
  WHERE c.instances >= $distinct_instances
    AND (h.burst_days < $habit_days OR c.instances > h.most_instances)
),
covered_blocks AS (
  SELECT caller, caller_session, first_block AS block_no, instances FROM bursts
  UNION ALL
  SELECT caller, caller_session, first_block + 1 AS block_no, instances FROM bursts
),
burst_blocks AS (
  SELECT caller, caller_session, block_no, max(instances) AS instances_in_window
  FROM covered_blocks
  GROUP BY caller, caller_session, block_no
),
numbered AS (
  SELECT
    c.event_key,
    b.instances_in_window,
    row_number() OVER (
      PARTITION BY c.caller, c.caller_session, c.block_no, c.thing, c.outcome ORDER BY c.event_epoch NULLS LAST, c.event_key
    ) AS place,
    count(*) OVER (
      PARTITION BY c.caller, c.caller_session, c.block_no, c.thing, c.outcome
    ) AS alike
  FROM calls AS c
  JOIN burst_blocks AS b
    ON b.caller = c.caller
   AND b.caller_session = c.caller_session
   AND b.block_no = c.block_no
  WHERE c.event_time >= $since
)
SELECT
  coalesce(e.actor, '') || '|' || coalesce(e.session_name, '') || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  coalesce(json_extract_string(e.request_parameters, '$.instanceId'), e.resource) AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  n.instances_in_window,
  n.alike,
  e.session_name,
  e.user_agent
FROM numbered AS n
JOIN aws_event AS e ON e.event_key = n.event_key
WHERE n.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
