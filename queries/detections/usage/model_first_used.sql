-- ---
-- id = "usage.model_first_used"
-- kind = "detection"
-- title = "An AI key used a model family it had never used"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["openai_usage", "anthropic_usage"]
-- needs = ["usage_by_key"]
-- attack = ["T1496.004"]
-- attack_v19 = ["T1496.004"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "Usage by a key of a model family that is not in its baseline; dates at the end of a model name are taken off first. Buckets that reach into the end of the baseline belong to neither side. Keys with too few active days carry baseline_state none, and only their first bucket with the family is listed. Refused requests are not in usage exports."
-- misses = "Abuse with a model the key uses anyway. Exports that are not grouped by model."
-- false_positives = ["A planned change of model", "A new feature"]
-- next_steps = ["Ask the customer whether they changed the model", "Price the usage of the new model", "Compare the first use with the time of the exposure"]
-- references = ["https://platform.openai.com/docs/api-reference/usage", "https://platform.claude.com/docs/en/api/admin/usage_report/retrieve_messages"]
--
-- [params]
-- min_baseline_days = { type = "integer", doc = "Days on which the key must have been used in the baseline", default = 7 }
-- ---
WITH families AS (
  SELECT event_key, subject, bucket_start, bucket_end, start_epoch, requests, tokens,
    regexp_replace(model, '(-[0-9]{4}-?[0-9]{2}-?[0-9]{2})?(-v[0-9]+)?(:[0-9]+)*$', '', 'g') AS family
  FROM key_usage
  WHERE model IS NOT NULL
    AND (coalesce(requests, 0) > 0 OR tokens > 0)
),
baselines AS (
  SELECT subject, count(DISTINCT start_epoch // 86400) AS active_days
  FROM families
  WHERE bucket_end <= $baseline_until
  GROUP BY subject
),
known_families AS (
  SELECT DISTINCT subject, family FROM families WHERE bucket_end <= $baseline_until
),
new_uses AS (
  SELECT f.event_key, f.subject, f.family, f.tokens,
    row_number() OVER (PARTITION BY f.subject, f.family ORDER BY f.start_epoch NULLS LAST, f.event_key) AS use_no
  FROM families AS f
  LEFT JOIN known_families AS k ON k.subject = f.subject AND k.family = f.family
  WHERE k.family IS NULL
    AND f.bucket_start >= $baseline_until
    AND f.bucket_start >= $since
    AND f.bucket_start < $until
)
SELECT
  f.subject || '|' || f.family AS finding_key,
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
  CASE WHEN coalesce(b.active_days, 0) >= $min_baseline_days THEN 'sufficient' ELSE 'none' END AS baseline_state,
  f.family AS model_family,
  u.requests,
  f.tokens
FROM new_uses AS f
JOIN ai_usage_current AS u ON u.event_key = f.event_key
LEFT JOIN baselines AS b ON b.subject = f.subject
WHERE f.use_no = 1
   OR coalesce(b.active_days, 0) >= $min_baseline_days
ORDER BY u.bucket_start NULLS LAST, u.event_key
