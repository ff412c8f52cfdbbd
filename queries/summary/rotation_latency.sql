-- ---
-- id = "summary.rotation_latency"
-- kind = "summary"
-- title = "How long each exposed key stayed valid"
-- sources = ["key_inventory", "aws_cloudtrail"]
-- description = "One row a key of the inventory that a principal read who did not read it before the end of the baseline: first and last such read, when a new value was stored after the first, when the key was revoked after it, by the provider's log or the inventory, and the seconds in between. still_valid means that no revocation after the last read is known. effective is false where a stranger read the place again after the new value was stored: that value is exposed too."
-- ---
WITH known_readers AS (
  SELECT DISTINCT key_ref, reader FROM key_read WHERE event_time < $baseline_until
),
exposures AS (
  SELECT r.provider, r.key, min(r.customer) AS customer, min(r.event_time) AS first_read, max(r.event_time) AS last_read,
    min(r.event_key) AS event_key
  FROM key_read AS r
  LEFT JOIN known_readers AS k ON k.key_ref = r.key_ref AND k.reader = r.reader
  WHERE k.reader IS NULL
    AND r.event_time >= $since
    AND r.event_time < $until
  GROUP BY r.provider, r.key
),
places AS (
  SELECT DISTINCT key_provider AS provider, coalesce(key_id, key_name, location) AS key, location_kind, location FROM ai_key_standing
),
writes AS (
  SELECT p.provider, p.key, e.event_time AS stored_at
  FROM aws_event AS e
  JOIN aws_event_item AS i ON i.event_key = e.event_key AND i.kind IN ('secret', 'parameter')
  JOIN places AS p ON p.location = i.value AND p.location_kind = CASE i.kind WHEN 'parameter' THEN 'ssm' ELSE 'secret' END
  WHERE e.event_name_base IN ('PutSecretValue', 'RotateSecret', 'PutParameter')
    AND e.outcome = 'success'
  UNION ALL
  SELECT key_provider AS provider, coalesce(key_id, key_name, location) AS key, rotated_at AS stored_at FROM ai_key_standing
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
stored AS (
  SELECT x.provider, x.key, min(w.stored_at) AS stored_at
  FROM exposures AS x
  JOIN writes AS w ON w.provider = x.provider AND w.key = x.key
  WHERE w.stored_at > x.first_read
  GROUP BY x.provider, x.key
),
revoked AS (
  SELECT x.provider, x.key, min(v.revoked_at) AS revoked_at, max(v.revoked_at) AS last_revoked_at
  FROM exposures AS x
  JOIN revocations AS v ON v.provider = x.provider AND v.key = x.key
  WHERE v.revoked_at > x.first_read
  GROUP BY x.provider, x.key
)
SELECT
  x.customer,
  x.provider,
  x.key,
  x.first_read,
  x.last_read,
  s.stored_at AS stored_anew_at,
  v.revoked_at,
  (epoch_ms(s.stored_at) - epoch_ms(x.first_read)) // 1000 AS seconds_to_new_value,
  (epoch_ms(v.revoked_at) - epoch_ms(x.first_read)) // 1000 AS seconds_to_revocation,
  coalesce(v.last_revoked_at <= x.last_read, TRUE) AS still_valid,
  coalesce(s.stored_at > x.last_read, FALSE) AS effective,
  x.event_key
FROM exposures AS x
LEFT JOIN stored AS s ON s.provider = x.provider AND s.key = x.key
LEFT JOIN revoked AS v ON v.provider = x.provider AND v.key = x.key
ORDER BY x.first_read NULLS LAST, x.provider NULLS LAST, x.key NULLS LAST, x.event_key
