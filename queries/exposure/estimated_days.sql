-- ---
-- id = "exposure.estimated_days"
-- kind = "exposure"
-- title = "Cost of each key by day, estimated from prices"
-- severity = "info"
-- confidence = "low"
-- sources = ["openai_usage", "anthropic_usage"]
-- description = "What the usage of a key would have cost by the price table of the case, by day and bucket width, overlaps resolved: uncached input, cache reads, cache writes for minutes and for an hour, and output each at its own price. Batch use and service tiers take their own price; a bucket takes the price for requests of any size, because a sum of requests says nothing of the size of one. Tokens without a price stand in unpriced_tokens and in no amount."
-- by_key = true
-- misses = "Discounts, taxes and credits; tools, images, audio and storage; surcharges for long requests. Usage that was not grouped by key or model."
-- ---
WITH used AS (
  SELECT
    u.provider, u.owner, u.key_id, u.granularity_s, u.bucket_start, u.bucket_end, u.model, u.event_key, u.source_id,
    u.grouped_by,
    CASE
      WHEN u.is_batch THEN 'batch'
      WHEN lower(coalesce(u.service_tier, 'standard')) IN ('standard', 'default', 'auto', 'on_demand') THEN 'standard'
      ELSE lower(u.service_tier)
    END AS service,
    CASE WHEN u.is_batch IS NULL AND u.service_tier IS NULL THEN 1 ELSE 0 END AS untold,
    coalesce(u.input_tokens_uncached,
             u.input_tokens_total - coalesce(u.cache_read_tokens, 0) - coalesce(u.cache_write_tokens, 0), 0) AS uncached,
    coalesce(u.cache_read_tokens, 0) AS cache_read,
    coalesce(u.cache_write_tokens, 0) AS cache_write,
    coalesce(TRY_CAST(json_extract_string(u.raw, '$.cache_creation.ephemeral_1h_input_tokens') AS BIGINT), 0) AS hour_write,
    coalesce(u.output_tokens, 0) AS output_tokens
  FROM ai_usage_series AS u
  WHERE u.key_id IS NOT NULL AND u.bucket_start >= $since AND u.bucket_start < $until),
parts AS (
  SELECT
    s.*,
    CASE WHEN s.hour_write BETWEEN 0 AND s.cache_write THEN s.hour_write ELSE 0 END AS written_hour,
    CASE WHEN s.hour_write BETWEEN 0 AND s.cache_write THEN s.cache_write - s.hour_write ELSE s.cache_write END AS written,
    CASE
      WHEN s.uncached BETWEEN 0 AND 100000000000 AND s.cache_read BETWEEN 0 AND 100000000000
        AND s.cache_write BETWEEN 0 AND 100000000000 AND s.output_tokens BETWEEN 0 AND 100000000000 THEN 1
      ELSE 0
    END AS plausible
  FROM used AS s),
priced AS (
  SELECT
    s.*, p.currency, p.table_name, p.as_of, p.table_sha256,
    CASE WHEN s.plausible = 1 AND p.input_price IS NOT NULL
      THEN CAST(s.uncached AS DECIMAL(18, 0)) * CAST(p.input_price AS DECIMAL(18, 12)) ELSE 0 END
    + CASE WHEN s.plausible = 1 AND p.cache_read_price IS NOT NULL
      THEN CAST(s.cache_read AS DECIMAL(18, 0)) * CAST(p.cache_read_price AS DECIMAL(18, 12)) ELSE 0 END
    + CASE WHEN s.plausible = 1 AND p.cache_write_price IS NOT NULL
      THEN CAST(s.written AS DECIMAL(18, 0)) * CAST(p.cache_write_price AS DECIMAL(18, 12)) ELSE 0 END
    + CASE WHEN s.plausible = 1 AND p.cache_write_1h_price IS NOT NULL
      THEN CAST(s.written_hour AS DECIMAL(18, 0)) * CAST(p.cache_write_1h_price AS DECIMAL(18, 12)) ELSE 0 END
    + CASE WHEN s.plausible = 1 AND p.output_price IS NOT NULL
      THEN CAST(s.output_tokens AS DECIMAL(18, 0)) * CAST(p.output_price AS DECIMAL(18, 12)) ELSE 0 END AS amount,
    CASE WHEN s.plausible = 0 THEN 0 ELSE
      CASE WHEN p.input_price IS NULL THEN s.uncached ELSE 0 END
      + CASE WHEN p.cache_read_price IS NULL THEN s.cache_read ELSE 0 END
      + CASE WHEN p.cache_write_price IS NULL THEN s.written ELSE 0 END
      + CASE WHEN p.cache_write_1h_price IS NULL THEN s.written_hour ELSE 0 END
      + CASE WHEN p.output_price IS NULL THEN s.output_tokens ELSE 0 END
    END AS left_over
  FROM parts AS s
  LEFT JOIN model_price AS p
    ON p.provider = s.provider AND p.model = s.model AND p.service = s.service AND p.above_tokens = 0
      AND s.bucket_start >= p.valid_from AND s.bucket_start < p.valid_until)
SELECT
  provider, owner, key_id, granularity_s, date_trunc('day', bucket_start) AS period_start, currency, table_name, as_of,
  table_sha256, max(bucket_end) AS last_bucket_end,
  CAST(sum(amount) AS DECIMAL(38, 12)) AS amount,
  -- A sum of BIGINT came out cut to one byte here by DuckDB 2.0.0 when model_price is empty.
  CAST(sum(left_over) AS DECIMAL(38, 0)) AS unpriced_tokens,
  count(*) FILTER (WHERE plausible = 0) AS implausible_rows,
  min(CASE WHEN left_over > 0 OR plausible = 0 THEN coalesce(model, 'a model that the export does not name') || ' (' || service || ')' END) AS unpriced_model,
  CAST(sum(untold) AS BIGINT) AS untold_rows,
  min(event_key) AS event_key, min(source_id) AS source_id, min(grouped_by) AS grouped_by
FROM priced
GROUP BY provider, owner, key_id, granularity_s, date_trunc('day', bucket_start), currency, table_name, as_of, table_sha256
ORDER BY provider NULLS LAST, owner NULLS LAST, key_id NULLS LAST, granularity_s NULLS LAST, period_start NULLS LAST, currency NULLS LAST, table_sha256 NULLS LAST, as_of NULLS LAST, table_name NULLS LAST, min(event_key)
