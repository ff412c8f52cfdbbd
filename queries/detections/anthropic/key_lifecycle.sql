-- ---
-- id = "anthropic.key_lifecycle"
-- kind = "detection"
-- title = "An Anthropic API key was created, changed or deleted"
-- severity = "high"
-- confidence = "medium"
-- sources = ["anthropic_activity"]
-- needs = ["anthropic_activity"]
-- attack = ["T1098.001"]
-- attack_v19 = ["T1098.001"]
-- attack_version = "18.1"
-- description = "The activity feed shows a key of the platform, of administration or of a service made, changed or removed, or the federation of workloads changed. Keys that outlive an intrusion are made this way. Attempts count whatever their outcome. made_by_key tells that a key, not a person, did it."
-- misses = "Acts before the feed was switched on. Keys of other organisations."
-- false_positives = ["Responders who rotate keys", "Planned rotation", "Employees who make keys for a workspace"]
-- next_steps = ["Ask the actor about time and address", "List the usage of the key since then", "Revoke keys that nobody claims"]
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
  actor_key_id IS NOT NULL AS made_by_key,
  action LIKE 'admin_api_key_%' AS administration_key,
  json_extract_string(details, '$.scopes') AS scopes,
  json_extract_string(details, '$.updates') AS updates
FROM ai_audit_event
WHERE provider = 'anthropic'
  AND (action IN (
    'platform_api_key_created', 'platform_api_key_updated', 'platform_api_key_deleted',
    'api_key_created', 'api_key_updated', 'api_key_deleted', 'admin_api_key_created',
    'admin_api_key_updated', 'admin_api_key_deleted', 'service_key_created', 'service_key_revoked',
    'scoped_api_key_created', 'scoped_api_key_updated', 'scoped_api_key_deleted')
    OR (action LIKE 'platform_federation_issuer_%' OR action LIKE 'platform_federation_rule_%')
       AND (action LIKE '%_created' OR action LIKE '%_updated' OR action LIKE '%_deleted'))
  AND event_time >= $since
  AND event_time < $until
ORDER BY event_time NULLS LAST, event_key
