-- ---
-- id = "correlation.cost_after_exposure"
-- kind = "detection"
-- title = "A key that a stranger read cost more afterwards than before"
-- severity = "high"
-- confidence = "medium"
-- sources = ["openai_costs", "anthropic_cost"]
-- needs = ["key_inventory", "costs", "aws_events"]
-- attack = ["T1496.004", "T1657"]
-- attack_v19 = ["T1496.004", "T1657"]
-- attack_version = "18.1"
-- atlas = ["AML.T0034"]
-- baseline_days = 7
-- description = "A key of the inventory was read by a principal that did not read it in the baseline, and the provider billed it more on the days after that read than the days up to a day before it let expect. Three estimates stand side by side for each key and currency: low counts what lies above the 95th percentile of a day before, mid what lies above the median, high everything after the read. Found are keys whose mid estimate is at least min_excess whole units of the currency, with the bills of the days above the median. Amounts of different currencies are never added. A key with too few billed days before carries baseline_state none, and only its high estimate counts. The day of the read belongs to neither side."
-- misses = "Exports of costs that are not grouped by key, as Anthropic's are. Use that was not billed yet."
-- false_positives = ["Growth that began before the read: it raises mid and high", "Another price of the provider"]
-- next_steps = ["Compare with the usage of the key by model", "Ask the customer which part is theirs", "Give the estimates with their names, never one number"]
-- references = ["https://platform.openai.com/docs/api-reference/usage/costs", "https://platform.claude.com/docs/en/api/admin/cost_report/retrieve"]
--
-- [params]
-- min_excess = { type = "integer", doc = "Least excess in whole units of the currency", default = 20 }
-- min_baseline_days = { type = "integer", doc = "Billed days the key must have before the read", default = 7 }
-- ---
WITH known_readers AS (
  SELECT DISTINCT key_ref, reader FROM key_read WHERE event_time < $baseline_until
),
exposures AS (
  SELECT r.key_ref, min(r.event_epoch) AS read_epoch, min(r.event_time) AS first_read
  FROM key_read AS r
  LEFT JOIN known_readers AS k ON k.key_ref = r.key_ref AND k.reader = r.reader
  WHERE k.reader IS NULL
  GROUP BY r.key_ref
),
bills AS (
  SELECT
    c.event_key,
    c.period_start,
    c.provider || '|' || coalesce(c.owner, '') || '|' || coalesce(c.organisation, '') || '|' || c.key_id || '|'
      || coalesce(c.currency, '') AS subject,
    epoch_ms(c.period_start) // 86400000 AS day,
    c.amount,
    x.first_read,
    CASE
      WHEN epoch_ms(c.period_end) // 1000 <= x.read_epoch - 86400 THEN 'before'
      WHEN epoch_ms(c.period_start) // 1000 >= x.read_epoch THEN 'after'
    END AS side
  FROM ai_cost_current AS c
  JOIN exposures AS x ON x.key_ref = c.provider || '|' || c.key_id
),
days AS (
  SELECT subject, day, side, min(first_read) AS first_read, min(event_key) AS event_key, CAST(sum(amount) AS DECIMAL(28, 12)) AS amount
  FROM bills
  GROUP BY subject, day, side
),
ranked AS (
  SELECT
    subject,
    amount,
    row_number() OVER (PARTITION BY subject ORDER BY amount NULLS LAST, event_key) AS place,
    count(*) OVER (
      PARTITION BY subject ORDER BY amount NULLS LAST, event_key ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS days
  FROM days
  WHERE side = 'before'
),
-- Twice the median, so that nothing is divided.
habits AS (
  SELECT
    subject,
    max(days) AS days,
    min(CASE WHEN place >= (days + 1) // 2 THEN amount END) + min(CASE WHEN place >= (days + 2) // 2 THEN amount END) AS median_2,
    min(CASE WHEN 100 * place >= 95 * days THEN amount END) AS high_day
  FROM ranked
  GROUP BY subject
),
excesses AS (
  SELECT
    d.subject,
    d.day,
    d.first_read,
    coalesce(h.days, 0) >= $min_baseline_days AS has_baseline,
    d.amount AS high,
    CASE WHEN coalesce(h.days, 0) >= $min_baseline_days THEN greatest(d.amount - h.high_day, 0) END AS low,
    CASE
      WHEN coalesce(h.days, 0) >= $min_baseline_days
        THEN CAST(CAST(greatest(d.amount + d.amount - h.median_2, 0) AS DECIMAL(28, 12)) * CAST(0.5 AS DECIMAL(2, 1)) AS DECIMAL(28, 12))
    END AS mid
  FROM days AS d
  LEFT JOIN habits AS h ON h.subject = d.subject
  WHERE d.side = 'after'
),
totals AS (
  SELECT subject, CAST(sum(low) AS DECIMAL(28, 12)) AS low, CAST(sum(mid) AS DECIMAL(28, 12)) AS mid,
    CAST(sum(high) AS DECIMAL(28, 12)) AS high
  FROM excesses
  GROUP BY subject
)
SELECT
  x.subject AS finding_key,
  c.period_start AS event_time,
  c.key_id AS actor,
  c.provider || ':cost' AS action,
  coalesce(c.line_item, c.model) AS resource,
  CAST(NULL AS VARCHAR) AS source_ip,
  c.key_id AS credential_id,
  c.organisation AS account_id,
  CAST(NULL AS VARCHAR) AS region,
  'success' AS outcome,
  c.event_key,
  c.evidence,
  CASE WHEN x.has_baseline THEN 'sufficient' ELSE 'none' END AS baseline_state,
  x.first_read,
  c.amount,
  c.currency,
  t.low AS excess_low,
  t.mid AS excess_mid,
  t.high AS excess_high
FROM excesses AS x
JOIN totals AS t ON t.subject = x.subject
JOIN bills AS b ON b.subject = x.subject AND b.day = x.day AND b.side = 'after'
JOIN ai_cost_current AS c ON c.event_key = b.event_key
WHERE coalesce(t.mid, t.high) >= $min_excess
  AND coalesce(x.mid, x.high) > 0
  AND c.period_start >= $since
  AND c.period_start < $until
ORDER BY c.period_start NULLS LAST, c.event_key
