-- ---
-- id = "usage.kind_first_used"
-- kind = "detection"
-- title = "An AI key was used for a kind of service it was never used for"
-- severity = "medium"
-- confidence = "low"
-- sources = ["openai_usage", "anthropic_usage"]
-- needs = ["usage_by_key"]
-- attack = ["T1496.004"]
-- attack_v19 = ["T1496.004"]
-- attack_version = "18.1"
-- atlas = ["AML.T0040"]
-- baseline_days = 7
-- description = "A key was used for an endpoint (images, speech, embeddings and so on), in batches, in a service tier, with a context window, at a speed or in a place of inference that its use in the baseline does not show. Stolen keys are sold for what is dear. The first bucket of each new kind is listed. A key with too few days of use before carries baseline_state none."
-- misses = "Exports that are not grouped by these dimensions. Kinds the key already used."
-- false_positives = ["A new feature of the product", "Another setting for all traffic, such as a place of inference"]
-- next_steps = ["Ask the customer whether the product uses it", "Look at amounts and hours of that kind", "Compare with the time of the exposure of the key"]
-- references = ["https://platform.openai.com/docs/api-reference/usage", "https://platform.claude.com/docs/en/api/admin/usage_report/retrieve_messages"]
--
-- [params]
-- min_baseline_days = { type = "integer", doc = "Days with use that the key must have in the baseline", default = 7 }
-- ---
WITH uses AS (
  SELECT
    event_key,
    bucket_start,
    bucket_end,
    provider || '|' || coalesce(owner, '') || '|' || coalesce(organisation, '') || '|' || key_id AS subject,
    endpoint,
    is_batch,
    service_tier,
    raw
  FROM ai_usage_series
  WHERE coalesce(requests, 0) + coalesce(input_tokens_total, 0) + coalesce(output_tokens, 0) + coalesce(other_quantity, 0) > 0
),
kinds AS (
  SELECT event_key, bucket_start, bucket_end, subject, 'endpoint ' || endpoint AS kind FROM uses
  UNION ALL
  SELECT event_key, bucket_start, bucket_end, subject, 'batch' AS kind FROM uses WHERE coalesce(is_batch, FALSE)
  UNION ALL
  SELECT event_key, bucket_start, bucket_end, subject, 'tier ' || service_tier AS kind FROM uses
  UNION ALL
  SELECT event_key, bucket_start, bucket_end, subject, 'context ' || json_extract_string(raw, '$.context_window') AS kind
  FROM uses
  UNION ALL
  SELECT event_key, bucket_start, bucket_end, subject, 'speed ' || json_extract_string(raw, '$.speed') AS kind
  FROM uses
  UNION ALL
  SELECT event_key, bucket_start, bucket_end, subject, 'place ' || json_extract_string(raw, '$.inference_geo') AS kind
  FROM uses
),
known_kinds AS (
  SELECT DISTINCT subject, kind FROM kinds WHERE bucket_end <= $baseline_until
),
histories AS (
  SELECT subject, count(DISTINCT epoch_ms(bucket_start) // 86400000) AS days FROM uses WHERE bucket_end <= $baseline_until GROUP BY subject
),
new_kinds AS (
  SELECT n.event_key, n.subject, n.kind,
    row_number() OVER (PARTITION BY n.subject, n.kind ORDER BY n.bucket_start NULLS LAST, n.event_key) AS place
  FROM kinds AS n
  LEFT JOIN known_kinds AS k ON k.subject = n.subject AND k.kind = n.kind
  WHERE k.subject IS NULL
    AND n.kind IS NOT NULL
    AND n.bucket_start >= $since
    AND n.bucket_start < $until
    AND n.bucket_start >= $baseline_until
),
-- A bucket may begin several kinds at once.
first_uses AS (
  SELECT event_key, subject, min(kind) AS kind, count(*) AS kinds FROM new_kinds WHERE place = 1 GROUP BY event_key, subject
)
SELECT
  f.subject AS finding_key,
  u.bucket_start AS event_time,
  u.key_id AS actor,
  u.provider || ':usage' AS action,
  u.model AS resource,
  CAST(NULL AS VARCHAR) AS source_ip,
  u.key_id AS credential_id,
  u.organisation AS account_id,
  CAST(NULL AS VARCHAR) AS region,
  'success' AS outcome,
  u.event_key,
  u.evidence,
  CASE WHEN coalesce(h.days, 0) >= $min_baseline_days THEN 'sufficient' ELSE 'none' END AS baseline_state,
  f.kind,
  f.kinds,
  u.requests
FROM first_uses AS f
JOIN ai_usage_current AS u ON u.event_key = f.event_key
LEFT JOIN histories AS h ON h.subject = f.subject
ORDER BY u.bucket_start NULLS LAST, u.event_key
