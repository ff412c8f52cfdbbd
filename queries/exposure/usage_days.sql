-- ---
-- id = "exposure.usage_days"
-- kind = "exposure"
-- title = "Shape of each key's usage by day"
-- severity = "info"
-- confidence = "high"
-- sources = ["openai_usage", "anthropic_usage"]
-- description = "Of each key and day: requests, input, cached and output tokens by service tier and endpoint, overlaps resolved; first_at and last_at bound the buckets that make it, so that a day which straddles a time belongs to neither side of it."
-- by_key = true
-- misses = "Usage of exports that were not grouped by key; tiers of exports that were not grouped by tier."
-- ---
SELECT u.provider, u.owner, u.key_id, u.granularity_s, date_trunc('day', u.bucket_start) AS day,
       coalesce(u.service_tier, '') AS service_tier, coalesce(u.endpoint, '') AS endpoint,
       coalesce(u.is_batch, FALSE) AS is_batch,
       min(u.bucket_start) AS first_at, max(u.bucket_end) AS last_at,
       CAST(sum(coalesce(u.requests, 0)) AS BIGINT) AS requests,
       CAST(sum(coalesce(u.input_tokens_total, 0)) AS BIGINT) AS input_tokens,
       CAST(sum(coalesce(u.cache_read_tokens, 0)) AS BIGINT) AS cached_tokens,
       CAST(sum(coalesce(u.output_tokens, 0)) AS BIGINT) AS output_tokens,
       min(u.event_key) AS event_key
FROM ai_usage_series AS u
WHERE u.key_id IS NOT NULL AND u.bucket_start >= $since AND u.bucket_start < $until
GROUP BY u.provider, u.owner, u.key_id, u.granularity_s, date_trunc('day', u.bucket_start), coalesce(u.service_tier, ''),
         coalesce(u.endpoint, ''), coalesce(u.is_batch, FALSE)
ORDER BY u.provider NULLS LAST, u.owner NULLS LAST, u.key_id NULLS LAST, u.granularity_s NULLS LAST, day NULLS LAST,
         service_tier NULLS LAST, endpoint NULLS LAST, is_batch NULLS LAST, min(u.event_key)
