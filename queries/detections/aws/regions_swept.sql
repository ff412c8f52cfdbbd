-- ---
-- id = "aws.regions_swept"
-- kind = "detection"
-- title = "One session made the same call in many regions"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1580", "T1535"]
-- attack_v19 = ["T1580", "T1535"]
-- attack_version = "18.1"
-- description = "A principal, in one session, makes one and the same call in at least distinct_regions different regions within two adjacent blocks of two minutes. People and applications work in a few regions; somebody who wants to see everything, or to find quota that is left, goes through all of them. Denied attempts count. A principal that swept on at least habit_days days of the baseline is reported only when it reaches more regions than it ever did there. Of each call and region the first in two minutes is listed; alike says how many there were."
-- misses = "Regions whose logs were not supplied. A slow sweep. Somebody who uses the console, or a program that names itself like a browser."
-- false_positives = ["Scanners of posture, cost or inventory, in their first days", "Without a stated T0 there is no baseline, so every regular scanner appears"]
-- next_steps = ["Ask the holder of the credential about the purpose", "Look for resources made in regions that are not in use", "Compare with aws.region_first_used"]
-- references = ["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html", "https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html"]
--
-- [params]
-- distinct_regions = { type = "integer", doc = "Different regions within two adjacent blocks of two minutes", default = 8 }
-- habit_days = { type = "integer", doc = "Days of the baseline with such a burst that make it a habit", default = 3 }
-- ---
-- Only who called in enough regions at all can have swept them: few, and known at little cost.
WITH travellers AS (
  SELECT caller
  FROM (SELECT DISTINCT coalesce(actor, '') AS caller, region FROM aws_event WHERE event_time < $until) AS seen
  GROUP BY caller
  HAVING count(region) >= $distinct_regions
),
calls AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS caller,
    coalesce(e.session_name, '') || ' ' || coalesce(e.event_source, '') || ':' || e.event_name_base AS sweep,
    e.event_epoch // 120 AS block_no,
    e.region AS thing
  FROM aws_event AS e
  WHERE coalesce(e.actor, '') IN (SELECT caller FROM travellers)
    AND e.region IS NOT NULL
    AND e.outcome IN ('success', 'denied')
    AND NOT regexp_matches(lower(coalesce(e.user_agent, '')), 'mozilla|console|coral|^\x5b?aws[ -]internal')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
-- Each call stands in two windows of two blocks, so that no burst is cut by the turn of two minutes.
window_calls AS (
  SELECT caller, sweep, block_no AS first_block, thing, event_time < $baseline_until AS is_earlier FROM calls
  UNION ALL
  SELECT caller, sweep, block_no - 1 AS first_block, thing, event_time < $baseline_until AS is_earlier FROM calls
),
window_counts AS (
  SELECT
    caller,
    sweep,
    first_block,
    count(DISTINCT thing) AS regions,
    count(DISTINCT CASE WHEN is_earlier THEN thing END) AS earlier_regions
  FROM window_calls
  GROUP BY caller, sweep, first_block
),
habits AS (
  SELECT
    caller,
    max(earlier_regions) AS most_regions,
    count(DISTINCT CASE WHEN earlier_regions >= $distinct_regions THEN first_block // 720 END) AS burst_days
  FROM window_counts
  GROUP BY caller
),
bursts AS (
  SELECT c.caller, c.sweep, c.first_block, c.regions
  FROM window_counts AS c
  JOIN habits AS h ON h.caller = c.caller
  WHERE c.regions >= $distinct_regions
    AND (h.burst_days < $habit_days OR c.regions > h.most_regions)
),
covered_blocks AS (
  SELECT caller, sweep, first_block AS block_no, regions FROM bursts
  UNION ALL
  SELECT caller, sweep, first_block + 1 AS block_no, regions FROM bursts
),
burst_blocks AS (
  SELECT caller, sweep, block_no, max(regions) AS regions_in_window
  FROM covered_blocks
  GROUP BY caller, sweep, block_no
),
numbered AS (
  SELECT
    c.event_key,
    b.regions_in_window,
    row_number() OVER (
      PARTITION BY c.caller, c.sweep, c.block_no, c.thing, c.outcome ORDER BY c.event_epoch NULLS LAST, c.event_key
    ) AS place,
    count(*) OVER (
      PARTITION BY c.caller, c.sweep, c.block_no, c.thing, c.outcome
    ) AS alike
  FROM calls AS c
  JOIN burst_blocks AS b
    ON b.caller = c.caller
   AND b.sweep = c.sweep
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
  n.regions_in_window,
  n.alike,
  e.session_name,
  e.user_agent
FROM numbered AS n
JOIN aws_event AS e ON e.event_key = n.event_key
WHERE n.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
