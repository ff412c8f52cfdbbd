-- ---
-- id = "usage.dormant_key_active"
-- kind = "detection"
-- title = "An AI key became active after weeks of proven silence"
-- severity = "high"
-- confidence = "medium"
-- sources = ["openai_usage", "anthropic_usage"]
-- needs = ["usage_by_key"]
-- attack = ["T1078.004", "T1496.004"]
-- attack_v19 = ["T1078.004", "T1496.004"]
-- attack_version = "18.1"
-- baseline_days = 30
-- description = "A key is used on a day after at least dormant_days days for which the exports prove that it was not used. Days that no export covers are unknown and never count as silence, nor do days before the key was made, by an audit log or the inventory. The usage of the first day is listed. Refused requests are not in usage exports."
-- misses = "Silences longer than the exports reach back, and silences with uncovered days. Keys used at least once a month."
-- false_positives = ["Staging keys", "Monthly jobs that are longer than a month apart"]
-- next_steps = ["Ask the customer whether the key is still in use and where it was kept", "Compare with the time of the exposure of the key", "Revoke the key"]
-- references = ["https://platform.openai.com/docs/api-reference/usage", "https://platform.claude.com/docs/en/api/admin/usage_report/retrieve_messages"]
--
-- [params]
-- dormant_days = { type = "integer", doc = "Days of silence that the exports must prove", default = 30 }
-- ---
WITH used_days AS (
  SELECT subject, start_epoch // 86400 AS day
  FROM key_usage
  WHERE coalesce(requests, 0) > 0 OR tokens > 0
  GROUP BY subject, start_epoch // 86400
),
subjects AS (
  SELECT DISTINCT subject, holder, granularity_s FROM key_usage
),
known_days AS (
  SELECT s.subject, c.unit AS day
  FROM subjects AS s
  JOIN covered_unit AS c
    ON c.holder = s.holder AND c.kind = 'usage' AND c.granularity_s = s.granularity_s AND c.width_s = 86400
  UNION
  SELECT subject, day FROM used_days
),
-- Known days without a hole between them share day minus rank.
ranked_days AS (
  SELECT subject, day,
    day - count(*) OVER (
      PARTITION BY subject ORDER BY day NULLS LAST RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS island
  FROM known_days
),
islands AS (
  SELECT subject, island, min(day) AS first_day FROM ranked_days GROUP BY subject, island
),
earlier_uses AS (
  SELECT subject, day,
    max(day) OVER (
      PARTITION BY subject ORDER BY day NULLS LAST RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS earlier_day
  FROM used_days
),
-- Before it was made a key cannot be silent.
revivals AS (
  SELECT e.subject, e.day, e.earlier_day IS NOT NULL AS seen_before,
    e.day - greatest(coalesce(e.earlier_day + 1, i.first_day), i.first_day, coalesce(m.made_epoch // 86400, i.first_day)) AS silent_days
  FROM earlier_uses AS e
  JOIN ranked_days AS r ON r.subject = e.subject AND r.day = e.day
  JOIN islands AS i ON i.subject = r.subject AND i.island = r.island
  LEFT JOIN key_made AS m ON m.subject = e.subject
)
SELECT
  r.subject || '|' || strftime(epoch_ms(r.day * 86400000), '%Y-%m-%d') AS finding_key,
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
  r.silent_days,
  r.seen_before,
  u.requests,
  k.tokens
FROM revivals AS r
JOIN key_usage AS k ON k.subject = r.subject AND k.start_epoch // 86400 = r.day
JOIN ai_usage_current AS u ON u.event_key = k.event_key
WHERE r.silent_days >= $dormant_days
  AND (coalesce(k.requests, 0) > 0 OR k.tokens > 0)
  AND u.bucket_start >= $since
  AND u.bucket_start < $until
ORDER BY u.bucket_start NULLS LAST, u.event_key
