-- ---
-- id = "aws.user_data_read"
-- kind = "detection"
-- title = "One session read the start-up scripts of many instances"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1552.005", "T1580"]
-- attack_v19 = ["T1552.005", "T1580"]
-- attack_version = "18.1"
-- description = "A principal, in one session, asks for the user data or the console output of instances, or for the contents of launch templates, for at least distinct_targets different ones within two adjacent quarter hours. Start-up scripts and boot messages often hold keys and passwords. Denied attempts count; a request that names no target counts as one of its own. A principal that did so on at least habit_days days of the baseline is reported only when it asks for more than it ever did there. Of each target the first request in a quarter hour is listed; alike says how many there were."
-- misses = "User data read on the instance itself from its metadata service, which no log shows. Fewer targets."
-- false_positives = ["Inventory and migration tools, in their first days", "Infrastructure tools that refresh their picture of many instances", "Without a stated T0 there is no baseline, so every regular reader appears"]
-- next_steps = ["Look into the user data of the listed instances for secrets, and treat those as exposed", "Ask the holder of the credential about the purpose", "Look at what was done with the secrets found"]
-- references = ["https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceAttribute.html", "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLaunchTemplateVersions.html", "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html"]
--
-- [params]
-- distinct_targets = { type = "integer", doc = "Different instances or launch templates within two adjacent quarter hours", default = 5 }
-- habit_days = { type = "integer", doc = "Days of the baseline with such a burst that make it a habit", default = 3 }
-- ---
WITH calls AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS caller,
    coalesce(e.session_name, '') AS caller_session,
    e.event_epoch // 900 AS block_no,
    coalesce(
      json_extract_string(e.request_parameters, '$.instanceId'),
      json_extract_string(e.request_parameters, '$.DescribeLaunchTemplateVersionsRequest.LaunchTemplateId'),
      json_extract_string(e.request_parameters, '$.DescribeLaunchTemplateVersionsRequest.LaunchTemplateName'),
      json_extract_string(e.request_parameters, '$.GetLaunchTemplateDataRequest.InstanceId'),
      e.event_key
    ) AS thing
  FROM aws_event AS e
  WHERE e.event_source = 'ec2.amazonaws.com'
    AND (
      (e.event_name_base = 'DescribeInstanceAttribute'
        AND coalesce(json_extract_string(e.request_parameters, '$.attribute'), '') = 'userData')
      OR e.event_name_base IN ('DescribeLaunchTemplateVersions', 'GetLaunchTemplateData', 'GetConsoleOutput')
    )
    AND e.outcome IN ('success', 'denied')
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
    count(DISTINCT thing) AS targets,
    count(DISTINCT CASE WHEN is_earlier THEN thing END) AS earlier_targets
  FROM window_calls
  GROUP BY caller, caller_session, first_block
),
habits AS (
  SELECT
    caller,
    max(earlier_targets) AS most_targets,
    count(DISTINCT CASE WHEN earlier_targets >= $distinct_targets THEN first_block // 96 END) AS burst_days
  FROM window_counts
  GROUP BY caller
),
bursts AS (
  SELECT c.caller, c.caller_session, c.first_block, c.targets
  FROM window_counts AS c
  JOIN habits AS h ON h.caller = c.caller
  WHERE c.targets >= $distinct_targets
    AND (h.burst_days < $habit_days OR c.targets > h.most_targets)
),
covered_blocks AS (
  SELECT caller, caller_session, first_block AS block_no, targets FROM bursts
  UNION ALL
  SELECT caller, caller_session, first_block + 1 AS block_no, targets FROM bursts
),
burst_blocks AS (
  SELECT caller, caller_session, block_no, max(targets) AS targets_in_window
  FROM covered_blocks
  GROUP BY caller, caller_session, block_no
),
numbered AS (
  SELECT
    c.event_key,
    b.targets_in_window,
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
  coalesce(
    json_extract_string(e.request_parameters, '$.instanceId'),
    json_extract_string(e.request_parameters, '$.DescribeLaunchTemplateVersionsRequest.LaunchTemplateId'),
    json_extract_string(e.request_parameters, '$.DescribeLaunchTemplateVersionsRequest.LaunchTemplateName'),
    json_extract_string(e.request_parameters, '$.GetLaunchTemplateDataRequest.InstanceId'),
    e.resource
  ) AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  n.targets_in_window,
  n.alike,
  e.session_name,
  e.user_agent
FROM numbered AS n
JOIN aws_event AS e ON e.event_key = n.event_key
WHERE n.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
