-- ---
-- id = "summary.usage_by_key_day"
-- kind = "summary"
-- title = "Usage and billed costs of every AI key by day"
-- sources = ["openai_usage", "anthropic_usage", "openai_costs", "anthropic_cost"]
-- description = "One row a provider, owner, organisation, key and UTC day, and currency where costs name the key. Of exports that overlap only one bucket width and one grouping counts, so that nothing is added twice. Requests are NULL where the provider counts none; costs are NULL where no export names the key's costs of that day."
-- ---
WITH keyed_usage AS (
  SELECT
    event_key,
    bucket_start,
    bucket_end,
    epoch_ms(bucket_start) // 1000 AS start_epoch,
    granularity_s,
    provider || '|' || coalesce(owner, '') || '|' || coalesce(organisation, '') AS holder,
    provider || '|' || coalesce(owner, '') || '|' || coalesce(organisation, '') || '|' || key_id AS subject,
    coalesce(endpoint, '') AS endpoint,
    coalesce(grouped_by, '') AS grouped_by,
    provider,
    owner,
    organisation,
    key_id,
    model,
    requests,
    coalesce(input_tokens_total, 0) + coalesce(output_tokens, 0) AS tokens
  FROM ai_usage_current
  WHERE key_id IS NOT NULL
    AND bucket_start IS NOT NULL
    AND granularity_s > 0
),
-- One bucket width a key, the finest: an hourly and a daily export hold the same use twice.
finest AS (
  SELECT subject, min(granularity_s) AS granularity_s FROM keyed_usage GROUP BY subject
),
groupings AS (
  SELECT k.subject, k.endpoint, k.start_epoch, k.grouped_by, min(k.event_key) AS first_event_key
  FROM keyed_usage AS k
  JOIN finest AS f ON f.subject = k.subject AND f.granularity_s = k.granularity_s
  GROUP BY k.subject, k.endpoint, k.start_epoch, k.grouped_by
),
-- One grouping a bucket, the one with the most dimensions, for the same reason.
chosen_groupings AS (
  SELECT subject, endpoint, start_epoch, grouped_by
  FROM groupings
  QUALIFY row_number() OVER (
    PARTITION BY subject, endpoint, start_epoch
    ORDER BY length(grouped_by) DESC NULLS LAST, grouped_by NULLS LAST, first_event_key
  ) = 1
),
key_usage AS (
  SELECT k.event_key, k.bucket_start, k.bucket_end, k.start_epoch, k.granularity_s, k.holder, k.subject,
    k.provider, k.owner, k.organisation, k.key_id, k.model, k.requests, k.tokens,
    CASE WHEN k.granularity_s < 3600 THEN 3600 ELSE k.granularity_s END AS unit_s
  FROM keyed_usage AS k
  JOIN finest AS f ON f.subject = k.subject AND f.granularity_s = k.granularity_s
  JOIN chosen_groupings AS g
    ON g.subject = k.subject AND g.endpoint = k.endpoint AND g.start_epoch = k.start_epoch AND g.grouped_by = k.grouped_by
),
day_usage AS (
  SELECT
    subject,
    start_epoch // 86400 AS day,
    min(provider) AS provider,
    min(coalesce(owner, '')) AS owner,
    min(coalesce(organisation, '')) AS organisation,
    min(key_id) AS key_id,
    CAST(sum(requests) AS BIGINT) AS requests,
    CAST(sum(tokens) AS BIGINT) AS tokens,
    count(DISTINCT model) AS models,
    min(granularity_s) AS granularity_s,
    min(event_key) AS first_event_key
  FROM key_usage
  WHERE bucket_start >= $since
    AND bucket_start < $until
  GROUP BY subject, start_epoch // 86400
),
billed AS (
  SELECT
    event_key,
    epoch_ms(period_start) // 86400000 AS day,
    provider || '|' || coalesce(owner, '') || '|' || coalesce(organisation, '') AS holder,
    key_id,
    coalesce(grouped_by, '') AS grouped_by,
    coalesce(currency, '') AS currency,
    amount
  FROM ai_cost_current
  WHERE amount IS NOT NULL
    AND key_id IS NOT NULL
    AND period_start >= $since
    AND period_start < $until
),
cost_groupings AS (
  SELECT holder, day, grouped_by, min(event_key) AS first_event_key FROM billed GROUP BY holder, day, grouped_by
),
chosen_costs AS (
  SELECT holder, day, grouped_by
  FROM cost_groupings
  QUALIFY row_number() OVER (
    PARTITION BY holder, day
    ORDER BY length(grouped_by) DESC NULLS LAST, grouped_by NULLS LAST, first_event_key
  ) = 1
),
day_costs AS (
  SELECT b.holder || '|' || b.key_id AS subject, b.day, b.currency, CAST(sum(b.amount) AS DECIMAL(28, 12)) AS amount
  FROM billed AS b
  JOIN chosen_costs AS c ON c.holder = b.holder AND c.day = b.day AND c.grouped_by = b.grouped_by
  GROUP BY b.holder || '|' || b.key_id, b.day, b.currency
)
SELECT
  u.provider,
  u.owner,
  u.organisation,
  u.key_id,
  strftime(epoch_ms(u.day * 86400000), '%Y-%m-%d') AS day,
  u.requests,
  u.tokens,
  u.models,
  u.granularity_s,
  c.amount,
  c.currency,
  u.first_event_key
FROM day_usage AS u
LEFT JOIN day_costs AS c ON c.subject = u.subject AND c.day = u.day
ORDER BY u.provider NULLS LAST, u.owner NULLS LAST, u.organisation NULLS LAST, u.key_id NULLS LAST, u.day NULLS LAST,
  c.currency NULLS LAST, u.first_event_key
