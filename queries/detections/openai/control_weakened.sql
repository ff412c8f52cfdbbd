-- ---
-- id = "openai.control_weakened"
-- kind = "detection"
-- title = "A guard control of an OpenAI organisation was weakened"
-- severity = "critical"
-- confidence = "medium"
-- sources = ["openai_audit"]
-- needs = ["openai_audit"]
-- attack = ["T1562.007", "T1562.008"]
-- attack_v19 = ["T1686.001", "T1685.002"]
-- attack_version = "18.1"
-- description = "The audit log shows an address allow list changed, opened or switched off, rate or spend limits changed, logging of calls changed, certificates, external keys, policies or single sign-on removed, a new project, or a checkpoint shared. A new allow list counts only when it admits every address. Attempts that the log marks as failed count too."
-- misses = "Limits that were generous already. Settings that the provider does not log."
-- false_positives = ["Platform administrators at work", "A planned raise of limits"]
-- next_steps = ["Ask the actor about time and address", "Set the control back", "List usage and key events since the change"]
-- references = ["https://platform.openai.com/docs/api-reference/audit-logs"]
-- ---
SELECT
  coalesce(owner, '') || '|' || coalesce(actor_email, actor_key_id, actor_id, actor_type, '') || '|' || strftime(event_time, '%Y-%m-%d') AS finding_key,
  event_time,
  coalesce(actor_email, actor_key_id, actor_id, actor_type) AS actor,
  action,
  coalesce(target_key_id, target_id) AS resource,
  source_ip,
  actor_key_id AS credential_id,
  organisation AS account_id,
  CAST(NULL AS VARCHAR) AS region,
  coalesce(outcome, 'success') AS outcome,
  event_key,
  evidence,
  actor_type,
  owner,
  json_extract_string(details, '$.changes_requested') AS changes
FROM ai_audit_event
WHERE provider = 'openai'
  AND (replace(action, '.', '_') IN (                      -- some collectors write underscores for dots
    'ip_allowlist_updated', 'ip_allowlist_deleted', 'ip_allowlist_config_deactivated',
    'rate_limit_updated', 'rate_limit_deleted', 'scim_disabled', 'certificate_deleted',
    'certificates_deactivated', 'external_key_removed', 'external_storage_removed',
    'tenant_policy_deleted', 'tenant_policy_detached', 'tenant_billing_overage_limit_updated',
    'tenant_sso_connection_deleted', 'project_created', 'resource_deleted',
    'checkpoint_permission_created')
    OR (replace(action, '.', '_') LIKE 'tenant_usage_limit_%' AND replace(action, '.', '_') LIKE '%_updated')
    OR (replace(action, '.', '_') = 'ip_allowlist_created'
        AND (coalesce(details, '') LIKE '%"0.0.0.0/0"%' OR coalesce(details, '') LIKE '%"::/0"%'))
    OR (replace(action, '.', '_') = 'organization_updated'
        AND (json_extract_string(details, '$.changes_requested.api_call_logging') IS NOT NULL
             OR json_extract_string(details, '$.changes_requested.api_call_logging_project_ids') IS NOT NULL)))
  AND event_time >= $since
  AND event_time < $until
ORDER BY event_time NULLS LAST, event_key
