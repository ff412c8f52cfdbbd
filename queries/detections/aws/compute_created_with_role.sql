-- ---
-- id = "aws.compute_created_with_role"
-- kind = "detection"
-- title = "Code was set up to run with a role that the principal had not used for that before"
-- severity = "medium"
-- confidence = "low"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1059.009", "T1548.005"]
-- attack_v19 = ["T1059.009", "T1548.005"]
-- attack_version = "18.1"
-- description = "A stack, a job or endpoint of Glue, a job definition of Batch, a function, a build project, a task definition or a notebook was created or changed with a role, and the same principal had not passed that role before the end of the baseline: what runs there has the rights of the role. Denied attempts count, because they show the intent. Calls that a service makes for its caller are left out. Of each principal, role, call, outcome and day the first is listed."
-- misses = "Machines: aws.unusual_instances_launched. A role that the principal passes as its work."
-- false_positives = ["Deployments; without a stated T0 there is no baseline and every such call appears"]
-- next_steps = ["Compare the rights of the role with those of the principal", "Read the code that runs with it", "List what the role did since"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html", "https://docs.aws.amazon.com/glue/latest/webapi/API_CreateDevEndpoint.html", "https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html"]
-- ---
WITH calls AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS caller,
    coalesce(
      e.request_role_arn,
      json_extract_string(e.request_parameters, '$.roleARN'),
      json_extract_string(e.request_parameters, '$.role'),
      json_extract_string(e.request_parameters, '$.serviceRole'),
      json_extract_string(e.request_parameters, '$.taskRoleArn'),
      json_extract_string(e.request_parameters, '$.containerProperties.jobRoleArn')
    ) AS passed_role
  FROM aws_event AS e
  WHERE ((e.event_source = 'cloudformation.amazonaws.com' AND e.event_name_base IN ('CreateStack', 'UpdateStack'))
      OR (e.event_source = 'glue.amazonaws.com' AND e.event_name_base IN ('CreateDevEndpoint', 'CreateJob', 'UpdateJob'))
      OR (e.event_source = 'batch.amazonaws.com' AND e.event_name_base = 'RegisterJobDefinition')
      OR (e.event_source = 'lambda.amazonaws.com' AND e.event_name_base IN ('CreateFunction', 'UpdateFunctionConfiguration'))
      OR (e.event_source = 'codebuild.amazonaws.com' AND e.event_name_base IN ('CreateProject', 'UpdateProject'))
      OR (e.event_source = 'ecs.amazonaws.com' AND e.event_name_base = 'RegisterTaskDefinition')
      OR (e.event_source = 'sagemaker.amazonaws.com' AND e.event_name_base = 'CreateNotebookInstance'))
    AND e.outcome IN ('success', 'denied')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
habits AS (
  SELECT DISTINCT caller, passed_role FROM calls WHERE event_time < $baseline_until
),
numbered AS (
  SELECT
    c.event_key,
    row_number() OVER (
      PARTITION BY c.caller, c.passed_role, c.event_source, c.event_name_base, c.outcome, c.event_epoch // 86400
      ORDER BY c.event_epoch NULLS LAST, c.event_key
    ) AS place
  FROM calls AS c
  LEFT JOIN habits AS h ON h.caller = c.caller AND h.passed_role = c.passed_role
  WHERE h.caller IS NULL
    AND c.passed_role IS NOT NULL
    AND c.event_time >= $since
)
SELECT
  c.caller || '|' || coalesce(c.credential_id, '') || '|' || strftime(c.event_time, '%Y-%m-%d') AS finding_key,
  c.event_time,
  c.actor,
  c.event_name_base AS action,
  coalesce(
    c.request_function,
    json_extract_string(c.request_parameters, '$.stackName'),
    json_extract_string(c.request_parameters, '$.endpointName'),
    c.request_name,
    json_extract_string(c.request_parameters, '$.family'),
    c.resource
  ) AS resource,
  c.source_ip,
  c.credential_id,
  c.account_id,
  c.region,
  c.outcome,
  c.event_key,
  c.evidence,
  c.passed_role,
  c.session_name,
  c.user_agent
FROM numbered AS n
JOIN calls AS c ON c.event_key = n.event_key
WHERE n.place = 1
ORDER BY c.event_time NULLS LAST, c.event_key
