-- ---
-- id = "openai.key_lifecycle"
-- kind = "detection"
-- title = "An OpenAI API key was created, changed or deleted"
-- severity = "high"
-- confidence = "medium"
-- sources = ["openai_audit"]
-- needs = ["openai_audit"]
-- attack = ["T1098.001"]
-- attack_v19 = ["T1098.001"]
-- attack_version = "18.1"
-- description = "The organisation's audit log shows a key made, its scopes changed, or a key deleted, for projects and for administration. Keys that outlive an intrusion are made this way. Attempts that the log marks as failed count too. made_by_key tells that a key, not a person, did it."
-- misses = "Acts before the audit log was switched on. Keys made in another organisation."
-- false_positives = ["Responders who rotate keys", "Planned rotation", "Employees who make keys for a project"]
-- next_steps = ["Ask the actor about time and address", "List the usage of the key since then", "Revoke keys that nobody claims"]
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
  actor_key_id IS NOT NULL AS made_by_key,
  action LIKE '%admin%' AS administration_key,
  coalesce(json_extract_string(details, '$.data.scopes'), json_extract_string(details, '$.changes_requested.scopes')) AS scopes
FROM ai_audit_event
WHERE provider = 'openai'
  AND replace(action, '.', '_') IN (                      -- some collectors write underscores for dots
    'api_key_created', 'api_key_updated', 'api_key_deleted', 'tenant_admin_api_key_created',
    'tenant_admin_api_key_updated', 'tenant_admin_api_key_deleted',
    'tenant_project_api_key_created', 'tenant_project_api_key_updated',
    'tenant_project_api_key_deleted')
  AND event_time >= $since
  AND event_time < $until
ORDER BY event_time NULLS LAST, event_key
