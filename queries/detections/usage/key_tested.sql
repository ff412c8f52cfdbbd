-- ---
-- id = "usage.key_tested"
-- kind = "detection"
-- title = "An AI key was tried out on several models within minutes"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["litellm_spend", "bedrock_invocation", "azure_openai"]
-- attack = ["T1526"]
-- attack_v19 = ["T1526"]
-- attack_version = "18.1"
-- atlas = ["AML.T0040"]
-- description = "Within two adjacent stretches of two and a half minutes a key asked at least distinct_models models, and every request of the key in that time failed or gave at most small_output tokens. That is how checkers of stolen keys work. Refused requests count."
-- misses = "A checker that asks one model, or answers itself. Providers' usage exports hold no single requests."
-- false_positives = ["A smoke test after a deployment", "A page that shows the state of models"]
-- next_steps = ["Look at the address and the agent of the requests", "See whether the key was used from there later", "Revoke the key"]
-- references = ["https://docs.litellm.ai/docs/proxy/cost_tracking", "https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html"]
--
-- [params]
-- distinct_models = { type = "integer", doc = "Models asked", default = 3 }
-- small_output = { type = "integer", doc = "Tokens of output that still count as small", default = 16 }
-- ---
WITH requests AS (
  SELECT
    event_key,
    provider || '|' || coalesce(owner, '') || '|' || coalesce(organisation, '') || '|' || coalesce(key_id, key_hash, key_name, principal) AS subject,
    epoch_ms(event_time) // 150000 AS stretch_no,
    model,
    CASE WHEN coalesce(status, '') = 'error' OR coalesce(output_tokens, 0) <= $small_output THEN 0 ELSE 1 END AS used
  FROM ai_request
  WHERE event_time < $until
),
stretch_windows AS (
  SELECT subject, stretch_no AS first_stretch, model, used FROM requests
  UNION ALL
  SELECT subject, stretch_no - 1 AS first_stretch, model, used FROM requests
),
tests AS (
  SELECT subject, first_stretch, count(DISTINCT model) AS models
  FROM stretch_windows
  GROUP BY subject, first_stretch
  HAVING count(DISTINCT model) >= $distinct_models AND max(used) = 0
),
stretches AS (
  SELECT subject, first_stretch AS stretch_no, models FROM tests
  UNION ALL
  SELECT subject, first_stretch + 1 AS stretch_no, models FROM tests
),
busiest AS (
  SELECT subject, stretch_no, max(models) AS models FROM stretches GROUP BY subject, stretch_no
)
SELECT
  r.subject || '|' || strftime(q.event_time, '%Y-%m-%d') AS finding_key,
  q.event_time,
  coalesce(q.key_id, q.key_name, q.key_hash) AS actor,
  q.provider || ':' || coalesce(q.operation, 'request') AS action,
  q.model AS resource,
  q.source_ip,
  coalesce(q.key_id, q.key_hash) AS credential_id,
  q.organisation AS account_id,
  q.region,
  CASE WHEN q.status = 'ok' THEN 'success' ELSE 'failure' END AS outcome,
  q.event_key,
  q.evidence,
  b.models,
  q.error_code,
  q.output_tokens,
  q.user_agent
FROM requests AS r
JOIN busiest AS b ON b.subject = r.subject AND b.stretch_no = r.stretch_no
JOIN ai_request AS q ON q.event_key = r.event_key
WHERE q.event_time >= $since
ORDER BY q.event_time NULLS LAST, q.event_key
