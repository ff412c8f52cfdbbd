-- ---
-- id = "aws.compute_bought_elsewhere"
-- kind = "detection"
-- title = "Machines were ordered outside EC2 by a principal new to it"
-- severity = "low"
-- confidence = "low"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1496.001", "T1578.002"]
-- attack_v19 = ["T1496.001", "T1578.002"]
-- attack_version = "18.1"
-- description = "A task of ECS, a training job of SageMaker, a fleet of GameLift, desktops of WorkSpaces, a server of Lightsail or a job of Batch was ordered, by a principal that had not made the same call before the end of the baseline. Denied attempts count, because they show the intent. Calls that a service makes for its caller are left out. Intruders look for computers where nobody looks. Machines of EC2: aws.unusual_instances_launched."
-- misses = "A stolen credential of a principal that makes such calls as its work."
-- false_positives = ["A new deployment; without a stated T0 there is no baseline and every such call appears"]
-- next_steps = ["Look at the image and the size of what was ordered", "Look at the bill by service and region"]
-- references = ["https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html", "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html", "https://docs.aws.amazon.com/lightsail/2016-11-28/api-reference/API_CreateInstances.html"]
-- ---
WITH calls AS (
  SELECT e.*, coalesce(e.actor, '') AS caller
  FROM aws_event AS e
  WHERE ((e.event_source = 'ecs.amazonaws.com' AND e.event_name_base IN ('RegisterTaskDefinition', 'RunTask', 'CreateService'))
      OR (e.event_source = 'sagemaker.amazonaws.com'
        AND e.event_name_base IN ('CreateTrainingJob', 'CreateProcessingJob', 'CreateNotebookInstance'))
      OR (e.event_source = 'gamelift.amazonaws.com' AND e.event_name_base = 'CreateFleet')
      OR (e.event_source = 'workspaces.amazonaws.com' AND e.event_name_base = 'CreateWorkspaces')
      OR (e.event_source = 'lightsail.amazonaws.com' AND e.event_name_base = 'CreateInstances')
      OR (e.event_source = 'batch.amazonaws.com' AND e.event_name_base = 'SubmitJob'))
    AND e.outcome IN ('success', 'denied')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
habits AS (
  SELECT DISTINCT caller, event_name_base FROM calls WHERE event_time < $baseline_until
)
SELECT
  c.caller || '|' || coalesce(c.credential_id, '') || '|' || strftime(c.event_time, '%Y-%m-%d') AS finding_key,
  c.event_time,
  c.actor,
  c.event_name_base AS action,
  coalesce(
    json_extract_string(c.request_parameters, '$.taskDefinition'),
    json_extract_string(c.request_parameters, '$.trainingJobName'),
    json_extract_string(c.request_parameters, '$.jobName'),
    c.resource
  ) AS resource,
  c.source_ip,
  c.credential_id,
  c.account_id,
  c.region,
  c.outcome,
  c.event_key,
  c.evidence,
  c.session_name,
  c.user_agent
FROM calls AS c
LEFT JOIN habits AS h ON h.caller = c.caller AND h.event_name_base = c.event_name_base
WHERE h.caller IS NULL
  AND c.event_time >= $since
ORDER BY c.event_time NULLS LAST, c.event_key
