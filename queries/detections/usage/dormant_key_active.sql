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
digits AS (
  SELECT d.n FROM (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) AS d(n)
),
numbers AS (
  SELECT CAST(a.n + 10 * b.n + 100 * c.n + 1000 * e.n AS BIGINT) AS n
  FROM digits AS a
  CROSS JOIN digits AS b
  CROSS JOIN digits AS c
  CROSS JOIN digits AS e
),
stretches AS (
  SELECT DISTINCT
    c.provider || '|' || coalesce(c.owner, '') || '|' || coalesce(c.organisation, '') AS holder,
    c.granularity_s,
    (epoch_ms(c.covered_from) // 1000 + 86399) // 86400 AS from_day,
    epoch_ms(c.covered_until) // 1000 // 86400 AS until_day
  FROM ai_coverage AS c
  WHERE c.granularity_s > 0 AND c.endpoint <> 'costs'
),
covered_days AS (
  SELECT DISTINCT s.holder, s.granularity_s, s.from_day + n.n AS day
  FROM stretches AS s
  CROSS JOIN numbers AS n
  WHERE s.from_day + n.n < s.until_day
),
subjects AS (
  SELECT DISTINCT subject, holder, granularity_s FROM key_usage
),
-- Before it was made a key cannot be silent.
makings AS (
  SELECT provider, target_key_id AS key_id, event_time AS made_at
  FROM ai_audit_event
  WHERE target_key_id IS NOT NULL
    AND replace(action, '.', '_') IN ('api_key_created', 'tenant_project_api_key_created', 'platform_api_key_created')
  UNION ALL
  SELECT key_provider AS provider, key_id, created_at AS made_at FROM ai_key WHERE key_id IS NOT NULL
),
made_keys AS (
  SELECT u.subject, max(epoch_ms(m.made_at) // 86400000) AS made_day
  FROM (SELECT DISTINCT subject, provider, key_id FROM key_usage) AS u
  JOIN makings AS m ON m.provider = u.provider AND m.key_id = u.key_id
  WHERE m.made_at IS NOT NULL
  GROUP BY u.subject
),
known_days AS (
  SELECT s.subject, c.day
  FROM subjects AS s
  JOIN covered_days AS c ON c.holder = s.holder AND c.granularity_s = s.granularity_s
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
revivals AS (
  SELECT e.subject, e.day, e.earlier_day IS NOT NULL AS seen_before,
    e.day - greatest(coalesce(e.earlier_day + 1, i.first_day), i.first_day, coalesce(m.made_day, i.first_day)) AS silent_days
  FROM earlier_uses AS e
  JOIN ranked_days AS r ON r.subject = e.subject AND r.day = e.day
  JOIN islands AS i ON i.subject = r.subject AND i.island = r.island
  LEFT JOIN made_keys AS m ON m.subject = e.subject
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
