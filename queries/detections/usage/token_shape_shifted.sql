-- ---
-- id = "usage.token_shape_shifted"
-- kind = "detection"
-- title = "The requests to an AI key changed their shape"
-- severity = "medium"
-- confidence = "low"
-- sources = ["openai_usage", "anthropic_usage"]
-- needs = ["usage_by_key"]
-- attack = ["T1496.004"]
-- attack_v19 = ["T1496.004"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "On one day (UTC) at least min_measures of three measures of a key leave what its days of the baseline showed: output tokens for each input token, tokens for each request, and the share of input that was read from a cache. A measure leaves it when it is more than factor times its greatest or less than its least divided by factor on any day of the baseline; the share of the cache only when it falls, and only where every day of the baseline had at least min_cache_thousandths. All measures are in thousandths, rounded down. Days with little use count on neither side. Keys with too few days of baseline give no row. Refused requests are not in usage exports."
-- misses = "A small part of foreign requests among many ordinary ones: a measure is that of the whole day. A foreign use of the same shape. Exports without requests and without cached tokens leave fewer measures."
-- false_positives = ["A new prompt, model or feature of the application", "The cache was switched on or off", "A nightly job that ran for the first time"]
-- next_steps = ["Ask the customer for changes of the application on that day", "Look for a new model, a spike or new hours of the same key", "Compare with the time at which the key was read"]
-- references = ["https://platform.openai.com/docs/api-reference/usage", "https://platform.claude.com/docs/en/api/admin/usage_report/retrieve_messages"]
--
-- [params]
-- factor = { type = "integer", doc = "How many times the greatest or least of the baseline a measure must leave behind", default = 2 }
-- min_measures = { type = "integer", doc = "Measures that must leave the baseline on the same day", default = 2 }
-- min_cache_thousandths = { type = "integer", doc = "Least share of the cache on every day of the baseline, in thousandths", default = 200 }
-- min_tokens = { type = "integer", doc = "Least number of tokens on the day", default = 100000 }
-- min_baseline_tokens = { type = "integer", doc = "Least number of tokens on a day of the baseline for it to count", default = 1000 }
-- min_baseline_days = { type = "integer", doc = "Days of the baseline that must count", default = 7 }
-- ---
WITH days AS (
  SELECT
    k.subject,
    k.start_epoch // 86400 AS day,
    max(k.bucket_end) AS day_end,
    min(k.bucket_start) AS day_start,
    CAST(sum(coalesce(u.input_tokens_total, 0)) AS BIGINT) AS input_tokens,
    CAST(sum(coalesce(u.output_tokens, 0)) AS BIGINT) AS output_tokens,
    CAST(sum(coalesce(u.cache_read_tokens, 0)) AS BIGINT) AS cached_tokens,
    CAST(sum(k.requests) AS BIGINT) AS requests,
    CAST(sum(k.tokens) AS BIGINT) AS tokens
  FROM key_usage AS k
  JOIN ai_usage_current AS u ON u.event_key = k.event_key
  WHERE k.granularity_s <= 86400
  GROUP BY k.subject, k.start_epoch // 86400
),
measures AS (
  SELECT subject, day, day_start, day_end, tokens, 'output_per_input' AS measure, 1000 * output_tokens // nullif(input_tokens, 0) AS value FROM days
  UNION ALL
  SELECT subject, day, day_start, day_end, tokens, 'tokens_per_request' AS measure, 1000 * tokens // nullif(requests, 0) AS value FROM days
  UNION ALL
  SELECT subject, day, day_start, day_end, tokens, 'cache_share' AS measure, 1000 * cached_tokens // nullif(input_tokens, 0) AS value FROM days
),
habits AS (
  SELECT subject, measure, min(value) AS least_value, max(value) AS greatest_value
  FROM measures
  WHERE day_end <= $baseline_until
    AND tokens >= $min_baseline_tokens
  GROUP BY subject, measure
  HAVING count(value) >= $min_baseline_days
),
shifts AS (
  SELECT
    m.subject,
    m.day,
    m.measure,
    m.value,
    h.least_value,
    h.greatest_value
  FROM measures AS m
  JOIN habits AS h ON h.subject = m.subject AND h.measure = m.measure
  WHERE m.tokens >= $min_tokens
    AND m.day_start >= $baseline_until
    AND (($factor * m.value < h.least_value AND (m.measure <> 'cache_share' OR h.least_value >= $min_cache_thousandths))
      OR (m.value > $factor * h.greatest_value AND m.measure <> 'cache_share'))
),
shifted_days AS (
  SELECT
    subject,
    day,
    count(*) AS measures,
    max(CASE WHEN measure = 'output_per_input' THEN value END) AS output_per_input,
    max(CASE WHEN measure = 'output_per_input' THEN greatest_value END) AS greatest_output_per_input,
    max(CASE WHEN measure = 'output_per_input' THEN least_value END) AS least_output_per_input,
    max(CASE WHEN measure = 'tokens_per_request' THEN value END) AS tokens_per_request,
    max(CASE WHEN measure = 'tokens_per_request' THEN greatest_value END) AS greatest_tokens_per_request,
    max(CASE WHEN measure = 'tokens_per_request' THEN least_value END) AS least_tokens_per_request,
    max(CASE WHEN measure = 'cache_share' THEN value END) AS cache_share,
    max(CASE WHEN measure = 'cache_share' THEN least_value END) AS least_cache_share
  FROM shifts
  GROUP BY subject, day
  HAVING count(*) >= $min_measures
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
  s.measures,
  s.output_per_input,
  s.least_output_per_input,
  s.greatest_output_per_input,
  s.tokens_per_request,
  s.least_tokens_per_request,
  s.greatest_tokens_per_request,
  s.cache_share,
  s.least_cache_share
FROM shifted_days AS s
JOIN key_usage AS k ON k.subject = s.subject AND k.start_epoch // 86400 = s.day
JOIN ai_usage_current AS u ON u.event_key = k.event_key
WHERE k.tokens > 0
  AND u.bucket_start >= $since
  AND u.bucket_start < $until
ORDER BY u.bucket_start NULLS LAST, u.event_key
