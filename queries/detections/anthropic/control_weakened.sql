-- ---
-- id = "anthropic.control_weakened"
-- kind = "detection"
-- title = "A guard control of an Anthropic organisation was weakened"
-- severity = "critical"
-- confidence = "medium"
-- sources = ["anthropic_activity"]
-- needs = ["anthropic_activity"]
-- attack = ["T1562.007", "T1562.001"]
-- attack_v19 = ["T1686.001", "T1685"]
-- attack_version = "18.1"
-- description = "The activity feed shows an address restriction changed or deleted, single sign-on or directory sync removed or switched off, spend or rate limits changed or deleted, automatic reload of credit switched on, a new workspace, a server of tools or an integration connected, which opens a way for data, or changed settings of the activity feed itself. Attempts count whatever their outcome."
-- misses = "Limits that were generous already. Settings that the provider does not log."
-- false_positives = ["Administrators at work", "A planned raise of limits", "Members who connect their own tools"]
-- next_steps = ["Ask the actor about time and address", "Set the control back", "List usage and key events since the change"]
-- references = ["https://platform.claude.com/docs/en/manage-claude/compliance-activity-feed"]
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
  json_extract_string(details, '$.updates') AS updates
FROM ai_audit_event
WHERE provider = 'anthropic'
  AND (action IN (
    'org_ip_restriction_deleted', 'org_ip_restriction_updated', 'org_sso_connection_deactivated',
    'org_sso_connection_deleted', 'org_sso_provisioning_mode_changed',
    'org_directory_sync_deleted', 'platform_spend_limit_deleted', 'platform_spend_limit_updated',
    'extra_usage_spend_limit_deleted', 'extra_usage_spend_limit_updated',
    'prepaid_extra_usage_auto_reload_enabled', 'platform_workspace_rate_limit_updated',
    'platform_workspace_rate_limit_deleted', 'platform_workspace_created',
    'org_compliance_api_settings_updated', 'org_domain_removed', 'org_domain_deleted',
    'mcp_server_created', 'integration_user_connected')
    OR (action = 'org_sso_toggled' AND coalesce(json_extract_string(details, '$.enabled'), '') = 'false'))
  AND event_time >= $since
  AND event_time < $until
ORDER BY event_time NULLS LAST, event_key
