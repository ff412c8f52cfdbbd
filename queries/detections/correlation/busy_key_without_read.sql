-- ---
-- id = "correlation.busy_key_without_read"
-- kind = "detection"
-- title = "A key was used far more than ever, and no stranger is seen to have read it"
-- severity = "high"
-- confidence = "low"
-- sources = ["openai_usage", "anthropic_usage"]
-- needs = ["key_inventory", "usage_by_key", "aws_events"]
-- attack = ["T1552"]
-- attack_v19 = ["T1552"]
-- attack_version = "18.1"
-- atlas = ["AML.T0055"]
-- baseline_days = 7
-- description = "A key of the inventory was used in an hour (or day) at least times_most times as much as in the busiest one of the baseline, and not below the least number of requests or tokens, while the logs show no read of its place by a principal new to it before. Either the key leaked elsewhere, or the logs of its place are incomplete: keytrail coverage names their gaps. place_logged tells whether any read of the place is in the logs at all. A key without a baseline of its own is left to usage.volume_spike."
-- misses = "Misuse within the usual amount. Keys that are not in the inventory."
-- false_positives = ["A launch of the customer", "A read by a usual reader whose credential was stolen"]
-- next_steps = ["Ask the customer whether the use is theirs", "Look for gaps of the logs and for other places where the key lay", "Ask where else the customer kept the key"]
-- references = ["https://platform.openai.com/docs/api-reference/usage", "https://platform.claude.com/docs/en/api/admin/usage_report/retrieve_messages"]
--
-- [params]
-- times_most = { type = "integer", doc = "Least multiple of the busiest hour or day of the baseline", default = 10 }
-- min_requests = { type = "integer", doc = "Least number of requests of the hour or day", default = 50 }
-- min_tokens = { type = "integer", doc = "Least number of tokens of the hour or day", default = 100000 }
-- min_baseline_days = { type = "integer", doc = "Days with use that the key must have in the baseline", default = 7 }
-- ---
WITH known_readers AS (
  SELECT DISTINCT key_ref, reader FROM key_read WHERE event_time < $baseline_until
),
exposures AS (
  SELECT r.key_ref, min(r.event_epoch) AS read_epoch
  FROM key_read AS r
  LEFT JOIN known_readers AS k ON k.key_ref = r.key_ref AND k.reader = r.reader
  WHERE k.reader IS NULL
  GROUP BY r.key_ref
),
logged AS (
  SELECT DISTINCT key_ref FROM key_read
),
inventoried AS (
  SELECT DISTINCT key_provider || '|' || key_id AS key_ref FROM ai_key_standing
),
uses AS (
  SELECT u.event_key, u.subject, i.key_ref, u.start_epoch // u.unit_s AS unit, u.bucket_end, u.bucket_start,
    u.start_epoch // 86400 AS day, coalesce(u.requests, 0) AS requests, u.tokens
  FROM key_usage AS u
  JOIN inventoried AS i ON i.key_ref = u.provider || '|' || u.key_id
),
units AS (
  SELECT subject, unit, max(bucket_end) AS unit_end, min(bucket_start) AS unit_start, min(day) AS day,
    CAST(sum(requests) AS BIGINT) AS requests, CAST(sum(tokens) AS BIGINT) AS tokens
  FROM uses
  WHERE requests + tokens > 0
  GROUP BY subject, unit
),
habits AS (
  SELECT subject, max(requests) AS requests, max(tokens) AS tokens, count(DISTINCT day) AS days
  FROM units
  WHERE unit_end <= $baseline_until
  GROUP BY subject
),
busy_units AS (
  SELECT u.subject, u.unit, h.requests AS most_requests, h.tokens AS most_tokens, u.requests, u.tokens
  FROM units AS u
  JOIN habits AS h ON h.subject = u.subject
  WHERE u.unit_start >= $baseline_until
    AND h.days >= $min_baseline_days
    AND ((u.requests >= $min_requests AND u.requests >= $times_most * h.requests)
      OR (u.tokens >= $min_tokens AND u.tokens >= $times_most * h.tokens))
)
SELECT
  b.subject AS finding_key,
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
  l.key_ref IS NOT NULL AS place_logged,
  b.requests,
  b.tokens,
  b.most_requests,
  b.most_tokens
FROM busy_units AS b
JOIN uses AS s ON s.subject = b.subject AND s.unit = b.unit
JOIN ai_usage_current AS u ON u.event_key = s.event_key
LEFT JOIN exposures AS x ON x.key_ref = s.key_ref
LEFT JOIN logged AS l ON l.key_ref = s.key_ref
WHERE coalesce(x.read_epoch > epoch_ms(u.bucket_start) // 1000, TRUE)
  AND u.bucket_start >= $since
  AND u.bucket_start < $until
ORDER BY u.bucket_start NULLS LAST, u.event_key
