-- ---
-- id = "aws.audit_configuration_read"
-- kind = "detection"
-- title = "One session looked up how the account is logged and watched"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1654", "T1518.001"]
-- attack_v19 = ["T1654", "T1518.001"]
-- attack_version = "18.1"
-- description = "A principal, in one session, makes at least distinct_calls different read calls of CloudTrail, GuardDuty, Security Hub, Config, flow logs or the logging of model invocations within two adjacent quarter hours. Denied attempts count. A principal that did so on at least habit_days days of the baseline is reported only when it makes more different calls than it ever did there. Of each call the first in a quarter hour is listed; alike says how many there were."
-- misses = "Somebody who uses the console, or a program that names itself like a browser. Somebody who switches logging off without looking first: aws.cloudtrail_logging_stopped and its neighbours find that."
-- false_positives = ["The set-up of a log collector or a posture scanner, in its first days", "The responders of this very incident, when the window reaches beyond its discovery", "Without a stated T0 there is no baseline, so every regular reader appears"]
-- next_steps = ["Ask the security team whether the session is theirs", "Look for trails stopped, selectors narrowed and findings archived afterwards", "Treat later silence in the logs with suspicion"]
-- references = ["https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html", "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html", "https://docs.aws.amazon.com/guardduty/latest/APIReference/API_ListDetectors.html"]
--
-- [params]
-- distinct_calls = { type = "integer", doc = "Different calls about logs and detection within two adjacent quarter hours", default = 3 }
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
      (e.event_source = 'cloudtrail.amazonaws.com' AND e.event_name_base IN (
        'DescribeTrails', 'ListTrails', 'GetTrail', 'GetTrailStatus',
        'GetEventSelectors', 'GetInsightSelectors', 'LookupEvents', 'ListEventDataStores',
        'GetEventDataStore', 'StartQuery'))
      OR (e.event_source = 'guardduty.amazonaws.com' AND e.event_name_base IN (
        'ListDetectors', 'GetDetector', 'ListFindings', 'GetFindings',
        'ListFilters', 'ListIPSets'))
      OR (e.event_source = 'securityhub.amazonaws.com' AND e.event_name_base IN ('DescribeHub', 'GetFindings', 'GetEnabledStandards'))
      OR (e.event_source = 'bedrock.amazonaws.com' AND e.event_name_base = 'GetModelInvocationLoggingConfiguration')
      OR (e.event_source = 'config.amazonaws.com' AND e.event_name_base IN ('DescribeConfigurationRecorders', 'DescribeConfigurationRecorderStatus', 'DescribeDeliveryChannels'))
      OR (e.event_source = 'ec2.amazonaws.com' AND e.event_name_base = 'DescribeFlowLogs')
    )
    AND e.outcome IN ('success', 'denied')
    AND NOT regexp_matches(lower(coalesce(e.user_agent, '')), 'mozilla|console|coral|^\x5b?aws[ -]internal')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
-- Each call stands in two windows of two blocks, so that no burst is cut by the turn of a quarter hour.
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
    count(DISTINCT CASE WHEN earlier_calls >= $distinct_calls THEN first_block // 96 END) AS burst_days
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
