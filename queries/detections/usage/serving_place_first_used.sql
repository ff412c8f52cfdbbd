-- ---
-- id = "usage.serving_place_first_used"
-- kind = "detection"
-- title = "Requests of an AI key were served by a region, provider or address it never used"
-- severity = "medium"
-- confidence = "low"
-- sources = ["litellm_spend", "bedrock_invocation", "azure_openai"]
-- attack = ["T1535"]
-- attack_v19 = ["T1535"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "A gateway or an invocation log names where a request was served (region, provider behind the gateway, or its address), and that place does not stand in the key's baseline. The first request of each new place is listed, requests counts them. Failed requests count in the incident and make no place known. A key with too few requests before carries baseline_state none."
-- misses = "Formats that do not say where a request was served; of Anthropic's usage exports see usage.kind_first_used."
-- false_positives = ["Failover", "A new rule about where data may be handled"]
-- next_steps = ["Ask the platform team whether the place is theirs", "Look whether the gateway's settings were changed", "Compare with the time of the exposure of the key"]
-- references = ["https://docs.litellm.ai/docs/proxy/cost_tracking", "https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html"]
--
-- [params]
-- min_baseline_requests = { type = "integer", doc = "Requests the key must have in the baseline for its places to be known", default = 20 }
-- ---
WITH requests AS (
  SELECT
    event_key,
    event_time,
    provider || '|' || coalesce(owner, '') || '|' || coalesce(organisation, '') || '|' || coalesce(key_id, key_hash, key_name, principal) AS subject,
    coalesce(upstream_provider, '') || ' ' || coalesce(json_extract_string(raw, '$.inferenceRegion'), region, '') || ' '
      || coalesce(json_extract_string(raw, '$.api_base'), '') AS served_by,
    status
  FROM ai_request
),
known_places AS (
  SELECT DISTINCT subject, served_by FROM requests WHERE event_time < $baseline_until AND status = 'ok'
),
histories AS (
  SELECT subject, count(*) AS requests FROM requests WHERE event_time < $baseline_until GROUP BY subject
),
placed AS (
  SELECT r.event_key, r.subject, r.served_by,
    row_number() OVER (PARTITION BY r.subject, r.served_by ORDER BY r.event_time NULLS LAST, r.event_key) AS place,
    count(*) OVER (
      PARTITION BY r.subject, r.served_by ORDER BY r.event_time NULLS LAST, r.event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS requests
  FROM requests AS r
  LEFT JOIN known_places AS k ON k.subject = r.subject AND k.served_by = r.served_by
  WHERE k.subject IS NULL
    AND r.served_by <> '  '
    AND r.event_time >= $since
    AND r.event_time < $until
    AND r.event_time >= $baseline_until
)
SELECT
  p.subject || '|' || p.served_by AS finding_key,
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
  CASE WHEN coalesce(h.requests, 0) >= $min_baseline_requests THEN 'sufficient' ELSE 'none' END AS baseline_state,
  p.served_by,
  p.requests
FROM placed AS p
JOIN ai_request AS q ON q.event_key = p.event_key
LEFT JOIN histories AS h ON h.subject = p.subject
WHERE p.place = 1
ORDER BY q.event_time NULLS LAST, q.event_key
