-- ---
-- id = "summary.key_ledger"
-- kind = "summary"
-- title = "Every key of the inventory: its life, its reads, its use and its verdict"
-- sources = ["key_inventory"]
-- description = "One row a key and customer of the inventory: where it lies, when it was made, stored anew and revoked as stated or logged, its reads of any reader and its use in the window, and what keytrail exposure last said of it (empty before it ran). requests is NULL where the provider counts none."
-- ---
WITH keys AS (
  SELECT key_provider AS provider, coalesce(key_id, key_name, location) AS key, customer, min(kind) AS kind,
    min(location_raw) AS location, min(created_at) AS created_at, max(rotated_at) AS rotated_at, min(event_key) AS event_key
  FROM ai_key_standing
  GROUP BY key_provider, coalesce(key_id, key_name, location), customer
),
revocations AS (
  SELECT provider, target_key_id AS key, event_time AS revoked_at
  FROM ai_audit_event
  WHERE replace(action, '.', '_') IN ('api_key_deleted', 'tenant_project_api_key_deleted', 'tenant_admin_api_key_deleted',
      'admin_api_key_deleted', 'platform_api_key_deleted', 'service_key_revoked', 'scoped_api_key_deleted')
    OR (action = 'platform_api_key_updated'
      AND (coalesce(json_extract_string(details, '$.updates[0].current_value'), '') IN ('inactive', 'archived')
        OR coalesce(json_extract_string(details, '$.updates[1].current_value'), '') IN ('inactive', 'archived')))
  UNION ALL
  SELECT key_provider AS provider, coalesce(key_id, key_name, location) AS key, revoked_at FROM ai_key_standing
),
revoked AS (
  SELECT provider, key, max(revoked_at) AS revoked_at FROM revocations GROUP BY provider, key
),
reads AS (
  SELECT provider, key, count(DISTINCT event_key) AS reads, count(DISTINCT reader) AS readers, min(event_time) AS first_read,
    max(event_time) AS last_read
  FROM key_read
  WHERE event_time >= $since AND event_time < $until
  GROUP BY provider, key
),
uses AS (
  SELECT provider, key_id AS key, CAST(sum(requests) AS BIGINT) AS requests, CAST(sum(tokens) AS BIGINT) AS tokens,
    min(bucket_start) AS first_use, max(bucket_end) AS last_use
  FROM key_usage
  WHERE bucket_start >= $since AND bucket_start < $until
    AND (coalesce(requests, 0) > 0 OR tokens > 0)
  GROUP BY provider, key_id
)
SELECT
  k.customer,
  k.provider,
  k.key,
  k.kind,
  k.location,
  k.created_at,
  k.rotated_at AS stated_rotation,
  v.revoked_at,
  coalesce(r.reads, 0) AS reads,
  coalesce(r.readers, 0) AS readers,
  r.first_read,
  r.last_read,
  u.requests,
  coalesce(u.tokens, 0) AS tokens,
  u.first_use,
  u.last_use,
  w.exposure,
  w.abuse,
  w.verdict,
  k.event_key
FROM keys AS k
LEFT JOIN revoked AS v ON v.provider = k.provider AND v.key = k.key
LEFT JOIN reads AS r ON r.provider = k.provider AND r.key = k.key
LEFT JOIN uses AS u ON u.provider = k.provider AND u.key = k.key
LEFT JOIN verdict AS w ON w.provider = k.provider AND w.key_id = k.key AND w.customer = k.customer
ORDER BY k.customer NULLS LAST, k.provider NULLS LAST, k.key NULLS LAST, k.event_key
