-- ---
-- id = "aws.bedrock_capacity_bought"
-- kind = "detection"
-- title = "Bedrock capacity, an imported model or an endpoint for models was bought or tried"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["bedrock_events"]
-- attack = ["T1496.004"]
-- attack_v19 = ["T1496.004"]
-- attack_version = "18.1"
-- atlas = ["AML.T0034"]
-- description = "Provisioned throughput, a custom or imported model, its deployment, a training job, an inference profile or a marketplace endpoint of Bedrock was ordered by a principal that had not made the same call before the end of the baseline. Such orders cost by the hour whether they are used or not. Denied attempts count, because they show the intent."
-- misses = "Use without an order: aws.bedrock_invocation_spike. A stolen credential of those who run the model platform."
-- false_positives = ["The platform team's first order, or any without a stated T0"]
-- next_steps = ["Ask who ordered it, and end it: it costs by the hour", "List the calls to the bought model", "Look where the weights of an imported model came from"]
-- references = ["https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateProvisionedModelThroughput.html", "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelImportJob.html", "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateMarketplaceModelEndpoint.html"]
-- ---
WITH orders AS (
  SELECT e.*, coalesce(e.actor, '') AS caller
  FROM aws_event AS e
  WHERE e.event_source = 'bedrock.amazonaws.com'
    AND e.event_name_base IN ('CreateProvisionedModelThroughput', 'UpdateProvisionedModelThroughput', 'CreateModelImportJob',
                              'CreateCustomModelDeployment', 'CreateCustomModel', 'CreateModelCustomizationJob',
                              'CreateMarketplaceModelEndpoint', 'RegisterMarketplaceModelEndpoint', 'CreateInferenceProfile')
    AND e.outcome IN ('success', 'denied')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
habits AS (
  SELECT DISTINCT caller, event_name_base FROM orders WHERE event_time < $baseline_until
)
SELECT
  o.caller || '|' || coalesce(o.credential_id, '') || '|' || strftime(o.event_time, '%Y-%m-%d') AS finding_key,
  o.event_time,
  o.actor,
  o.event_name_base AS action,
  coalesce(
    json_extract_string(o.request_parameters, '$.provisionedModelName'),
    json_extract_string(o.request_parameters, '$.modelSourceIdentifier'),
    json_extract_string(o.request_parameters, '$.importedModelName'),
    o.request_model_id,
    o.resource
  ) AS resource,
  o.source_ip,
  o.credential_id,
  o.account_id,
  o.region,
  o.outcome,
  o.event_key,
  o.evidence,
  json_extract_string(o.request_parameters, '$.modelUnits') AS model_units,
  json_extract_string(o.request_parameters, '$.commitmentDuration') AS commitment,
  o.session_name,
  o.user_agent
FROM orders AS o
LEFT JOIN habits AS h ON h.caller = o.caller AND h.event_name_base = o.event_name_base
WHERE h.caller IS NULL
  AND o.event_time >= $since
ORDER BY o.event_time NULLS LAST, o.event_key
