-- ---
-- id = "aws.resources_destroyed"
-- kind = "detection"
-- title = "Many machines, functions, tables, clusters or stacks were destroyed in a short time"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1485", "T1489"]
-- attack_v19 = ["T1485", "T1489"]
-- attack_version = "18.1"
-- description = "One principal destroyed at least distinct_calls things within two adjacent blocks of a quarter of an hour: it terminated machines, or deleted functions, databases, tables, clusters, stacks or file systems. Each successful call counts as one, whatever it names. A principal that did so on at least habit_days days of the baseline is reported only for more than it ever destroyed there. Calls that a service makes for its caller are left out. Backups: aws.backups_destroyed; objects: aws.objects_deleted_in_bulk."
-- misses = "One call that names many machines; one stack that holds everything; destruction that is slower."
-- false_positives = ["An environment that is taken down", "Pipelines that clean up, in their first days or without a stated T0"]
-- next_steps = ["Ask who ordered it", "Deactivate the credential", "Look which backups are left"]
-- references = ["https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TerminateInstances.html", "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html"]
--
-- [params]
-- distinct_calls = { type = "integer", doc = "Destroying calls within two adjacent blocks of a quarter of an hour", default = 5 }
-- habit_days = { type = "integer", doc = "Days of the baseline with such a series that make it a habit", default = 3 }
-- ---
WITH calls AS (
  SELECT e.*, coalesce(e.actor, '') AS caller, e.event_epoch // 900 AS block_no
  FROM aws_event AS e
  WHERE ((e.event_source = 'ec2.amazonaws.com' AND e.event_name_base = 'TerminateInstances')
      OR (e.event_source = 'lambda.amazonaws.com' AND e.event_name_base = 'DeleteFunction')
      OR (e.event_source = 'rds.amazonaws.com' AND e.event_name_base IN ('DeleteDBCluster', 'DeleteDBInstance'))
      OR (e.event_source = 'dynamodb.amazonaws.com' AND e.event_name_base = 'DeleteTable')
      OR (e.event_source IN ('eks.amazonaws.com', 'ecs.amazonaws.com', 'redshift.amazonaws.com') AND e.event_name_base = 'DeleteCluster')
      OR (e.event_source = 'cloudformation.amazonaws.com' AND e.event_name_base = 'DeleteStack')
      OR (e.event_source = 'elasticfilesystem.amazonaws.com' AND e.event_name_base = 'DeleteFileSystem'))
    AND e.outcome = 'success'
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
window_calls AS (
  SELECT caller, block_no AS first_block, event_key, event_time < $baseline_until AS is_earlier FROM calls
  UNION ALL
  SELECT caller, block_no - 1 AS first_block, event_key, event_time < $baseline_until AS is_earlier FROM calls
),
window_counts AS (
  SELECT
    caller,
    first_block,
    count(DISTINCT event_key) AS destroyed,
    count(DISTINCT CASE WHEN is_earlier THEN event_key END) AS earlier_destroyed
  FROM window_calls
  GROUP BY caller, first_block
),
habits AS (
  SELECT
    caller,
    max(earlier_destroyed) AS most_destroyed,
    count(DISTINCT CASE WHEN earlier_destroyed >= $distinct_calls THEN first_block // 96 END) AS series_days
  FROM window_counts
  GROUP BY caller
),
series AS (
  SELECT w.caller, w.first_block, w.destroyed
  FROM window_counts AS w
  JOIN habits AS h ON h.caller = w.caller
  WHERE w.destroyed >= $distinct_calls
    AND (h.series_days < $habit_days OR w.destroyed > h.most_destroyed)
),
covered_blocks AS (
  SELECT caller, first_block AS block_no, destroyed FROM series
  UNION ALL
  SELECT caller, first_block + 1 AS block_no, destroyed FROM series
),
series_blocks AS (
  SELECT caller, block_no, max(destroyed) AS destroyed_in_window FROM covered_blocks GROUP BY caller, block_no
)
SELECT
  c.caller || '|' || coalesce(c.credential_id, '') || '|' || strftime(c.event_time, '%Y-%m-%d') AS finding_key,
  c.event_time,
  c.actor,
  c.event_name_base AS action,
  coalesce(
    c.request_function,
    json_extract_string(c.request_parameters, '$.dBInstanceIdentifier'),
    json_extract_string(c.request_parameters, '$.dBClusterIdentifier'),
    json_extract_string(c.request_parameters, '$.tableName'),
    json_extract_string(c.request_parameters, '$.stackName'),
    json_extract_string(c.request_parameters, '$.instancesSet.items[0].instanceId'),
    c.request_name,
    c.resource
  ) AS resource,
  c.source_ip,
  c.credential_id,
  c.account_id,
  c.region,
  c.outcome,
  c.event_key,
  c.evidence,
  s.destroyed_in_window,
  c.session_name,
  c.user_agent
FROM calls AS c
JOIN series_blocks AS s ON s.caller = c.caller AND s.block_no = c.block_no
WHERE c.event_time >= $since
ORDER BY c.event_time NULLS LAST, c.event_key
