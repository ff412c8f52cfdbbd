-- ---
-- id = "correlation.exposed_key_abused"
-- kind = "detection"
-- title = "A key that a stranger read was used in new ways afterwards"
-- severity = "critical"
-- confidence = "medium"
-- sources = ["openai_usage", "anthropic_usage"]
-- needs = ["key_inventory", "usage_by_key", "aws_events"]
-- attack = ["T1555.006", "T1496.004"]
-- attack_v19 = ["T1555.006", "T1496.004"]
-- attack_version = "18.1"
-- atlas = ["AML.T0055", "AML.T0040"]
-- baseline_days = 7
-- description = "A key of the inventory was read by a principal that did not read it in the baseline, and in buckets that begin after that read its use shows at least min_signs of three signs against the key's own use up to a day before the read: an hour (or day) of at least times_most times the busiest one, and not below the least number of requests or tokens; a model it never used; hours of the day in which it was never used. signs names how many and which; listed are the buckets that carry one. Statistical signs alone never prove misuse. A key with too few days of use before carries baseline_state none."
-- misses = "Misuse within the usual amount, model and hours. Exports that are not grouped by key. A bucket that the read falls into belongs to neither side."
-- false_positives = ["A launch after the day of the read", "A new model in the product"]
-- next_steps = ["Ask the customer whether the use is theirs", "Compare with what the gateway or the application logged", "Revoke the key"]
-- references = ["https://platform.openai.com/docs/api-reference/usage", "https://platform.claude.com/docs/en/api/admin/usage_report/retrieve_messages", "https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieve-ct-entries.html"]
--
-- [params]
-- min_signs = { type = "integer", doc = "Signs that the use after the read must show", default = 2 }
-- times_most = { type = "integer", doc = "Least multiple of the busiest hour or day before", default = 3 }
-- min_requests = { type = "integer", doc = "Least number of requests of a busy hour or day", default = 50 }
-- min_tokens = { type = "integer", doc = "Least number of tokens of a busy hour or day", default = 100000 }
-- min_baseline_days = { type = "integer", doc = "Days with use that the key must have before", default = 7 }
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
uses AS (
  SELECT u.event_key, u.subject, u.start_epoch // u.unit_s AS unit, u.model, u.requests, u.tokens, x.first_read,
    CASE
      WHEN epoch_ms(u.bucket_end) // 1000 <= x.read_epoch - 86400 THEN 'before'
      WHEN u.start_epoch >= x.read_epoch THEN 'after'
    END AS side,
    u.start_epoch // 86400 AS day,
    CASE WHEN u.unit_s < 86400 THEN u.start_epoch // 3600 % 24 END AS hour_of_day
  FROM key_usage AS u
  JOIN exposures AS x ON x.key_ref = u.provider || '|' || u.key_id
  WHERE coalesce(u.requests, 0) + u.tokens > 0
),
units AS (
  SELECT subject, unit, side, CAST(sum(coalesce(requests, 0)) AS BIGINT) AS requests, CAST(sum(tokens) AS BIGINT) AS tokens
  FROM uses
  GROUP BY subject, unit, side
),
most AS (
  SELECT subject, max(requests) AS requests, max(tokens) AS tokens FROM units WHERE side = 'before' GROUP BY subject
),
habits AS (
  SELECT subject, count(DISTINCT day) AS days FROM uses WHERE side = 'before' GROUP BY subject
),
known_models AS (
  SELECT DISTINCT subject, model FROM uses WHERE side = 'before'
),
known_hours AS (
  SELECT DISTINCT subject, hour_of_day FROM uses WHERE side = 'before'
),
busy_units AS (
  SELECT u.subject, u.unit
  FROM units AS u
  LEFT JOIN most AS m ON m.subject = u.subject
  WHERE ((u.requests >= $min_requests AND u.requests >= $times_most * coalesce(m.requests, 0))
      OR (u.tokens >= $min_tokens AND u.tokens >= $times_most * coalesce(m.tokens, 0)))
),
signs AS (
  SELECT
    u.event_key,
    u.subject,
    u.first_read,
    CASE WHEN b.subject IS NULL THEN 0 ELSE 1 END AS more,
    CASE WHEN k.subject IS NULL AND u.model IS NOT NULL THEN 1 ELSE 0 END AS new_model,
    CASE WHEN h.subject IS NULL AND u.hour_of_day IS NOT NULL THEN 1 ELSE 0 END AS new_hour
  FROM uses AS u
  LEFT JOIN busy_units AS b ON b.subject = u.subject AND b.unit = u.unit
  LEFT JOIN known_models AS k ON k.subject = u.subject AND k.model = u.model
  LEFT JOIN known_hours AS h ON h.subject = u.subject AND h.hour_of_day = u.hour_of_day
  WHERE u.side = 'after'
),
totals AS (
  SELECT subject, max(more) AS more, max(new_model) AS new_model, max(new_hour) AS new_hour FROM signs GROUP BY subject
)
SELECT
  s.subject AS finding_key,
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
  CASE WHEN coalesce(d.days, 0) >= $min_baseline_days THEN 'sufficient' ELSE 'none' END AS baseline_state,
  s.first_read,
  CASE WHEN t.more = 1 THEN 'amount ' ELSE '' END || CASE WHEN t.new_model = 1 THEN 'model ' ELSE '' END
    || CASE WHEN t.new_hour = 1 THEN 'hours' ELSE '' END AS signs,
  u.requests,
  coalesce(u.input_tokens_total, 0) + coalesce(u.output_tokens, 0) AS tokens
FROM signs AS s
JOIN totals AS t ON t.subject = s.subject
JOIN ai_usage_current AS u ON u.event_key = s.event_key
LEFT JOIN habits AS d ON d.subject = s.subject
WHERE t.more + t.new_model + t.new_hour >= $min_signs
  AND s.more + s.new_model + s.new_hour > 0
  AND u.bucket_start >= $since
  AND u.bucket_start < $until
ORDER BY u.bucket_start NULLS LAST, u.event_key
