-- ---
-- id = "exposure.runtime_reads"
-- kind = "exposure"
-- title = "Reads of the settings of containers, builds, applications and functions"
-- severity = "info"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- description = "Calls whose answer holds environment variables, parameters, user data or connection settings in clear, with what they asked for. A call that lists everything of its kind has no location and is `possibly`: its answer comes in pages (of functions at most 50 with their variables, for one account and region), and which of them a page held is not logged. usual_reads counts the same call on the same thing by the same actor before the baseline ended."
-- misses = "What stood in the answer is not logged. A setting that only refers to a secret shows its name, not its value."
-- references = ["https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTaskDefinition.html", "https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BatchGetProjects.html", "https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html", "https://docs.aws.amazon.com/apigateway/latest/api/API_GetApiKeys.html"]
-- ---
WITH telling_calls(source, call, kind) AS (
  VALUES
    ('lambda.amazonaws.com', 'ListFunctions', 'lambda'),
    ('ec2.amazonaws.com', 'DescribeInstanceAttribute', 'ec2'),
    ('ecs.amazonaws.com', 'DescribeTaskDefinition', 'ecs'),
    ('codebuild.amazonaws.com', 'BatchGetProjects', 'codebuild'),
    ('apprunner.amazonaws.com', 'DescribeService', 'apprunner'),
    ('amplify.amazonaws.com', 'GetApp', 'amplify'),
    ('amplify.amazonaws.com', 'ListApps', 'amplify'),
    ('amplify.amazonaws.com', 'GetBranch', 'amplify'),
    ('elasticbeanstalk.amazonaws.com', 'DescribeConfigurationSettings', 'elasticbeanstalk'),
    ('batch.amazonaws.com', 'DescribeJobDefinitions', 'batch'),
    ('glue.amazonaws.com', 'GetConnection', 'glue'),
    ('glue.amazonaws.com', 'GetConnections', 'glue'),
    ('glue.amazonaws.com', 'GetJob', 'glue'),
    ('glue.amazonaws.com', 'GetJobs', 'glue'),
    ('sagemaker.amazonaws.com', 'DescribeTrainingJob', 'sagemaker'),
    ('sagemaker.amazonaws.com', 'DescribeModel', 'sagemaker'),
    ('sagemaker.amazonaws.com', 'DescribeNotebookInstanceLifecycleConfig', 'sagemaker'),
    ('states.amazonaws.com', 'DescribeExecution', 'states'),
    ('states.amazonaws.com', 'GetExecutionHistory', 'states'),
    ('cloudformation.amazonaws.com', 'GetTemplate', 'cloudformation'),
    ('cloudformation.amazonaws.com', 'DescribeStacks', 'cloudformation'),
    ('lightsail.amazonaws.com', 'GetContainerServices', 'lightsail'),
    ('appconfig.amazonaws.com', 'GetLatestConfiguration', 'appconfig'),
    ('apigateway.amazonaws.com', 'GetApiKey', 'apigateway'),
    ('apigateway.amazonaws.com', 'GetApiKeys', 'apigateway')
),
setting_reads AS (
  SELECT
    e.event_time, e.event_key, e.event_name_base AS action, t.kind AS location_kind,
    CASE WHEN e.event_name_base IN ('ListFunctions', 'ListApps', 'GetConnections', 'GetJobs', 'GetApiKeys') THEN NULL
    ELSE coalesce(
      json_extract_string(e.request_parameters, '$.taskDefinition'),
      json_extract_string(e.request_parameters, '$.names'),
      json_extract_string(e.request_parameters, '$.serviceArn'),
      json_extract_string(e.request_parameters, '$.appId'),
      json_extract_string(e.request_parameters, '$.environmentName'),
      json_extract_string(e.request_parameters, '$.jobDefinitionName'),
      json_extract_string(e.request_parameters, '$.jobDefinitions'),
      json_extract_string(e.request_parameters, '$.jobName'),
      json_extract_string(e.request_parameters, '$.trainingJobName'),
      json_extract_string(e.request_parameters, '$.modelName'),
      json_extract_string(e.request_parameters, '$.executionArn'),
      json_extract_string(e.request_parameters, '$.stackName'),
      json_extract_string(e.request_parameters, '$.serviceName'),
      json_extract_string(e.request_parameters, '$.apiKey'),
      json_extract_string(e.request_parameters, '$.instanceId'),
      e.request_name) END AS location,
    e.region, e.account_id, e.actor, e.session_name, e.credential_id, e.source_ip, e.invoked_by, e.outcome, e.evidence
  FROM aws_event AS e
  JOIN telling_calls AS t ON t.source = e.event_source AND t.call = e.event_name_base
  WHERE e.event_time < $until
    -- The gateway shows the values of its keys only on demand, and an instance has other attributes too.
    AND (e.event_source <> 'apigateway.amazonaws.com'
      OR coalesce(json_extract_string(e.request_parameters, '$.includeValues'),
                  json_extract_string(e.request_parameters, '$.includeValue'), 'false') = 'true')
    AND (e.event_source <> 'ec2.amazonaws.com'
      OR coalesce(json_extract_string(e.request_parameters, '$.attribute'), '') = 'userData')
),
usual AS (
  SELECT actor, action, coalesce(location, '') AS location, region, count(*) AS reads
  FROM setting_reads
  WHERE event_time < $baseline_until AND outcome = 'success'
  GROUP BY actor, action, coalesce(location, ''), region
)
SELECT r.event_time, r.event_key, CASE WHEN r.location IS NULL THEN 'possibly' ELSE 'configuration_read' END AS access, r.action, r.location_kind, r.location, r.region,
       r.account_id, r.actor, r.session_name, r.credential_id, r.source_ip, r.invoked_by, r.outcome,
       coalesce(u.reads, 0) AS usual_reads, r.evidence,
       CASE WHEN r.location IS NULL
         THEN 'a listing of all of its kind in the account and region, whose answer comes in pages: which of them it held is not logged' ELSE '' END AS why
FROM setting_reads AS r
LEFT JOIN usual AS u
  ON u.actor = r.actor AND u.action = r.action AND u.location = coalesce(r.location, '') AND u.region = r.region
WHERE r.event_time >= $since
ORDER BY r.event_time NULLS LAST, r.location NULLS LAST, r.event_key
