-- ---
-- id = "aws.task_environment_read"
-- kind = "detection"
-- title = "Settings of containers, builds and applications were read by a principal new to them, or in bulk"
-- severity = "high"
-- confidence = "low"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1552.001"]
-- attack_v19 = ["T1552.001"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "A principal made a call whose answer holds environment variables, parameters or connection settings in clear (task definitions, build projects, services, jobs, notebooks, state machines, stacks, gateway keys), and either it did not make that call in the baseline or it asked for at least distinct_resources different things within two adjacent stretches of thirty minutes. Only successful calls count; calls by service-linked roles do not."
-- misses = "A stolen credential of a deployment role that makes these calls all day, below the bulk threshold. Variables that only refer to a secret are reported although the value stays in its store."
-- false_positives = ["A new deployment pipeline", "A posture scanner", "An engineer who looks at a service for the first time"]
-- next_steps = ["List the tasks, projects and services whose settings held keys at that time", "Compare address and session with the principal's ordinary ones", "Treat the keys that stood in those settings as exposed by configuration"]
-- references = ["https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTaskDefinition.html", "https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BatchGetProjects.html", "https://docs.aws.amazon.com/apigateway/latest/api/API_GetApiKeys.html"]
--
-- [params]
-- distinct_resources = { type = "integer", doc = "Different things asked for within two adjacent stretches of thirty minutes", default = 10 }
-- ---
WITH telling_calls(source, call) AS (
  VALUES
    ('ecs.amazonaws.com', 'DescribeTaskDefinition'),
    ('codebuild.amazonaws.com', 'BatchGetProjects'),
    ('apprunner.amazonaws.com', 'DescribeService'),
    ('amplify.amazonaws.com', 'GetApp'),
    ('amplify.amazonaws.com', 'ListApps'),
    ('amplify.amazonaws.com', 'GetBranch'),
    ('elasticbeanstalk.amazonaws.com', 'DescribeConfigurationSettings'),
    ('batch.amazonaws.com', 'DescribeJobDefinitions'),
    ('glue.amazonaws.com', 'GetConnection'),
    ('glue.amazonaws.com', 'GetConnections'),
    ('glue.amazonaws.com', 'GetJob'),
    ('glue.amazonaws.com', 'GetJobs'),
    ('sagemaker.amazonaws.com', 'DescribeTrainingJob'),
    ('sagemaker.amazonaws.com', 'DescribeModel'),
    ('sagemaker.amazonaws.com', 'DescribeNotebookInstanceLifecycleConfig'),
    ('states.amazonaws.com', 'DescribeExecution'),
    ('states.amazonaws.com', 'GetExecutionHistory'),
    ('cloudformation.amazonaws.com', 'GetTemplate'),
    ('cloudformation.amazonaws.com', 'DescribeStacks'),
    ('lightsail.amazonaws.com', 'GetContainerServices'),
    ('appconfig.amazonaws.com', 'GetLatestConfiguration'),
    ('apigateway.amazonaws.com', 'GetApiKey'),
    ('apigateway.amazonaws.com', 'GetApiKeys')
),
settings_reads AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS reader,
    e.event_epoch // 1800 AS stretch_no,
    coalesce(
      json_extract_string(e.request_parameters, '$.taskDefinition'),
      json_extract_string(e.request_parameters, '$.names'),
      json_extract_string(e.request_parameters, '$.serviceArn'),
      json_extract_string(e.request_parameters, '$.appId'),
      json_extract_string(e.request_parameters, '$.environmentName'),
      json_extract_string(e.request_parameters, '$.jobDefinitionName'),
      json_extract_string(e.request_parameters, '$.jobName'),
      json_extract_string(e.request_parameters, '$.trainingJobName'),
      json_extract_string(e.request_parameters, '$.modelName'),
      json_extract_string(e.request_parameters, '$.executionArn'),
      json_extract_string(e.request_parameters, '$.stackName'),
      e.resource,
      ''
    ) AS thing
  FROM aws_event AS e
  JOIN telling_calls AS t ON t.source = e.event_source AND t.call = e.event_name_base
  WHERE e.outcome = 'success'
    AND coalesce(e.identity_type, '') <> 'AWSService'
    AND NOT contains(coalesce(e.actor, ''), ':role/aws-service-role/')
    -- The gateway shows the values of its keys only on demand.
    AND (
      e.event_source <> 'apigateway.amazonaws.com'
      OR coalesce(
        json_extract_string(e.request_parameters, '$.includeValues'),
        json_extract_string(e.request_parameters, '$.includeValue'),
        'false'
      ) = 'true'
    )
    AND e.event_epoch IS NOT NULL
    AND e.event_time < $until
),
known_readers AS (
  SELECT DISTINCT reader, event_source, event_name_base FROM settings_reads WHERE event_time < $baseline_until
),
stretch_windows AS (
  SELECT reader, stretch_no AS first_stretch, event_source || thing AS thing FROM settings_reads
  UNION ALL
  SELECT reader, stretch_no - 1 AS first_stretch, event_source || thing AS thing FROM settings_reads
),
bulk_windows AS (
  SELECT reader, first_stretch, count(DISTINCT thing) AS things
  FROM stretch_windows
  GROUP BY reader, first_stretch
  HAVING count(DISTINCT thing) >= $distinct_resources
),
bulk_stretches AS (
  SELECT reader, first_stretch AS stretch_no, things FROM bulk_windows
  UNION ALL
  SELECT reader, first_stretch + 1 AS stretch_no, things FROM bulk_windows
),
busiest_stretches AS (
  SELECT reader, stretch_no, max(things) AS things FROM bulk_stretches GROUP BY reader, stretch_no
)
SELECT
  r.reader || '|' || coalesce(r.credential_id, '') || '|' || strftime(r.event_time, '%Y-%m-%d') AS finding_key,
  r.event_time,
  r.actor,
  r.event_name_base AS action,
  nullif(r.thing, '') AS resource,
  r.source_ip,
  r.credential_id,
  r.account_id,
  r.region,
  r.outcome,
  r.event_key,
  r.evidence,
  k.reader IS NULL AS new_to_reader,
  coalesce(b.things, 0) AS things_in_window,
  r.event_source,
  r.session_name,
  r.invoked_by,
  r.user_agent
FROM settings_reads AS r
LEFT JOIN known_readers AS k
  ON k.reader = r.reader
 AND k.event_source = r.event_source
 AND k.event_name_base = r.event_name_base
LEFT JOIN busiest_stretches AS b ON b.reader = r.reader AND b.stretch_no = r.stretch_no
WHERE (k.reader IS NULL OR b.reader IS NOT NULL)
  AND r.event_time >= $since
  AND r.event_time < $until
ORDER BY r.event_time NULLS LAST, r.event_key
