-- ---
-- id = "aws.bedrock_batch_inference_started"
-- kind = "detection"
-- title = "Batch or asynchronous inference, evaluation or training was started by a principal new to it"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["bedrock_events"]
-- attack = ["T1496.004"]
-- attack_v19 = ["T1496.004"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "A principal started a batch of invocations, an asynchronous invocation, an evaluation or a customisation of a model and did not make that call in the baseline. Such jobs use much and leave no single invocations in the log. input_data and output_data name the buckets, as the call does: one that is not the account's own takes the results out. Denied attempts count."
-- misses = "A principal with the same duty. Asynchronous invocations are data events and off by default."
-- false_positives = ["A data team's first job", "A new pipeline"]
-- next_steps = ["Ask the team whether it knows the job", "See whose the buckets of input and output are", "Look at the cost of the job and stop it"]
-- references = ["https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelInvocationJob.html", "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_StartAsyncInvoke.html"]
-- ---
SELECT
  coalesce(e.actor, '') || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  e.resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  coalesce(
    json_extract_string(e.request_parameters, '$.inputDataConfig.s3InputDataConfig.s3Uri'),
    json_extract_string(e.request_parameters, '$.trainingDataConfig.s3Uri')) AS input_data,
  coalesce(
    json_extract_string(e.request_parameters, '$.outputDataConfig.s3OutputDataConfig.s3Uri'),
    json_extract_string(e.request_parameters, '$.outputDataConfig.s3Uri')) AS output_data,
  e.session_name,
  e.user_agent
FROM aws_event AS e
JOIN first_seen AS f
  ON f.principal = coalesce(e.actor, '') AND f.event_source = e.event_source AND f.event_name_base = e.event_name_base
WHERE e.event_source = 'bedrock.amazonaws.com'
  AND e.event_name_base IN (
    'CreateModelInvocationJob', 'StartAsyncInvoke', 'CreateEvaluationJob', 'CreateModelCustomizationJob')
  AND f.first_time >= $baseline_until
  AND e.event_time >= $since
  AND e.event_time < $until
ORDER BY e.event_time NULLS LAST, e.event_key
