-- ---
-- id = "aws.denied_calls_burst"
-- kind = "detection"
-- title = "One session was refused many different things in a short time"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1580", "T1087.004"]
-- attack_v19 = ["T1580", "T1087.004"]
-- attack_version = "18.1"
-- description = "A principal, in one session, is denied at least distinct_attempts different attempts within two adjacent blocks of ten minutes; attempts differ by the call or by what it was made on, so the retries of one broken program count once. Somebody who does not know the rights of a stolen credential meets such refusals. A principal that did so on at least habit_days days of the baseline is reported only when it is refused more than it ever was there. Of each attempt the first in ten minutes is listed; alike says how many there were."
-- misses = "Somebody who uses the console, whose pages are refused much by themselves, or a program that names itself like a browser. Refused data events that were not recorded. A careful intruder."
-- false_positives = ["A new role that lacks rights", "A deployment tool after its rights were narrowed", "Without a stated T0 there is no baseline, so every regularly refused principal appears"]
-- next_steps = ["List which services the session tried", "Look at the first calls that succeeded afterwards", "Ask the holder of the credential about the purpose"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html", "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html"]
--
-- [params]
-- distinct_attempts = { type = "integer", doc = "Different refused attempts (call and resource) within two adjacent blocks of ten minutes", default = 10 }
-- habit_days = { type = "integer", doc = "Days of the baseline with such a burst that make it a habit", default = 3 }
-- ---
WITH calls AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS caller,
    coalesce(e.session_name, '') AS caller_session,
    e.event_epoch // 600 AS block_no,
    coalesce(e.event_source, '') || ':' || coalesce(e.event_name_base, '') || ' ' || coalesce(e.resource, '') AS thing
  FROM aws_event AS e
  WHERE e.outcome = 'denied'
    AND NOT regexp_matches(lower(coalesce(e.user_agent, '')), 'mozilla|console|coral|^\x5b?aws[ -]internal')
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
    count(DISTINCT thing) AS attempts,
    count(DISTINCT CASE WHEN is_earlier THEN thing END) AS earlier_attempts
  FROM window_calls
  GROUP BY caller, caller_session, first_block
),
habits AS (
  SELECT
    caller,
    max(earlier_attempts) AS most_attempts,
    count(DISTINCT CASE WHEN earlier_attempts >= $distinct_attempts THEN first_block // 144 END) AS burst_days
  FROM window_counts
  GROUP BY caller
),
bursts AS (
  SELECT c.caller, c.caller_session, c.first_block, c.attempts
  FROM window_counts AS c
  JOIN habits AS h ON h.caller = c.caller
  WHERE c.attempts >= $distinct_attempts
    AND (h.burst_days < $habit_days OR c.attempts > h.most_attempts)
),
covered_blocks AS (
  SELECT caller, caller_session, first_block AS block_no, attempts FROM bursts
  UNION ALL
  SELECT caller, caller_session, first_block + 1 AS block_no, attempts FROM bursts
),
burst_blocks AS (
  SELECT caller, caller_session, block_no, max(attempts) AS attempts_in_window
  FROM covered_blocks
  GROUP BY caller, caller_session, block_no
),
numbered AS (
  SELECT
    c.event_key,
    b.attempts_in_window,
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
  n.attempts_in_window,
  n.alike,
  e.session_name,
  e.user_agent
FROM numbered AS n
JOIN aws_event AS e ON e.event_key = n.event_key
WHERE n.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
