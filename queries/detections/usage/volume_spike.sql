-- ---
-- id = "usage.volume_spike"
-- kind = "detection"
-- title = "An AI key was used far more than before at that time"
-- severity = "high"
-- confidence = "medium"
-- sources = ["openai_usage", "anthropic_usage"]
-- needs = ["usage_by_key"]
-- attack = ["T1496.004"]
-- attack_v19 = ["T1496.004"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "Requests or tokens of a key in one hour (or day, where the export is daily), compared with the median and the median deviation of the same hour of the week before the end of the baseline; with too few such hours, of the same hour of the day, then of all hours. Covered hours without use count as zero from the first use of the key on, and never before the key was made, by an audit log or the inventory. Keys without enough baseline are shown only above an absolute limit, with baseline_state none. Usage exports count what was served; refused requests are not in them."
-- misses = "Abuse within the usual volume. Exports that are not grouped by key. Of exports in several bucket widths only the one that tells of most days is read."
-- false_positives = ["A product launch", "A load test or a backfill"]
-- next_steps = ["Ask the customer whether the traffic is theirs and compare with the logs of their own gateway", "Look at models and hours of the spike", "Revoke the key if nobody explains it"]
-- references = ["https://platform.openai.com/docs/api-reference/usage", "https://platform.claude.com/docs/en/api/admin/usage_report/retrieve_messages"]
--
-- [params]
-- min_requests = { type = "integer", doc = "Least number of requests in a bucket", default = 50 }
-- min_tokens = { type = "integer", doc = "Least number of tokens in a bucket", default = 100000 }
-- min_z_thousandths = { type = "integer", doc = "Least robust z score, in thousandths", default = 6000 }
-- min_times_median = { type = "integer", doc = "Least multiple of the median", default = 3 }
-- min_samples = { type = "integer", doc = "Baseline buckets a seasonal slot must have", default = 3 }
-- min_baseline_days = { type = "integer", doc = "Days of baseline a key must have", default = 7 }
-- absolute_requests = { type = "integer", doc = "Requests in a bucket that are shown without a baseline", default = 500 }
-- absolute_tokens = { type = "integer", doc = "Tokens in a bucket that are shown without a baseline", default = 1000000 }
-- ---
WITH unit_sums AS (
  SELECT subject, holder, granularity_s, unit_s, unit, unit_start, unit_end, requests, tokens FROM key_unit
),
amounts AS (
  SELECT subject, unit_s, unit, 'requests' AS measure, requests AS amount, unit_start, unit_end
  FROM unit_sums WHERE requests IS NOT NULL
  UNION ALL
  SELECT subject, unit_s, unit, 'tokens' AS measure, tokens AS amount, unit_start, unit_end FROM unit_sums
),
subjects AS (
  SELECT DISTINCT subject, holder, granularity_s, unit_s FROM unit_sums
),
first_uses AS (
  SELECT subject, min(unit) AS first_unit FROM unit_sums WHERE unit_end <= $baseline_until GROUP BY subject
),
-- A key that was made during the incident has no habit, and its silence before proves nothing.
baseline_units AS (
  SELECT s.subject, s.unit_s, c.unit
  FROM subjects AS s
  JOIN covered_unit AS c
    ON c.holder = s.holder AND c.kind = 'usage' AND c.granularity_s = s.granularity_s AND c.width_s = s.unit_s
  LEFT JOIN first_uses AS f ON f.subject = s.subject
  LEFT JOIN key_made AS m ON m.subject = s.subject
  WHERE (c.unit + 1) * s.unit_s <= epoch_ms(CAST($baseline_until AS TIMESTAMP)) // 1000
    AND c.unit >= coalesce(f.first_unit, c.unit)
    AND c.unit * s.unit_s >= coalesce(m.made_epoch, 0)
  UNION
  SELECT subject, unit_s, unit FROM unit_sums WHERE unit_end <= $baseline_until
),
histories AS (
  SELECT subject, count(*) * min(unit_s) // 86400 AS days FROM baseline_units GROUP BY subject
),
measures AS (
  SELECT DISTINCT subject, measure FROM amounts
),
baseline_amounts AS (
  SELECT b.subject, m.measure, b.unit_s, b.unit, coalesce(a.amount, 0) AS amount
  FROM baseline_units AS b
  JOIN measures AS m ON m.subject = b.subject
  LEFT JOIN amounts AS a ON a.subject = b.subject AND a.unit = b.unit AND a.measure = m.measure
),
-- Season 1: hour of the week (day of the week for daily buckets), 2: hour of the day, 3: any.
seasonal_amounts AS (
  SELECT subject, measure, 1 AS season, unit % (604800 // unit_s) AS slot, amount FROM baseline_amounts
  UNION ALL
  SELECT subject, measure, 2 AS season, unit % (86400 // unit_s) AS slot, amount FROM baseline_amounts WHERE unit_s <= 86400
  UNION ALL
  SELECT subject, measure, 3 AS season, 0 AS slot, amount FROM baseline_amounts
),
level_weights AS (
  SELECT subject, measure, season, slot, amount, count(*) AS units
  FROM seasonal_amounts
  GROUP BY subject, measure, season, slot, amount
),
slot_sizes AS (
  SELECT subject, measure, season, slot, CAST(sum(units) AS BIGINT) AS samples
  FROM level_weights
  GROUP BY subject, measure, season, slot
),
level_ranks AS (
  SELECT w.subject, w.measure, w.season, w.slot, w.amount, w.units, s.samples,
    CAST(sum(w.units) OVER (
      PARTITION BY w.subject, w.measure, w.season, w.slot ORDER BY w.amount NULLS LAST
      RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS BIGINT) AS units_up_to
  FROM level_weights AS w
  JOIN slot_sizes AS s
    ON s.subject = w.subject AND s.measure = w.measure AND s.season = w.season AND s.slot = w.slot
),
-- Twice the median, so that it stays a whole number.
medians AS (
  SELECT subject, measure, season, slot, samples,
    min(CASE WHEN units_up_to >= (samples + 1) // 2 THEN amount END)
      + min(CASE WHEN units_up_to >= (samples + 2) // 2 THEN amount END) AS median_2
  FROM level_ranks
  GROUP BY subject, measure, season, slot, samples
),
deviation_weights AS (
  SELECT r.subject, r.measure, r.season, r.slot, r.samples, abs(2 * r.amount - m.median_2) AS deviation_2,
    CAST(sum(r.units) AS BIGINT) AS units
  FROM level_ranks AS r
  JOIN medians AS m
    ON m.subject = r.subject AND m.measure = r.measure AND m.season = r.season AND m.slot = r.slot
  GROUP BY r.subject, r.measure, r.season, r.slot, r.samples, abs(2 * r.amount - m.median_2)
),
deviation_ranks AS (
  SELECT subject, measure, season, slot, samples, deviation_2,
    CAST(sum(units) OVER (
      PARTITION BY subject, measure, season, slot ORDER BY deviation_2 NULLS LAST
      RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS BIGINT) AS units_up_to
  FROM deviation_weights
),
-- Four times the median absolute deviation.
deviations AS (
  SELECT subject, measure, season, slot,
    min(CASE WHEN units_up_to >= (samples + 1) // 2 THEN deviation_2 END)
      + min(CASE WHEN units_up_to >= (samples + 2) // 2 THEN deviation_2 END) AS mad_4
  FROM deviation_ranks
  GROUP BY subject, measure, season, slot
),
habits AS (
  SELECT m.subject, m.measure, m.season, m.slot, m.median_2, d.mad_4
  FROM medians AS m
  JOIN deviations AS d
    ON d.subject = m.subject AND d.measure = m.measure AND d.season = m.season AND d.slot = m.slot
  WHERE m.samples >= $min_samples
),
window_amounts AS (
  SELECT
    a.subject,
    a.unit,
    a.measure,
    a.amount,
    coalesce(h.days, 0) >= $min_baseline_days AS has_baseline,
    coalesce(w.median_2, d.median_2, t.median_2, 0) AS median_2,
    coalesce(w.mad_4, d.mad_4, t.mad_4, 0) AS mad_4,
    CASE a.measure WHEN 'requests' THEN $min_requests ELSE $min_tokens END AS least,
    CASE a.measure WHEN 'requests' THEN $absolute_requests ELSE $absolute_tokens END AS absolute_limit
  FROM amounts AS a
  LEFT JOIN histories AS h ON h.subject = a.subject
  LEFT JOIN habits AS w
    ON w.subject = a.subject AND w.measure = a.measure AND w.season = 1 AND w.slot = a.unit % (604800 // a.unit_s)
  LEFT JOIN habits AS d
    ON d.subject = a.subject AND d.measure = a.measure AND d.season = 2
   AND d.slot = CASE WHEN a.unit_s <= 86400 THEN a.unit % (86400 // a.unit_s) ELSE -1 END
  LEFT JOIN habits AS t ON t.subject = a.subject AND t.measure = a.measure AND t.season = 3
  WHERE a.unit_start >= $baseline_until
),
scores AS (
  SELECT subject, unit, measure, amount, has_baseline, median_2, least, absolute_limit,
    -- 0.6745 * (x - median) / max(MAD, median / 10, a tenth of the least amount), in thousandths
    6745 * (2 * amount - median_2) // (5 * greatest(mad_4, median_2 // 5, 4 * (least // 10), 4)) AS z_thousandths
  FROM window_amounts
),
spikes AS (
  SELECT subject, unit, has_baseline,
    max(CASE WHEN measure = 'requests' THEN z_thousandths END) AS requests_z_thousandths,
    max(CASE WHEN measure = 'tokens' THEN z_thousandths END) AS tokens_z_thousandths,
    max(CASE WHEN measure = 'requests' THEN amount END) AS requests,
    max(CASE WHEN measure = 'tokens' THEN amount END) AS tokens,
    max(CASE WHEN measure = 'requests' THEN median_2 END) AS requests_doubled_median,
    max(CASE WHEN measure = 'tokens' THEN median_2 END) AS tokens_doubled_median
  FROM scores
  GROUP BY subject, unit, has_baseline
  HAVING max(CASE
    WHEN has_baseline AND amount >= least AND z_thousandths >= $min_z_thousandths AND 2 * amount >= $min_times_median * median_2
      THEN 1
    WHEN NOT has_baseline AND amount >= absolute_limit THEN 1
    ELSE 0
  END) = 1
)
SELECT
  k.subject AS finding_key,
  u.bucket_start AS event_time,
  u.key_id AS actor,
  u.provider || ':usage' AS action,
  u.model AS resource,
  CAST(NULL AS VARCHAR) AS source_ip,
  u.key_id AS credential_id,
  u.organisation AS account_id,
  CAST(NULL AS VARCHAR) AS region,
  'success' AS outcome,
  u.event_key,
  u.evidence,
  CASE WHEN s.has_baseline THEN 'sufficient' ELSE 'none' END AS baseline_state,
  s.requests,
  s.tokens,
  s.requests_z_thousandths,
  s.tokens_z_thousandths,
  s.requests_doubled_median,
  s.tokens_doubled_median
FROM spikes AS s
JOIN key_usage AS k ON k.subject = s.subject AND k.start_epoch // k.unit_s = s.unit
JOIN ai_usage_current AS u ON u.event_key = k.event_key
WHERE u.bucket_start >= $since
  AND u.bucket_start < $until
ORDER BY u.bucket_start NULLS LAST, u.event_key
