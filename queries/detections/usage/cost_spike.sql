-- ---
-- id = "usage.cost_spike"
-- kind = "detection"
-- title = "The daily costs of an AI key or project rose far above their habit"
-- severity = "high"
-- confidence = "medium"
-- sources = ["openai_costs", "anthropic_cost"]
-- needs = ["costs"]
-- attack = ["T1496.004", "T1657"]
-- attack_v19 = ["T1496.004", "T1657"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "Billed costs of a day per key, or per project, workspace or organisation where the export names no key, compared with the median and the median deviation of the last 28 covered days before the end of the baseline. Covered days without costs count as zero from the first cost on. Payers without enough baseline are shown only above an absolute limit, with baseline_state none."
-- misses = "Abuse that costs little. Corrections booked later. Several keys behind one project."
-- false_positives = ["Month-end jobs", "A price change", "A launch"]
-- next_steps = ["Split the day by model and line item", "Compare with the usage of the keys behind the payer", "Ask the customer"]
-- references = ["https://platform.openai.com/docs/api-reference/usage/costs", "https://platform.claude.com/docs/en/api/admin/cost_report/retrieve"]
--
-- [params]
-- min_amount = { type = "integer", doc = "Least costs of the day, in whole units of the currency", default = 20 }
-- min_z_thousandths = { type = "integer", doc = "Least robust z score, in thousandths", default = 5000 }
-- min_times_median = { type = "integer", doc = "Least multiple of the median", default = 2 }
-- baseline_window_days = { type = "integer", doc = "Days before the end of the baseline that are compared", default = 28 }
-- min_baseline_days = { type = "integer", doc = "Days of baseline a payer must have", default = 7 }
-- absolute_amount = { type = "integer", doc = "Costs of a day that are shown without a baseline, in whole units", default = 500 }
-- ---
WITH billed AS (
  SELECT
    event_key,
    period_start,
    period_end,
    epoch_ms(period_start) // 86400000 AS day,
    provider || '|' || coalesce(owner, '') || '|' || coalesce(organisation, '') AS holder,
    CASE
      WHEN key_id IS NOT NULL THEN 'key'
      WHEN project_id IS NOT NULL THEN 'project'
      WHEN workspace_id IS NOT NULL THEN 'workspace'
      ELSE 'organisation'
    END AS scope,
    coalesce(key_id, project_id, workspace_id, organisation, '') AS payer,
    coalesce(currency, '') AS currency,
    -- whole ten-thousandths of the currency's unit
    CAST(CAST(amount AS DECIMAL(22, 4)) * CAST(10000 AS DECIMAL(6, 0)) AS BIGINT) AS amount_e4
  -- Of each day in one grouping: exports grouped in different ways hold the same costs twice.
  FROM ai_cost_current
),
costs AS (
  SELECT event_key, period_start, period_end, day, holder, scope, payer, currency, amount_e4,
    holder || '|' || scope || '|' || payer || '|' || currency AS subject
  FROM billed
),
day_sums AS (
  SELECT subject, holder, day, CAST(sum(amount_e4) AS BIGINT) AS amount_e4, max(period_end) AS day_end,
    min(period_start) AS day_start
  FROM costs
  GROUP BY subject, holder, day
),
first_costs AS (
  SELECT subject, min(holder) AS holder, min(day) AS first_day FROM day_sums GROUP BY subject
),
cut AS (
  SELECT epoch_ms(CAST($baseline_until AS TIMESTAMP)) // 86400000 AS day
),
baseline_days AS (
  SELECT f.subject, c.unit AS day
  FROM first_costs AS f
  JOIN covered_unit AS c ON c.holder = f.holder AND c.kind = 'costs' AND c.width_s = 86400 AND c.unit >= f.first_day
  CROSS JOIN cut AS e
  WHERE c.unit < e.day AND c.unit >= e.day - $baseline_window_days
  UNION
  SELECT s.subject, s.day
  FROM day_sums AS s
  CROSS JOIN cut AS e
  WHERE s.day_end <= $baseline_until AND s.day >= e.day - $baseline_window_days
),
baseline_amounts AS (
  SELECT b.subject, b.day, coalesce(s.amount_e4, 0) AS amount_e4
  FROM baseline_days AS b
  LEFT JOIN day_sums AS s ON s.subject = b.subject AND s.day = b.day
),
sizes AS (
  SELECT subject, count(*) AS days FROM baseline_amounts GROUP BY subject
),
level_ranks AS (
  SELECT w.subject, w.amount_e4, w.days_here, z.days,
    CAST(sum(w.days_here) OVER (
      PARTITION BY w.subject ORDER BY w.amount_e4 NULLS LAST RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS BIGINT) AS days_up_to
  FROM (
    SELECT subject, amount_e4, count(*) AS days_here FROM baseline_amounts GROUP BY subject, amount_e4
  ) AS w
  JOIN sizes AS z ON z.subject = w.subject
),
-- Twice the median, so that it stays a whole number.
medians AS (
  SELECT subject, days,
    min(CASE WHEN days_up_to >= (days + 1) // 2 THEN amount_e4 END)
      + min(CASE WHEN days_up_to >= (days + 2) // 2 THEN amount_e4 END) AS median_2
  FROM level_ranks
  GROUP BY subject, days
),
deviation_ranks AS (
  SELECT w.subject, w.days, w.deviation_2,
    CAST(sum(w.days_here) OVER (
      PARTITION BY w.subject ORDER BY w.deviation_2 NULLS LAST RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS BIGINT) AS days_up_to
  FROM (
    SELECT r.subject, r.days, abs(2 * r.amount_e4 - m.median_2) AS deviation_2, CAST(sum(r.days_here) AS BIGINT) AS days_here
    FROM level_ranks AS r
    JOIN medians AS m ON m.subject = r.subject
    GROUP BY r.subject, r.days, abs(2 * r.amount_e4 - m.median_2)
  ) AS w
),
-- Four times the median absolute deviation.
deviations AS (
  SELECT subject,
    min(CASE WHEN days_up_to >= (days + 1) // 2 THEN deviation_2 END)
      + min(CASE WHEN days_up_to >= (days + 2) // 2 THEN deviation_2 END) AS mad_4
  FROM deviation_ranks
  GROUP BY subject
),
scored_days AS (
  SELECT
    s.subject,
    s.day,
    s.amount_e4,
    coalesce(m.days, 0) >= $min_baseline_days AS has_baseline,
    coalesce(m.median_2, 0) AS median_2,
    -- 0.6745 * (x - median) / max(MAD, median / 10, one unit), in thousandths
    6745 * (2 * s.amount_e4 - coalesce(m.median_2, 0))
      // (5 * greatest(coalesce(d.mad_4, 0), coalesce(m.median_2, 0) // 5, 40000)) AS z_thousandths
  FROM day_sums AS s
  LEFT JOIN medians AS m ON m.subject = s.subject
  LEFT JOIN deviations AS d ON d.subject = s.subject
  WHERE s.day_start >= $baseline_until
),
spikes AS (
  SELECT subject, day, amount_e4, has_baseline, median_2, z_thousandths
  FROM scored_days
  WHERE (has_baseline AND amount_e4 >= $min_amount * 10000 AND z_thousandths >= $min_z_thousandths
         AND 2 * amount_e4 >= $min_times_median * median_2)
     OR (NOT has_baseline AND amount_e4 >= $absolute_amount * 10000)
)
SELECT
  c.subject AS finding_key,
  u.period_start AS event_time,
  c.payer AS actor,
  u.provider || ':cost' AS action,
  coalesce(u.model, u.line_item) AS resource,
  CAST(NULL AS VARCHAR) AS source_ip,
  u.key_id AS credential_id,
  u.organisation AS account_id,
  CAST(NULL AS VARCHAR) AS region,
  'success' AS outcome,
  u.event_key,
  u.evidence,
  CASE WHEN s.has_baseline THEN 'sufficient' ELSE 'none' END AS baseline_state,
  c.scope AS payer_scope,
  u.amount,
  c.currency,
  s.amount_e4 AS day_amount_ten_thousandths,
  s.median_2 AS doubled_median_ten_thousandths,
  s.z_thousandths
FROM spikes AS s
JOIN costs AS c ON c.subject = s.subject AND c.day = s.day
JOIN ai_cost_current AS u ON u.event_key = c.event_key
WHERE u.period_start >= $since
  AND u.period_start < $until
ORDER BY u.period_start NULLS LAST, u.event_key
