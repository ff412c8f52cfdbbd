-- ---
-- id = "aws.bedrock_models_denied"
-- kind = "detection"
-- title = "A credential was refused by many models"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["bedrock_events"]
-- attack = ["T1526"]
-- attack_v19 = ["T1526"]
-- attack_version = "18.1"
-- atlas = ["AML.T0040"]
-- description = "Within two adjacent stretches of fifteen minutes a credential was refused the invocation of at least distinct_models different models, or at least list_refusals lists of models. Tools that test stolen credentials try model after model, often region after region. Only refusals count."
-- misses = "A tester that finds an open model at once, or waits between tries."
-- false_positives = ["A new role of a developer without rights", "A client that falls back from model to model"]
-- next_steps = ["See whether an invocation of the same credential succeeded", "Compare address and agent with the principal's ordinary ones", "Look where the key may have leaked"]
-- references = ["https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html"]
--
-- [params]
-- distinct_models = { type = "integer", doc = "Different models refused", default = 3 }
-- list_refusals = { type = "integer", doc = "Refused lists of models", default = 10 }
-- ---
WITH refusals AS (
  SELECT
    event_key,
    coalesce(credential_id, actor, '') AS credential,
    event_epoch // 900 AS stretch_no,
    CASE WHEN event_name_base = 'ListFoundationModels' THEN '' ELSE coalesce(request_model_id, '') END AS model,
    event_name_base = 'ListFoundationModels' AS is_list
  FROM aws_event
  WHERE event_source = 'bedrock.amazonaws.com'
    AND event_name_base IN ('InvokeModel', 'InvokeModelWithResponseStream', 'InvokeModelWithBidirectionalStream', 'Converse', 'ConverseStream', 'ListFoundationModels')
    AND outcome = 'denied'
    AND event_time < $until
),
stretch_windows AS (
  SELECT credential, stretch_no AS first_stretch, model, is_list FROM refusals
  UNION ALL
  SELECT credential, stretch_no - 1 AS first_stretch, model, is_list FROM refusals
),
full_windows AS (
  SELECT credential, first_stretch, count(DISTINCT nullif(model, '')) AS models, count(*) FILTER (WHERE is_list) AS lists
  FROM stretch_windows
  GROUP BY credential, first_stretch
  HAVING count(DISTINCT nullif(model, '')) >= $distinct_models OR count(*) FILTER (WHERE is_list) >= $list_refusals
),
stretches AS (
  SELECT credential, first_stretch AS stretch_no, models, lists FROM full_windows
  UNION ALL
  SELECT credential, first_stretch + 1 AS stretch_no, models, lists FROM full_windows
),
busiest AS (
  SELECT credential, stretch_no, max(models) AS models, max(lists) AS lists FROM stretches GROUP BY credential, stretch_no
)
SELECT
  r.credential || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
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
  b.models AS refused_models,
  b.lists AS refused_lists,
  e.user_agent
FROM refusals AS r
JOIN busiest AS b ON b.credential = r.credential AND b.stretch_no = r.stretch_no
JOIN aws_event AS e ON e.event_key = r.event_key
WHERE e.event_time >= $since
ORDER BY e.event_time NULLS LAST, e.event_key
