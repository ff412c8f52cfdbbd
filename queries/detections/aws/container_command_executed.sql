-- ---
-- id = "aws.container_command_executed"
-- kind = "detection"
-- title = "A command was run inside a container"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1651"]
-- attack_v19 = ["T1651"]
-- attack_version = "18.1"
-- description = "ECS Exec ran a command or a shell in a container: by a principal that did so in no cluster before the end of the baseline, or in at least min_tasks different tasks in one clock hour. definition_read says whether the same credential also read a task definition, which names the task's secrets and variables. Denied attempts count, because they show the intent."
-- misses = "Commands of a stolen credential whose owner enters containers as routine. Shells opened on the host of the container. Commands typed within the shell, which CloudTrail does not record."
-- false_positives = ["A developer who looks into a fault", "Support work after the baseline"]
-- next_steps = ["Fetch the log of the command from the cluster's configured bucket or log group", "List the secrets and variables of the task: treat them as read", "Look at what the task's role did afterwards and from where"]
-- references = ["https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ExecuteCommand.html", "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html"]
--
-- [params]
-- min_tasks = { type = "integer", doc = "Different tasks in one clock hour that are many", default = 3 }
-- ---
WITH entries AS (
  SELECT
    event_key,
    event_time,
    event_epoch,
    outcome,
    coalesce(actor, '') AS caller,
    coalesce(json_extract_string(request_parameters, '$.task'), '') AS task
  FROM aws_event
  WHERE event_source = 'ecs.amazonaws.com'
    AND event_name_base = 'ExecuteCommand'
    AND outcome IN ('success', 'denied')
    AND coalesce(invoked_by, '') = ''
    AND event_time < $until
),
hours AS (
  SELECT caller, event_epoch // 3600 AS hour_no, count(DISTINCT task) AS tasks
  FROM entries
  GROUP BY caller, event_epoch // 3600
),
habits AS (
  SELECT DISTINCT caller FROM entries WHERE event_time < $baseline_until AND outcome = 'success'
),
definition_readers AS (
  SELECT DISTINCT credential_id
  FROM aws_event
  WHERE event_source = 'ecs.amazonaws.com'
    AND event_name_base = 'DescribeTaskDefinition'
    AND outcome = 'success'
)
SELECT
  n.caller || '|' || coalesce(e.session_name, '') || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  coalesce(json_extract_string(e.request_parameters, '$.task'), e.resource) AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  json_extract_string(e.request_parameters, '$.cluster') AS cluster,
  json_extract_string(e.request_parameters, '$.container') AS container,
  b.caller IS NULL AS new_for_principal,
  h.tasks AS tasks_in_hour,
  d.credential_id IS NOT NULL AS definition_read,
  e.session_name,
  e.user_agent
FROM entries AS n
JOIN aws_event AS e ON e.event_key = n.event_key
JOIN hours AS h ON h.caller = n.caller AND h.hour_no = n.event_epoch // 3600
LEFT JOIN habits AS b ON b.caller = n.caller
LEFT JOIN definition_readers AS d ON d.credential_id = e.credential_id
WHERE (b.caller IS NULL OR h.tasks >= $min_tasks)
  AND n.event_time >= $since
ORDER BY e.event_time NULLS LAST, e.event_key
