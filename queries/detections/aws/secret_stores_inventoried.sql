-- ---
-- id = "aws.secret_stores_inventoried"
-- kind = "detection"
-- title = "One session took stock of the places where secrets are kept"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1526", "T1555.006"]
-- attack_v19 = ["T1526", "T1555.006"]
-- attack_version = "18.1"
-- description = "A principal, in one session, lists the secrets of Secrets Manager or the parameters of Systems Manager, and makes at least distinct_calls different calls within two adjacent quarter hours that ask where secrets lie: in these two stores, in the keys of KMS, in functions, task definitions and build projects. No value is read by any of them; the values follow. Denied attempts count. A principal that did so on at least habit_days days of the baseline is reported only when it makes more different calls than it ever did there. Of each call the first in a quarter hour is listed; alike says how many there were."
-- misses = "Somebody who knows the names of the secrets and reads them at once. Somebody who uses the console, or a program that names itself like a browser. One listing alone."
-- false_positives = ["Tools that keep an inventory or check the posture, in their first days", "A move of secrets from one store to the other", "Without a stated T0 there is no baseline, so every regular reader appears"]
-- next_steps = ["Take the first listed call as the start of the exposure of the stores, if nobody vouches for it", "List the reads of secrets by the same credential afterwards", "Name the owners of what was listed"]
-- references = ["https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html", "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeParameters.html"]
--
-- [params]
-- distinct_calls = { type = "integer", doc = "Different calls about places where secrets lie within two adjacent quarter hours", default = 3 }
-- habit_days = { type = "integer", doc = "Days of the baseline with such a burst that make it a habit", default = 3 }
-- ---
WITH calls AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS caller,
    coalesce(e.session_name, '') AS caller_session,
    e.event_epoch // 900 AS block_no,
    e.event_source || ':' || e.event_name_base AS thing
  FROM aws_event AS e
  WHERE (
      (e.event_source = 'secretsmanager.amazonaws.com' AND e.event_name_base IN ('ListSecrets', 'DescribeSecret', 'ListSecretVersionIds', 'GetResourcePolicy'))
      OR (e.event_source = 'ssm.amazonaws.com' AND e.event_name_base IN ('DescribeParameters', 'GetParameterHistory'))
      OR (e.event_source = 'kms.amazonaws.com' AND e.event_name_base IN ('ListKeys', 'ListAliases', 'ListGrants'))
      OR (e.event_source = 'lambda.amazonaws.com' AND e.event_name_base = 'ListFunctions')
      OR (e.event_source = 'ecs.amazonaws.com' AND e.event_name_base = 'ListTaskDefinitions')
      OR (e.event_source = 'codebuild.amazonaws.com' AND e.event_name_base = 'ListProjects')
    )
    AND e.outcome IN ('success', 'denied')
    AND NOT regexp_matches(lower(coalesce(e.user_agent, '')), 'mozilla|console|coral|^\x5b?aws[ -]internal')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
-- Each call stands in two windows of two blocks, so that no burst is cut by the turn of a quarter hour.
window_calls AS (
  SELECT caller, caller_session, block_no AS first_block, thing, event_name_base, event_time < $baseline_until AS is_earlier FROM calls
  UNION ALL
  SELECT caller, caller_session, block_no - 1 AS first_block, thing, event_name_base, event_time < $baseline_until AS is_earlier FROM calls
),
window_counts AS (
  SELECT
    caller,
    caller_session,
    first_block,
    count(DISTINCT thing) AS calls,
    max(CASE WHEN event_name_base IN ('ListSecrets', 'DescribeParameters') THEN 1 ELSE 0 END) AS lists_secrets,
    count(DISTINCT CASE WHEN is_earlier THEN thing END) AS earlier_calls
  FROM window_calls
  GROUP BY caller, caller_session, first_block
),
habits AS (
  SELECT
    caller,
    max(earlier_calls) AS most_calls,
    count(DISTINCT CASE WHEN earlier_calls >= $distinct_calls THEN first_block // 96 END) AS burst_days
  FROM window_counts
  GROUP BY caller
),
bursts AS (
  SELECT c.caller, c.caller_session, c.first_block, c.calls
  FROM window_counts AS c
  JOIN habits AS h ON h.caller = c.caller
  WHERE c.calls >= $distinct_calls
    AND c.lists_secrets = 1
    AND (h.burst_days < $habit_days OR c.calls > h.most_calls)
),
covered_blocks AS (
  SELECT caller, caller_session, first_block AS block_no, calls FROM bursts
  UNION ALL
  SELECT caller, caller_session, first_block + 1 AS block_no, calls FROM bursts
),
burst_blocks AS (
  SELECT caller, caller_session, block_no, max(calls) AS calls_in_window
  FROM covered_blocks
  GROUP BY caller, caller_session, block_no
),
numbered AS (
  SELECT
    c.event_key,
    b.calls_in_window,
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
  e.resource AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  n.calls_in_window,
  n.alike,
  e.session_name,
  e.user_agent
FROM numbered AS n
JOIN aws_event AS e ON e.event_key = n.event_key
WHERE n.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
