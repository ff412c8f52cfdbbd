-- ---
-- id = "aws.bedrock_access_probed"
-- kind = "detection"
-- title = "Somebody tested with invalid requests which Bedrock models a credential may call"
-- severity = "critical"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1526", "T1496.004"]
-- attack_v19 = ["T1526", "T1496.004"]
-- attack_version = "18.1"
-- description = "A credential sends model invocations that fail validation: several within neighbouring minutes, or on several models within neighbouring ten-minute spans. A validation fault proves at no cost that the call is permitted. Denied calls and unknown models alone do not count, but those in the same span are listed with their answer."
-- misses = "Probes spread over hours, or made with valid requests of a single token."
-- false_positives = ["A software fault that sends invalid requests", "A model's changed request format after an upgrade"]
-- next_steps = ["List the models whose answer is access_proven and look for later calls of them", "Read the requests in the model invocation logs, if those were on", "Find where the credential comes from"]
-- references = ["https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html", "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html"]
--
-- [params]
-- burst_seconds = { type = "integer", doc = "Width of the span in which faults are counted", default = 60 }
-- burst_faults = { type = "integer", doc = "Validation faults in neighbouring spans of burst_seconds", default = 3 }
-- sweep_seconds = { type = "integer", doc = "Width of the span in which models are counted", default = 600 }
-- sweep_models = { type = "integer", doc = "Distinct models with a validation fault in neighbouring spans of sweep_seconds", default = 2 }
-- ---
WITH refusals AS (
  SELECT
    event_key,
    event_epoch,
    coalesce(credential_id, actor, '') AS caller,
    coalesce(request_model_id, '') AS model,
    CASE
      WHEN error_code LIKE '%ValidationException' THEN 'access_proven'
      WHEN is_denied THEN 'access_denied'
      ELSE 'no_such_model'
    END AS answer
  FROM aws_event
  WHERE event_source = 'bedrock.amazonaws.com'
    AND event_name_base IN ('InvokeModel', 'InvokeModelWithResponseStream', 'Converse', 'ConverseStream')
    AND coalesce(invoked_by, '') = ''
    AND (error_code LIKE '%ValidationException' OR error_code LIKE '%ResourceNotFoundException' OR coalesce(is_denied, FALSE))
    -- A prompt that is too long is a mistake of an ordinary user.
    AND lower(coalesce(error_message, '')) NOT LIKE '%too long%'
    AND event_epoch IS NOT NULL
    AND event_time >= $since
    AND event_time < $until
),
faults AS (
  SELECT event_key, event_epoch, caller, model FROM refusals WHERE answer = 'access_proven'
),
-- Each fault stands in its span and in the next, so that neighbouring spans are counted together.
burst_spans AS (
  SELECT event_key, caller, event_epoch // $burst_seconds AS span FROM faults
  UNION ALL
  SELECT event_key, caller, event_epoch // $burst_seconds + 1 AS span FROM faults
),
bursts AS (
  SELECT caller, span FROM burst_spans GROUP BY caller, span HAVING count(*) >= $burst_faults
),
sweep_spans AS (
  SELECT event_key, caller, model, event_epoch // $sweep_seconds AS span FROM faults
  UNION ALL
  SELECT event_key, caller, model, event_epoch // $sweep_seconds + 1 AS span FROM faults
),
sweeps AS (
  SELECT caller, span FROM sweep_spans GROUP BY caller, span HAVING count(DISTINCT model) >= $sweep_models
),
probes AS (
  SELECT s.event_key FROM burst_spans AS s JOIN bursts AS b ON b.caller = s.caller AND b.span = s.span
  UNION
  SELECT s.event_key FROM sweep_spans AS s JOIN sweeps AS w ON w.caller = s.caller AND w.span = s.span
),
probing_spans AS (
  SELECT DISTINCT r.caller, r.event_epoch // $sweep_seconds AS span
  FROM refusals AS r
  JOIN probes AS p ON p.event_key = r.event_key
),
contributing AS (
  SELECT r.event_key, r.caller, r.model, r.answer
  FROM refusals AS r
  JOIN probing_spans AS p ON p.caller = r.caller AND p.span = r.event_epoch // $sweep_seconds
)
SELECT
  c.caller || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  c.model AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  c.answer,
  e.error_code
FROM contributing AS c
JOIN aws_event AS e ON e.event_key = c.event_key
ORDER BY e.event_time NULLS LAST, e.event_key
