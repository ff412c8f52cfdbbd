-- ---
-- id = "usage.key_used_around_the_clock"
-- kind = "detection"
-- title = "An AI key was used evenly all day, far above its usual hour"
-- severity = "medium"
-- confidence = "low"
-- sources = ["openai_usage", "anthropic_usage"]
-- needs = ["usage_by_key"]
-- attack = ["T1496.004"]
-- attack_v19 = ["T1496.004"]
-- attack_version = "18.1"
-- atlas = ["AML.T0034"]
-- baseline_days = 7
-- description = "On one day a key was used in at least min_hours hours, the hours differ little (coefficient of variation below max_variation hundredths), and the mean hour is at least times_mean times the mean hour with use in the baseline. Requests count, or thousands of tokens where the provider gives no requests. It is how a resold or automated key looks that runs at its limit. Only exports by the hour or finer show it."
-- misses = "Uneven misuse, and daily exports."
-- false_positives = ["A batch or a backfill", "A new service without days and nights"]
-- next_steps = ["Ask the customer for the job that ran", "Compare with the limits of the key", "Look at the day before and after"]
-- references = ["https://platform.openai.com/docs/api-reference/usage", "https://platform.claude.com/docs/en/api/admin/usage_report/retrieve_messages"]
--
-- [params]
-- min_hours = { type = "integer", doc = "Hours with use on the day", default = 12 }
-- max_variation = { type = "integer", doc = "Coefficient of variation below which hours are even, in hundredths", default = 15 }
-- times_mean = { type = "integer", doc = "Least multiple of the mean hour of the baseline", default = 3 }
-- min_baseline_days = { type = "integer", doc = "Days with use that the key must have in the baseline", default = 7 }
-- ---
WITH hours AS (
  SELECT subject, start_epoch // 3600 AS hour, start_epoch // 86400 AS day, max(bucket_end) AS hour_end, min(bucket_start) AS hour_start,
    CAST(sum(coalesce(requests, tokens // 1000)) AS BIGINT) AS amount
  FROM key_usage
  GROUP BY subject, start_epoch // 3600, start_epoch // 86400
),
habits AS (
  SELECT subject, count(*) AS hours, count(DISTINCT day) AS days, CAST(sum(amount) AS BIGINT) AS amount
  FROM hours
  WHERE amount > 0
    AND hour_end <= $baseline_until
  GROUP BY subject
),
days AS (
  SELECT subject, day, count(*) AS hours, CAST(sum(amount) AS BIGINT) AS amount, CAST(sum(amount * amount) AS BIGINT) AS squares
  FROM hours
  WHERE hour_start >= $baseline_until
  GROUP BY subject, day
),
even_days AS (
  SELECT d.subject, d.day, d.hours, d.amount, coalesce(h.days, 0) >= $min_baseline_days AS has_baseline
  FROM days AS d
  JOIN habits AS h ON h.subject = d.subject
  WHERE d.hours >= $min_hours
    -- The variance and the square of the mean, both times the square of the number of hours; divided first, so that
    -- large amounts do not overflow.
    AND (d.hours * d.squares - d.amount * d.amount) // ($max_variation * $max_variation) < d.amount * d.amount // 10000
    AND d.amount * h.hours >= $times_mean * h.amount * d.hours
)
SELECT
  k.subject || '|' || strftime(u.bucket_start, '%Y-%m-%d') AS finding_key,
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
  CASE WHEN d.has_baseline THEN 'sufficient' ELSE 'none' END AS baseline_state,
  d.hours AS used_hours,
  d.amount AS amount_of_day,
  u.requests
FROM even_days AS d
JOIN key_usage AS k ON k.subject = d.subject AND k.start_epoch // 86400 = d.day
JOIN ai_usage_current AS u ON u.event_key = k.event_key
WHERE u.bucket_start >= $since
  AND u.bucket_start < $until
ORDER BY u.bucket_start NULLS LAST, u.event_key
