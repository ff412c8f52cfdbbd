-- ---
-- id = "aws.assume_role_denied_sweep"
-- kind = "detection"
-- title = "One session tried many roles and was refused"
-- severity = "high"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1548.005", "T1087.004"]
-- attack_v19 = ["T1548.005", "T1087.004"]
-- attack_version = "18.1"
-- description = "A principal, in one session, is denied at least distinct_roles different roles within two adjacent blocks of ten minutes. Only denied attempts count: they are what marks the search. A principal that did so on at least habit_days days of the baseline is reported only when it is refused more roles than it ever was there. Of each role the first refusal in ten minutes is listed; alike says how many there were."
-- misses = "Refusals whose record does not name the role. A search spread over sessions, over hours, or through roles that let everybody in."
-- false_positives = ["A deployment tool whose trust was removed in many accounts", "A new management role that is rolled out step by step"]
-- next_steps = ["Look for an AssumeRole of the same session that succeeded afterwards, and what that role did", "Ask where the names of the roles came from", "Ask the holder of the credential about the purpose"]
-- references = ["https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html", "https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html"]
--
-- [params]
-- distinct_roles = { type = "integer", doc = "Different refused roles within two adjacent blocks of ten minutes", default = 5 }
-- habit_days = { type = "integer", doc = "Days of the baseline with such a burst that make it a habit", default = 3 }
-- ---
WITH calls AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS caller,
    coalesce(e.session_name, '') AS caller_session,
    e.event_epoch // 600 AS block_no,
    e.request_role_arn AS thing
  FROM aws_event AS e
  WHERE e.event_source = 'sts.amazonaws.com'
    AND e.event_name_base = 'AssumeRole'
    AND e.outcome = 'denied'
    AND e.request_role_arn IS NOT NULL
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
-- Each call stands in two windows of two blocks, so that no burst is cut by the turn of ten minutes.
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
    count(DISTINCT thing) AS roles,
    count(DISTINCT CASE WHEN is_earlier THEN thing END) AS earlier_roles
  FROM window_calls
  GROUP BY caller, caller_session, first_block
),
habits AS (
  SELECT
    caller,
    max(earlier_roles) AS most_roles,
    count(DISTINCT CASE WHEN earlier_roles >= $distinct_roles THEN first_block // 144 END) AS burst_days
  FROM window_counts
  GROUP BY caller
),
bursts AS (
  SELECT c.caller, c.caller_session, c.first_block, c.roles
  FROM window_counts AS c
  JOIN habits AS h ON h.caller = c.caller
  WHERE c.roles >= $distinct_roles
    AND (h.burst_days < $habit_days OR c.roles > h.most_roles)
),
covered_blocks AS (
  SELECT caller, caller_session, first_block AS block_no, roles FROM bursts
  UNION ALL
  SELECT caller, caller_session, first_block + 1 AS block_no, roles FROM bursts
),
burst_blocks AS (
  SELECT caller, caller_session, block_no, max(roles) AS roles_in_window
  FROM covered_blocks
  GROUP BY caller, caller_session, block_no
),
numbered AS (
  SELECT
    c.event_key,
    b.roles_in_window,
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
  e.request_role_arn AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  n.roles_in_window,
  n.alike,
  e.session_name,
  e.user_agent
FROM numbered AS n
JOIN aws_event AS e ON e.event_key = n.event_key
WHERE n.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
