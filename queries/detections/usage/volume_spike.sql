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
WITH levels AS (
  -- In the season most like the unit that has enough samples; without any, beside nothing.
  SELECT subject, unit, measure, amount, median_2, spread_4,
    baseline_units * unit_s // 86400 >= $min_baseline_days AS has_baseline,
    CASE measure WHEN 'requests' THEN $min_requests ELSE $min_tokens END AS least,
    CASE measure WHEN 'requests' THEN $absolute_requests ELSE $absolute_tokens END AS absolute_limit
  FROM amount_level
  WHERE series = 'usage' AND unit_start >= $baseline_until
    AND samples >= $min_samples AND better_samples < $min_samples
),
scores AS (
  SELECT subject, unit, measure, amount, has_baseline, median_2, least, absolute_limit,
    -- 0.6745 * (x - median) / max(spread, a tenth of the least amount), in thousandths
    6745 * (2 * amount - median_2) // (5 * greatest(spread_4, 4 * (least // 10))) AS z_thousandths
  FROM levels
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
