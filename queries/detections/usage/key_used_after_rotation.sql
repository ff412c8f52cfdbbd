-- ---
-- id = "usage.key_used_after_rotation"
-- kind = "detection"
-- title = "An AI key is still used after a new value was stored in its place"
-- severity = "high"
-- confidence = "medium"
-- sources = ["key_inventory"]
-- needs = ["usage_by_key", "key_inventory"]
-- attack = ["T1550.001", "T1078.004"]
-- attack_v19 = ["T1550.001", "T1078.004"]
-- attack_version = "18.1"
-- description = "The inventory names the secret or parameter that holds a key. A new value was stored there, by the logs, or the inventory states its rotation; the key existed before; and at least grace_seconds later the provider still counts use of it. The last rotation before the use counts. Overwriting a secret does not end the key: until it is revoked at the provider, whoever copied it can use it. last_revocation tells when the provider's log shows the key deleted or switched off, if it does. Only what was served is in usage exports."
-- misses = "Rotations in stores that are not logged and not in the inventory. UpdateSecret, of which the logs do not tell whether it stored a value. Exports that are not grouped by key. A rotation that names the key under which the inventory lists the new value."
-- false_positives = ["An application that was not yet given the new value", "A write to the secret that did not change the key"]
-- next_steps = ["Revoke the key at the provider", "Ask which application still uses it", "Compare models, hours and amounts with the time before the rotation"]
-- references = ["https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets.html", "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html", "https://platform.openai.com/docs/api-reference/usage"]
--
-- [params]
-- grace_seconds = { type = "integer", doc = "Time that applications have to take up the new value", default = 3600 }
-- ---
WITH stored_keys AS (
  SELECT DISTINCT key_provider AS provider, key_id, location_kind, coalesce(location_region, '') AS location_region,
    location, created_at
  FROM ai_key_standing
),
store_writes AS (
  SELECT e.event_epoch, CASE e.event_source WHEN 'ssm.amazonaws.com' THEN 'ssm' ELSE 'secret' END AS location_kind, i.value AS location,
    coalesce(e.region, '') AS region
  FROM aws_event AS e
  JOIN aws_event_item AS i ON i.event_key = e.event_key
  WHERE ((e.event_source = 'secretsmanager.amazonaws.com' AND e.event_name_base IN ('PutSecretValue', 'RotateSecret'))
      OR (e.event_source = 'ssm.amazonaws.com' AND e.event_name_base = 'PutParameter'))
    AND e.outcome = 'success'
),
rotations AS (
  SELECT k.provider, k.key_id, k.created_at, w.event_epoch AS rotated_epoch, 'log' AS basis
  FROM stored_keys AS k
  JOIN store_writes AS w ON w.location_kind = k.location_kind AND w.location = k.location
  WHERE k.location_region = '' OR k.location_region = w.region
  UNION ALL
  SELECT key_provider AS provider, key_id, created_at, epoch_ms(rotated_at) // 1000 AS rotated_epoch, 'inventory' AS basis
  FROM ai_key_standing
),
uses AS (
  SELECT event_key, provider, key_id, subject, start_epoch
  FROM key_usage
  WHERE (coalesce(requests, 0) > 0 OR tokens > 0)
),
first_uses AS (
  SELECT subject, min(start_epoch) AS first_epoch FROM uses GROUP BY subject
),
-- A key that was neither made nor used before the rotation is the new value, not the old one.
uses_after AS (
  SELECT u.event_key, r.rotated_epoch, r.basis,
    row_number() OVER (PARTITION BY u.event_key ORDER BY r.rotated_epoch DESC NULLS LAST, r.basis DESC NULLS LAST, u.event_key) AS place
  FROM uses AS u
  JOIN rotations AS r ON r.provider = u.provider AND r.key_id = u.key_id
  JOIN first_uses AS f ON f.subject = u.subject
  WHERE (f.first_epoch < r.rotated_epoch OR coalesce(epoch_ms(r.created_at) // 1000 < r.rotated_epoch, FALSE))
    AND u.start_epoch >= r.rotated_epoch
),
revocations AS (
  SELECT provider, target_key_id AS key_id, max(event_time) AS last_revocation
  FROM ai_audit_event
  WHERE (replace(action, '.', '_') IN ('api_key_deleted', 'tenant_project_api_key_deleted', 'platform_api_key_deleted')
      OR (action = 'platform_api_key_updated'
        AND (coalesce(json_extract_string(details, '$.updates[0].current_value'), '') IN ('inactive', 'archived')
          OR coalesce(json_extract_string(details, '$.updates[1].current_value'), '') IN ('inactive', 'archived'))))
    AND event_time < $until
  GROUP BY provider, target_key_id
)
SELECT
  u.provider || '|' || coalesce(u.owner, '') || '|' || u.key_id AS finding_key,
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
  epoch_ms(1000 * a.rotated_epoch) AS rotated_at,
  a.basis AS rotation_basis,
  r.last_revocation,
  u.requests,
  coalesce(u.input_tokens_total, 0) + coalesce(u.output_tokens, 0) AS tokens
FROM uses_after AS a
JOIN ai_usage_current AS u ON u.event_key = a.event_key
LEFT JOIN revocations AS r ON r.provider = u.provider AND r.key_id = u.key_id
WHERE a.place = 1
  AND epoch_ms(u.bucket_start) // 1000 >= a.rotated_epoch + $grace_seconds
  AND u.bucket_start >= $since
  AND u.bucket_start < $until
ORDER BY u.bucket_start NULLS LAST, u.event_key
