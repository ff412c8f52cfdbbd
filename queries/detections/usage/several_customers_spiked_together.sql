-- ---
-- id = "usage.several_customers_spiked_together"
-- kind = "detection"
-- title = "AI keys of several customers were used far more than before at the same time"
-- severity = "high"
-- confidence = "medium"
-- sources = ["openai_usage", "anthropic_usage"]
-- needs = ["usage_by_key"]
-- attack = ["T1496.004"]
-- attack_v19 = ["T1496.004"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "Keys of at least min_customers customers each reach, in the same or the next span of span_seconds (UTC), factor times the most tokens that the key used in any such span of its baseline. Only the first span of each rise counts. Customers have no common reason to rise together; one who holds the keys of them all has one. A customer is an owner of evidence and an organisation of a provider. Keys without enough days of baseline do not count. Usage exports count what was served; refused requests are not in them."
-- misses = "Abuse of one customer at a time. Abuse within the usual volume. Exports that are daily or not grouped by key."
-- false_positives = ["A model was released, or a provider recovered from an outage", "A season or an event that is common to the customers", "A change of the application that all of them use"]
-- next_steps = ["Compare the models that the keys used, and when each rise began and ended", "Look where the keys were stored together and who read them before", "Ask each customer whether the use is theirs", "Revoke the keys together"]
-- references = ["https://platform.openai.com/docs/api-reference/usage", "https://platform.claude.com/docs/en/api/admin/usage_report/retrieve_messages"]
--
-- [params]
-- span_seconds = { type = "integer", doc = "Length of a span", default = 21600 }
-- min_customers = { type = "integer", doc = "Customers with a rise in the same or the next span", default = 3 }
-- factor = { type = "integer", doc = "How many times the most of the baseline", default = 2 }
-- min_tokens = { type = "integer", doc = "Least number of tokens of a key in the span", default = 100000 }
-- min_baseline_days = { type = "integer", doc = "Days from the first use of the key, or of the logs, to the end of the baseline", default = 7 }
-- ---
WITH spans AS (
  SELECT subject, holder, start_epoch // $span_seconds AS span, max(bucket_end) AS span_end, min(bucket_start) AS span_start,
    CAST(sum(tokens) AS BIGINT) AS tokens
  FROM key_usage
  WHERE granularity_s <= 3600
  GROUP BY subject, holder, start_epoch // $span_seconds
),
-- Silence before the first use of a key is its habit too, where the export of the holder goes back.
histories AS (
  SELECT holder, min(span) AS first_span FROM spans GROUP BY holder
),
habits AS (
  SELECT s.subject, max(CASE WHEN s.span_end <= $baseline_until THEN s.tokens ELSE 0 END) AS most_tokens
  FROM spans AS s
  JOIN histories AS h ON h.holder = s.holder
  GROUP BY s.subject, h.first_span
  HAVING h.first_span * $span_seconds + 86400 * $min_baseline_days <= epoch_ms(CAST($baseline_until AS TIMESTAMP)) // 1000
),
rises AS (
  SELECT s.subject, s.holder, s.span, s.tokens, h.most_tokens
  FROM spans AS s
  JOIN habits AS h ON h.subject = s.subject
  WHERE s.span_start >= $baseline_until
    AND s.tokens >= $min_tokens
    AND s.tokens >= $factor * h.most_tokens
),
starts AS (
  SELECT r.subject, r.holder, r.span, r.tokens, r.most_tokens
  FROM rises AS r
  WHERE NOT EXISTS (SELECT 1 FROM rises AS b WHERE b.subject = r.subject AND b.span = r.span - 1)
),
-- Each start stands in its span and in the next one, so that neighbours meet.
meetings AS (
  SELECT holder, span AS meeting FROM starts
  UNION ALL
  SELECT holder, span + 1 AS meeting FROM starts
),
common_meetings AS (
  SELECT meeting, count(DISTINCT holder) AS customers
  FROM meetings
  GROUP BY meeting
  HAVING count(DISTINCT holder) >= $min_customers
),
common_starts AS (
  SELECT s.subject, s.span, s.tokens, s.most_tokens, max(c.customers) AS customers
  FROM starts AS s
  JOIN common_meetings AS c ON c.meeting = s.span OR c.meeting = s.span + 1
  GROUP BY s.subject, s.span, s.tokens, s.most_tokens
)
SELECT
  strftime(u.bucket_start, '%Y-%m-%d') AS finding_key,
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
  u.owner,
  c.customers,
  c.tokens AS span_tokens,
  c.most_tokens AS most_tokens_before
FROM common_starts AS c
JOIN key_usage AS k ON k.subject = c.subject AND k.start_epoch // $span_seconds = c.span
JOIN ai_usage_current AS u ON u.event_key = k.event_key
WHERE k.tokens > 0
  AND u.bucket_start >= $since
  AND u.bucket_start < $until
ORDER BY u.bucket_start NULLS LAST, u.event_key
