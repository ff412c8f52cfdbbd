-- ---
-- id = "correlation.exposed_key_not_rotated"
-- kind = "detection"
-- title = "A key that a stranger read was not revoked afterwards"
-- severity = "critical"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["key_inventory", "aws_events"]
-- attack = ["T1552", "T1555.006"]
-- attack_v19 = ["T1552", "T1555.006"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "A key of the inventory was read by a principal that did not read it in the baseline, and neither the provider's log nor the inventory shows it deleted or switched off after the last such read. A new value in the store does not end the old key: stored_anew_at tells when one came after the last read, and the finding stays. provider_log tells whether an audit log of the provider is in the evidence at all; without it the state of the key is unknown, not known to be bad. Listed is the last read of each reader."
-- misses = "Keys of places that are not in the inventory. A key that was revoked and made valid again."
-- false_positives = ["A revocation in a console whose log was not supplied and that the inventory does not state", "A reader that was new and legitimate"]
-- next_steps = ["Revoke the key at the provider now", "Ask the customer for the provider's audit log, or for a list of keys as of today", "Add the revocation to the inventory"]
-- references = ["https://platform.openai.com/docs/api-reference/audit-logs", "https://platform.claude.com/docs/en/manage-claude/compliance-activity-feed", "https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets.html"]
-- ---
WITH known_readers AS (
  SELECT DISTINCT key_ref, reader FROM key_read WHERE event_time < $baseline_until
),
new_reads AS (
  SELECT
    r.*,
    max(r.event_time) OVER (
      PARTITION BY r.provider, r.key ORDER BY r.event_time NULLS LAST, r.event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS last_read,
    row_number() OVER (
      PARTITION BY r.provider, r.key, r.reader ORDER BY r.event_time DESC NULLS LAST, r.access NULLS LAST, r.location NULLS LAST, r.event_key
    ) AS place
  FROM key_read AS r
  LEFT JOIN known_readers AS k ON k.key_ref = r.key_ref AND k.reader = r.reader
  WHERE k.reader IS NULL
    AND r.event_time >= $since
    AND r.event_time < $until
),
revocations AS (
  SELECT provider || '|' || target_key_id AS key_ref, event_time AS revoked_at
  FROM ai_audit_event
  WHERE replace(action, '.', '_') IN ('api_key_deleted', 'tenant_project_api_key_deleted', 'tenant_admin_api_key_deleted',
      'admin_api_key_deleted', 'platform_api_key_deleted', 'service_key_revoked', 'scoped_api_key_deleted')
    OR (action = 'platform_api_key_updated'
      AND (coalesce(json_extract_string(details, '$.updates[0].current_value'), '') IN ('inactive', 'archived')
        OR coalesce(json_extract_string(details, '$.updates[1].current_value'), '') IN ('inactive', 'archived')))
  UNION ALL
  SELECT key_provider || '|' || coalesce(key_id, key_name, location) AS key_ref, revoked_at FROM ai_key_standing
),
last_revocations AS (
  SELECT key_ref, max(revoked_at) AS revoked_at FROM revocations GROUP BY key_ref
),
-- Names of secrets and of parameters are told apart by the call that writes them.
store_writes AS (
  SELECT CASE e.event_name_base WHEN 'PutParameter' THEN 'ssm' ELSE 'secret' END || ':' || i.value AS place,
    max(e.event_time) AS written_at
  FROM aws_event AS e
  JOIN aws_event_item AS i ON i.event_key = e.event_key
  WHERE e.event_name_base IN ('PutSecretValue', 'RotateSecret', 'PutParameter')
    AND e.outcome = 'success'
  GROUP BY CASE e.event_name_base WHEN 'PutParameter' THEN 'ssm' ELSE 'secret' END || ':' || i.value
),
provider_logs AS (
  SELECT DISTINCT provider FROM ai_audit_event
)
SELECT
  r.provider || '|' || r.key AS finding_key,
  r.event_time,
  r.actor,
  r.action,
  r.key AS resource,
  r.source_ip,
  r.credential_id,
  r.account_id,
  r.region,
  'success' AS outcome,
  r.event_key,
  r.evidence,
  r.customer,
  CASE WHEN w.written_at > r.last_read THEN w.written_at END AS stored_anew_at,
  CASE WHEN l.provider IS NULL THEN 'not supplied' ELSE 'supplied' END AS provider_log
FROM new_reads AS r
LEFT JOIN last_revocations AS v ON v.key_ref = r.key_ref
LEFT JOIN store_writes AS w ON w.place = r.location_kind || ':' || r.location
LEFT JOIN provider_logs AS l ON l.provider = r.provider
WHERE r.place = 1
  AND coalesce(v.revoked_at <= r.last_read, TRUE)
ORDER BY r.event_time NULLS LAST, r.provider NULLS LAST, r.key NULLS LAST, r.event_key
