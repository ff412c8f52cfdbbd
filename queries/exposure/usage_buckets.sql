-- ---
-- id = "exposure.usage_buckets"
-- kind = "exposure"
-- title = "Usage of each key and model, bucket by bucket"
-- severity = "info"
-- confidence = "high"
-- sources = ["openai_usage", "anthropic_usage"]
-- description = "Usage rows that name a key, or a name that it alone has within its owner and provider (`named_by`), overlaps resolved: of one bucket the export received last counts, in exactly one kind of export and grouping, which the row names. One row a key, bucket width and model. `buckets` holds five values for each of its buckets, ordered as text: begin (milliseconds since 1970, UTC), width in milliseconds, requests, tokens, and a record of it."
-- misses = "Usage of exports that were not grouped by key. A name that several keys have names none of them."
-- by_key = true
-- portable = false
-- portable_reason = "It writes the buckets of a key in order into one text: a row a bucket would be millions for a large vendor."
-- ---
WITH bucket AS (
  SELECT u.provider, u.owner, u.key_id, u.granularity_s, u.model, u.bucket_start, u.bucket_end,
    CAST(sum(coalesce(u.requests, 0)) AS BIGINT) AS requests,
    CAST(sum(coalesce(u.input_tokens_total, 0) + coalesce(u.output_tokens, 0)) AS BIGINT) AS tokens,
    min(u.event_key) AS event_key, min(u.source_id) AS source_id, min(u.grouped_by) AS grouped_by, max(u.views) AS views,
    min(u.named_by) AS named_by
  FROM ai_usage_series AS u
  WHERE u.key_id IS NOT NULL AND u.bucket_start >= $since AND u.bucket_start < $until
  GROUP BY u.provider, u.owner, u.key_id, u.granularity_s, u.bucket_start, u.bucket_end, u.model)
SELECT
  provider, owner, key_id, granularity_s, model, source_id, grouped_by, max(views) AS views, min(named_by) AS named_by,
  count(*) AS number, min(bucket_start) AS first_at, max(bucket_end) AS last_at,
  array_to_string(list_sort(list(concat_ws(
    ',', epoch_ms(bucket_start),
    coalesce(epoch_ms(bucket_end), epoch_ms(bucket_start) + 1000 * granularity_s, epoch_ms(bucket_start)) - epoch_ms(bucket_start),
    requests, tokens, event_key))), ',') AS buckets
FROM bucket
GROUP BY provider, owner, key_id, granularity_s, model, source_id, grouped_by
ORDER BY provider NULLS LAST, owner NULLS LAST, key_id NULLS LAST, granularity_s NULLS LAST, model NULLS LAST,
  source_id NULLS LAST, grouped_by NULLS LAST, min(event_key)
