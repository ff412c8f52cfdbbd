-- ---
-- id = "summary.usage_by_key_day"
-- kind = "summary"
-- title = "Usage and billed costs of every AI key by day"
-- sources = ["openai_usage", "anthropic_usage", "openai_costs", "anthropic_cost"]
-- description = "One row a provider, owner, organisation, key and UTC day, and currency where costs name the key. Of exports that overlap only one bucket width and one grouping counts, so that nothing is added twice. Requests are NULL where the provider counts none; costs are NULL where no export names the key's costs of that day."
-- ---
WITH day_usage AS (
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
