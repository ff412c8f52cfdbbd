-- ---
-- id = "openai.identity_changed"
-- kind = "detection"
-- title = "Members, roles or service accounts of an OpenAI organisation were changed"
-- severity = "high"
-- confidence = "medium"
-- sources = ["openai_audit"]
-- needs = ["openai_audit"]
-- attack = ["T1136.003", "T1098.003"]
-- attack_v19 = ["T1136.003", "T1098.003"]
-- attack_version = "18.1"
-- description = "The audit log shows somebody invited or added, a role given or changed, a service account, a group or a federated identity made or changed, or provisioning from a directory switched on. Attempts that the log marks as failed count too."
-- misses = "Changes made by automatic provisioning in another system, and acts before the audit log was switched on."
-- false_positives = ["People who join or change teams", "Provisioning from a directory"]
-- next_steps = ["Compare the invited address with the organisation's domains", "Ask the actor about time and address", "Remove members and service accounts that nobody claims"]
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
  coalesce(json_extract_string(details, '$.data.email'), json_extract_string(details, '$.email')) AS invited_email,
  coalesce(json_extract_string(details, '$.data.role'), json_extract_string(details, '$.changes_requested.role')) AS given_role
FROM ai_audit_event
WHERE provider = 'openai'
  AND replace(action, '.', '_') IN (                      -- some collectors write underscores for dots
    'invite_sent', 'invite_accepted', 'user_added', 'user_updated', 'service_account_created',
    'service_account_updated', 'role_created', 'role_updated', 'role_assignment_created',
    'group_created', 'group_updated', 'tenant_user_invited', 'tenant_user_added',
    'tenant_role_assignment_created', 'workload_identity_provider_created',
    'workload_identity_provider_updated', 'workload_identity_provider_mapping_created',
    'workload_identity_provider_mapping_updated', 'scim_enabled')
  AND event_time >= $since
  AND event_time < $until
ORDER BY event_time NULLS LAST, event_key
