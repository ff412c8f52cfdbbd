-- ---
-- id = "usage.off_hours_shift"
-- kind = "detection"
-- title = "An AI key was used at hours when it used to be idle"
-- severity = "medium"
-- confidence = "low"
-- sources = ["openai_usage", "anthropic_usage"]
-- needs = ["usage_by_key"]
-- attack = ["T1496.004"]
-- attack_v19 = ["T1496.004"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "On one day (UTC) a large share of the tokens of a key falls into hours of the day that held little of its baseline. The usual hours are the busiest ones that together hold 95 of 100 baseline tokens. Needs hourly or finer buckets and enough active days; keys without them give no row. Refused requests are not in usage exports."
-- misses = "Keys in use around the clock, and abuse during the usual hours. Daily exports."
-- false_positives = ["Customers in a new time zone", "A nightly job", "The change to or from summer time"]
-- next_steps = ["Ask the customer for scheduled jobs", "Look for a volume spike or a new model at the same hours", "Compare with the time of the exposure"]
-- references = ["https://platform.openai.com/docs/api-reference/usage", "https://platform.claude.com/docs/en/api/admin/usage_report/retrieve_messages"]
--
-- [params]
-- usual_percent = { type = "integer", doc = "Share of the baseline that the usual hours hold, in percent", default = 95 }
-- min_off_percent = { type = "integer", doc = "Least share of the day outside the usual hours, in percent", default = 40 }
-- min_requests = { type = "integer", doc = "Least number of requests on the day", default = 50 }
-- min_tokens = { type = "integer", doc = "Least number of tokens on the day", default = 100000 }
-- min_baseline_days = { type = "integer", doc = "Days on which the key must have been used in the baseline", default = 7 }
-- ---
WITH hourly_usage AS (
  SELECT event_key, subject, bucket_start, bucket_end, start_epoch // 86400 AS day, start_epoch // 3600 % 24 AS hour,
    requests, tokens
  FROM key_usage
  WHERE granularity_s <= 3600
    AND (coalesce(requests, 0) > 0 OR tokens > 0)
),
baselines AS (
  SELECT subject, count(DISTINCT day) AS active_days, CAST(sum(tokens) AS BIGINT) AS tokens
  FROM hourly_usage
  WHERE bucket_end <= $baseline_until
  GROUP BY subject
),
hour_tokens AS (
  SELECT subject, hour, CAST(sum(tokens) AS BIGINT) AS tokens, min(event_key) AS first_event_key
  FROM hourly_usage
  WHERE bucket_end <= $baseline_until
  GROUP BY subject, hour
),
hour_ranks AS (
  SELECT subject, hour, tokens,
    CAST(sum(tokens) OVER (
      PARTITION BY subject ORDER BY tokens DESC NULLS LAST, hour NULLS LAST, first_event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS BIGINT) AS tokens_up_to
  FROM hour_tokens
),
usual_hours AS (
  SELECT r.subject, r.hour
  FROM hour_ranks AS r
  JOIN baselines AS b ON b.subject = r.subject
  WHERE 100 * (r.tokens_up_to - r.tokens) < $usual_percent * b.tokens
),
judged_usage AS (
  SELECT h.event_key, h.subject, h.day, h.hour, h.requests, h.tokens, u.hour IS NULL AS off_hours
  FROM hourly_usage AS h
  JOIN baselines AS b ON b.subject = h.subject
  LEFT JOIN usual_hours AS u ON u.subject = h.subject AND u.hour = h.hour
  WHERE b.active_days >= $min_baseline_days
    AND h.bucket_start >= $baseline_until
    AND h.bucket_start >= $since
    AND h.bucket_start < $until
),
shifted_days AS (
  SELECT subject, day,
    CAST(sum(tokens) AS BIGINT) AS day_tokens,
    CAST(sum(CASE WHEN off_hours THEN tokens ELSE 0 END) AS BIGINT) AS off_tokens
  FROM judged_usage
  GROUP BY subject, day
  HAVING (CAST(sum(coalesce(requests, 0)) AS BIGINT) >= $min_requests OR CAST(sum(tokens) AS BIGINT) >= $min_tokens)
    AND CAST(sum(tokens) AS BIGINT) > 0
    AND 100 * CAST(sum(CASE WHEN off_hours THEN tokens ELSE 0 END) AS BIGINT) >= $min_off_percent * CAST(sum(tokens) AS BIGINT)
)
SELECT
  j.subject || '|' || strftime(u.bucket_start, '%Y-%m-%d') AS finding_key,
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
  j.hour AS hour_of_day,
  d.off_tokens,
  d.day_tokens,
  100 * d.off_tokens // d.day_tokens AS off_percent
FROM judged_usage AS j
JOIN shifted_days AS d ON d.subject = j.subject AND d.day = j.day
JOIN ai_usage_current AS u ON u.event_key = j.event_key
WHERE j.off_hours
ORDER BY u.bucket_start NULLS LAST, u.event_key
