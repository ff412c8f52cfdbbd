-- ---
-- id = "aws.bedrock_invocation_logging_removed"
-- kind = "detection"
-- title = "The logging of model invocations was removed or turned away"
-- severity = "critical"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1562.008"]
-- attack_v19 = ["T1685.002"]
-- attack_version = "18.1"
-- atlas = ["AML.T0040"]
-- description = "The configuration that logs prompts and answers of Amazon Bedrock in a region was deleted, set to leave out texts, or set to another destination than the last one that the logs name for that region. From then on only the bare calls are recorded. invocations_after counts model invocations by the same credential in the follow_seconds after it. Denied attempts count, because they show the intent."
-- misses = "A destination that was emptied or closed instead. Regions in which logging was never on."
-- false_positives = ["The platform team moves the log to another bucket"]
-- next_steps = ["Ask for the configuration before, and secure what is left of the invocation log", "List the invocations after the change in that region", "Check every other region: the setting is regional"]
-- references = ["https://docs.aws.amazon.com/bedrock/latest/APIReference/API_DeleteModelInvocationLoggingConfiguration.html", "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_PutModelInvocationLoggingConfiguration.html", "https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html"]
--
-- [params]
-- follow_seconds = { type = "integer", doc = "Seconds after the change in which invocations are counted", default = 21600 }
-- ---
WITH logging_changes AS (
  SELECT
    e.*,
    coalesce(json_extract_string(e.request_parameters, '$.loggingConfig.textDataDeliveryEnabled'), '') = 'false' AS without_text,
    coalesce(json_extract_string(e.request_parameters, '$.loggingConfig.s3Config.bucketName'), '') || ' '
      || coalesce(json_extract_string(e.request_parameters, '$.loggingConfig.cloudWatchConfig.logGroupName'), '') AS destination
  FROM aws_event AS e
  WHERE e.event_source = 'bedrock.amazonaws.com'
    AND e.event_name_base IN ('DeleteModelInvocationLoggingConfiguration', 'PutModelInvocationLoggingConfiguration')
    AND e.outcome IN ('success', 'denied')
    AND e.event_time < $until
),
settings AS (
  SELECT
    event_key,
    lag(destination) OVER (
      PARTITION BY account_id, region ORDER BY event_epoch NULLS LAST, event_key
    ) AS last_destination
  FROM logging_changes
  WHERE event_name_base = 'PutModelInvocationLoggingConfiguration'
    AND outcome = 'success'
),
-- A denied attempt is compared with the last setting that took effect before it.
last_before_denied AS (
  SELECT
    d.event_key,
    s.destination AS last_destination,
    row_number() OVER (
      PARTITION BY d.event_key ORDER BY s.event_epoch DESC NULLS LAST, s.event_key
    ) AS age_no
  FROM logging_changes AS d
  JOIN logging_changes AS s
    ON coalesce(s.account_id, '') = coalesce(d.account_id, '')
   AND coalesce(s.region, '') = coalesce(d.region, '')
   AND s.event_epoch <= d.event_epoch
  WHERE s.event_name_base = 'PutModelInvocationLoggingConfiguration'
    AND s.outcome = 'success'
),
removals AS (
  SELECT
    c.*,
    CASE
      WHEN c.event_name_base = 'DeleteModelInvocationLoggingConfiguration' THEN 'deleted'
      WHEN c.without_text THEN 'texts left out'
      WHEN coalesce(s.last_destination, d.last_destination, c.destination) <> c.destination THEN 'another destination'
      ELSE ''
    END AS change
  FROM logging_changes AS c
  LEFT JOIN settings AS s ON s.event_key = c.event_key
  LEFT JOIN last_before_denied AS d ON d.event_key = c.event_key AND d.age_no = 1
),
invocations AS (
  SELECT r.event_key, count(DISTINCT i.event_key) AS invocations_after
  FROM removals AS r
  JOIN aws_event AS i
    ON i.credential_id = r.credential_id
   AND i.event_epoch >= r.event_epoch
   AND i.event_epoch <= r.event_epoch + $follow_seconds
  WHERE i.event_source = 'bedrock.amazonaws.com'
    AND i.event_name_base IN ('InvokeModel', 'InvokeModelWithResponseStream', 'Converse', 'ConverseStream')
  GROUP BY r.event_key
)
SELECT
  coalesce(r.actor, '') || '|' || coalesce(r.credential_id, '') || '|' || strftime(r.event_time, '%Y-%m-%d') AS finding_key,
  r.event_time,
  r.actor,
  r.event_name_base AS action,
  'invocation logging in ' || coalesce(r.region, 'an unknown region') AS resource,
  r.source_ip,
  r.credential_id,
  r.account_id,
  r.region,
  r.outcome,
  r.event_key,
  r.evidence,
  r.change,
  coalesce(i.invocations_after, 0) AS invocations_after,
  r.session_name,
  r.user_agent
FROM removals AS r
LEFT JOIN invocations AS i ON i.event_key = r.event_key
WHERE r.change <> ''
  AND r.event_time >= $since
ORDER BY r.event_time NULLS LAST, r.event_key
