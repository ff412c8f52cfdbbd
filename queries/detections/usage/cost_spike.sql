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
WITH scored_days AS (
  SELECT subject, unit AS day, amount AS amount_e4, median_2,
    baseline_units >= $min_baseline_days AS has_baseline,
    -- 0.6745 * (x - median) / max(spread, one unit of the currency), in thousandths
    6745 * (2 * amount - median_2) // (5 * greatest(spread_4, 40000)) AS z_thousandths
  FROM amount_level
  WHERE series = 'costs' AND season = 3 AND unit_start >= $baseline_until
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
  c.period_start AS event_time,
  c.payer AS actor,
  c.provider || ':cost' AS action,
  coalesce(c.model, c.line_item) AS resource,
  CAST(NULL AS VARCHAR) AS source_ip,
  c.key_id AS credential_id,
  c.organisation AS account_id,
  CAST(NULL AS VARCHAR) AS region,
  'success' AS outcome,
  c.event_key,
  c.evidence,
  CASE WHEN s.has_baseline THEN 'sufficient' ELSE 'none' END AS baseline_state,
  c.scope AS payer_scope,
  c.amount,
  c.currency,
  s.amount_e4 AS day_amount_ten_thousandths,
  s.median_2 AS doubled_median_ten_thousandths,
  s.z_thousandths
FROM spikes AS s
JOIN payer_cost AS c ON c.subject = s.subject AND c.day = s.day
WHERE c.period_start >= $since
  AND c.period_start < $until
ORDER BY c.period_start NULLS LAST, c.event_key
