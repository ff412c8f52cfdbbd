-- ---
-- id = "aws.enumeration_burst"
-- kind = "detection"
-- title = "One session made many different read calls in a short time"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1580", "T1526"]
-- attack_v19 = ["T1580", "T1526"]
-- attack_version = "18.1"
-- description = "A principal, in one session, makes at least distinct_calls different read calls (names that begin with List, Describe, Get, Search or Lookup; data events left out) within two adjacent blocks of five minutes. Somebody who does not know the account looks around like that, and so do tools made for it. Denied attempts count. A principal that did so on at least habit_days days of the baseline is reported only when it makes more different calls than it ever did there. Of each call the first in five minutes is listed; alike says how many there were."
-- misses = "Somebody who uses the console, whose pages make such calls by themselves, or a program that names itself like a browser. A look around spread over hours or over sessions."
-- false_positives = ["Scanners of posture or inventory and infrastructure tools, in their first days", "An engineer with a script that collects facts", "Without a stated T0 there is no baseline, so every regular scanner appears"]
-- next_steps = ["Ask the holder of the credential about the purpose", "List which services were asked and which calls were refused", "Look at what the session did next"]
-- references = ["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html", "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html"]
--
-- [params]
-- distinct_calls = { type = "integer", doc = "Different read calls within two adjacent blocks of five minutes", default = 20 }
-- habit_days = { type = "integer", doc = "Days of the baseline with such a burst that make it a habit", default = 3 }
-- ---
-- Only who made enough kinds of such calls at all can have a burst of them: few, and known at little cost.
WITH curious AS (
  SELECT caller
  FROM (
    SELECT DISTINCT coalesce(actor, '') AS caller, coalesce(event_source, '') AS event_source, event_name_base
    FROM aws_event
    WHERE regexp_matches(coalesce(event_name_base, ''), '^(List|Describe|Get|Search|Lookup)')
      AND event_time < $until) AS seen
  GROUP BY caller
  HAVING count(*) >= $distinct_calls
),
calls AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS caller,
    coalesce(e.session_name, '') AS caller_session,
    e.event_epoch // 300 AS block_no,
    coalesce(e.event_source, '') || ':' || e.event_name_base AS thing
  FROM aws_event AS e
  WHERE coalesce(e.actor, '') IN (SELECT caller FROM curious)
    AND regexp_matches(coalesce(e.event_name_base, ''), '^(List|Describe|Get|Search|Lookup)')
    AND coalesce(e.management_event, TRUE)
    AND e.outcome IN ('success', 'denied')
    AND NOT regexp_matches(lower(coalesce(e.user_agent, '')), 'mozilla|console|coral|^\x5b?aws[ -]internal')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
-- Each call stands in two windows of two blocks, so that no burst is cut by the turn of five minutes.
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
    count(DISTINCT thing) AS calls,
    count(DISTINCT CASE WHEN is_earlier THEN thing END) AS earlier_calls
  FROM window_calls
  GROUP BY caller, caller_session, first_block
),
habits AS (
  SELECT
    caller,
    max(earlier_calls) AS most_calls,
    count(DISTINCT CASE WHEN earlier_calls >= $distinct_calls THEN first_block // 288 END) AS burst_days
  FROM window_counts
  GROUP BY caller
),
bursts AS (
  SELECT c.caller, c.caller_session, c.first_block, c.calls
  FROM window_counts AS c
  JOIN habits AS h ON h.caller = c.caller
  WHERE c.calls >= $distinct_calls
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
