-- ---
-- id = "exposure.key_use"
-- kind = "exposure"
-- title = "First and last use of each key"
-- severity = "info"
-- confidence = "high"
-- sources = ["openai_usage", "anthropic_usage", "bedrock_invocation"]
-- description = "The first and the last bucket in which the provider counted use of a key, overlaps resolved, and the first and last single request that names it. Times of buckets are bounds: the use lies somewhere between."
-- misses = "Exports that are not grouped by key. Requests that failed are not in usage exports."
-- ---
WITH used AS (
  SELECT provider, coalesce(owner, '') AS owner, key_id, 'usage' AS source, bucket_start AS low, bucket_end AS high,
    coalesce(requests, 0) AS requests, coalesce(input_tokens_total, 0) + coalesce(output_tokens, 0) AS tokens, event_key
  FROM ai_usage_series
  WHERE bucket_start >= $since AND bucket_start < $until
    AND (coalesce(requests, 0) > 0 OR coalesce(input_tokens_total, 0) + coalesce(output_tokens, 0) > 0)
  UNION ALL
  SELECT provider, coalesce(owner, '') AS owner, key_id, 'requests' AS source, event_time AS low, event_time AS high,
    1 AS requests, coalesce(input_tokens_total, 0) + coalesce(output_tokens, 0) AS tokens, event_key
  FROM ai_request
  WHERE key_id IS NOT NULL AND coalesce(status, 'ok') <> 'error' AND event_time >= $since AND event_time < $until
)
SELECT provider, owner, key_id, source, min(low) AS first_from, min(high) AS first_to, max(low) AS last_from, max(high) AS last_to,
  CAST(sum(requests) AS BIGINT) AS requests, CAST(sum(tokens) AS BIGINT) AS tokens, min(event_key) AS event_key
FROM used
GROUP BY provider, owner, key_id, source
ORDER BY provider NULLS LAST, owner NULLS LAST, key_id NULLS LAST, source NULLS LAST, min(event_key)
