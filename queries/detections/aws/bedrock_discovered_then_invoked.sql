-- ---
-- id = "aws.bedrock_discovered_then_invoked"
-- kind = "detection"
-- title = "A credential looked Bedrock models up and then invoked one within minutes"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1526", "T1496.004"]
-- attack_v19 = ["T1526", "T1496.004"]
-- attack_version = "18.1"
-- description = "The same access key, session or Bedrock API key asks which models exist, are available or are logged, and invokes a model within the stated time. Applications know their model and do not ask. Failed and denied calls count on both sides. The lookup and the first invocation of each model after it are listed."
-- misses = "An intruder who already knows the models, or waits longer. Lookups made with another credential than the invocation."
-- false_positives = ["A developer who tries Bedrock for the first time", "Software that lists the models at its start"]
-- next_steps = ["Ask the owner of the credential", "Count the invocations that followed and their models", "Check whether model access or invocation logging was changed at the same time"]
-- references = ["https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html", "https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html"]
--
-- [params]
-- within_seconds = { type = "integer", doc = "Longest time from the lookup to the invocation", default = 900 }
-- ---
WITH steps AS (
  SELECT
    event_key,
    event_epoch,
    coalesce(credential_id, actor, '') AS caller,
    coalesce(request_model_id, '') AS model,
    CASE
      WHEN event_name_base IN ('InvokeModel', 'InvokeModelWithResponseStream', 'Converse', 'ConverseStream') THEN 1
      ELSE 0
    END AS invokes
  FROM aws_event
  WHERE event_source = 'bedrock.amazonaws.com'
    AND event_name_base IN (
      'InvokeModel', 'InvokeModelWithResponseStream', 'Converse', 'ConverseStream',
      'ListFoundationModels', 'GetFoundationModelAvailability', 'ListInferenceProfiles',
      'ListProvisionedModelThroughputs', 'GetUseCaseForModelAccess', 'GetModelInvocationLoggingConfiguration')
    AND coalesce(invoked_by, '') = ''
    AND event_epoch IS NOT NULL
    AND event_time >= $since
    AND event_time < $until
),
-- A lookup in the same second counts as earlier.
neighbours AS (
  SELECT
    event_key,
    event_epoch,
    caller,
    model,
    invokes,
    max(CASE WHEN invokes = 0 THEN event_epoch END) OVER (
      PARTITION BY caller ORDER BY event_epoch NULLS LAST, invokes NULLS LAST, event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS lookup_epoch,
    min(CASE WHEN invokes = 1 THEN event_epoch END) OVER (
      PARTITION BY caller ORDER BY event_epoch NULLS LAST, invokes NULLS LAST, event_key
      ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
    ) AS invocation_epoch
  FROM steps
),
followed AS (
  SELECT
    event_key,
    caller,
    invokes,
    CASE WHEN invokes = 1 THEN event_epoch - lookup_epoch ELSE invocation_epoch - event_epoch END AS seconds_between,
    row_number() OVER (
      PARTITION BY caller, invokes, CASE WHEN invokes = 1 THEN lookup_epoch ELSE event_epoch END,
                   CASE WHEN invokes = 1 THEN model ELSE event_key END
      ORDER BY event_epoch NULLS LAST, event_key
    ) AS place
  FROM neighbours
  WHERE (invokes = 1 AND coalesce(event_epoch - lookup_epoch <= $within_seconds, FALSE))
     OR (invokes = 0 AND coalesce(invocation_epoch - event_epoch <= $within_seconds, FALSE))
)
SELECT
  f.caller || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
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
  CASE WHEN f.invokes = 1 THEN 'invocation' ELSE 'lookup' END AS step,
  f.seconds_between,
  coalesce(e.bearer_token, FALSE) AS bedrock_api_key
FROM followed AS f
JOIN aws_event AS e ON e.event_key = f.event_key
WHERE f.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
