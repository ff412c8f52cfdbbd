-- ---
-- id = "exposure.usage_buckets"
-- kind = "exposure"
-- title = "Usage of each key by bucket and model"
-- severity = "info"
-- confidence = "high"
-- sources = ["openai_usage", "anthropic_usage"]
-- description = "Usage rows that name a key, overlaps resolved: of one bucket the export received last counts, in exactly one kind of export and grouping, which the row names."
-- misses = "Usage of exports that were not grouped by key."
-- ---
SELECT u.provider, u.owner, u.key_id, u.granularity_s, u.bucket_start, u.bucket_end, u.model,
       CAST(sum(coalesce(u.requests, 0)) AS BIGINT) AS requests,
       CAST(sum(coalesce(u.input_tokens_total, 0) + coalesce(u.output_tokens, 0)) AS BIGINT) AS tokens,
       min(u.event_key) AS event_key, min(u.evidence) AS evidence, min(u.source_id) AS source_id,
       min(u.grouped_by) AS grouped_by, max(u.views) AS views
FROM ai_usage_series AS u
WHERE u.key_id IS NOT NULL AND u.bucket_start >= $since AND u.bucket_start < $until
GROUP BY u.provider, u.owner, u.key_id, u.granularity_s, u.bucket_start, u.bucket_end, u.model
ORDER BY u.provider NULLS LAST, u.owner NULLS LAST, u.key_id NULLS LAST, u.granularity_s NULLS LAST, u.bucket_start NULLS LAST, u.model NULLS LAST, min(u.event_key)
