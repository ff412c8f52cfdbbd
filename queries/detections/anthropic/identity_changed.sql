-- ---
-- id = "anthropic.identity_changed"
-- kind = "detection"
-- title = "Members, roles or ownership of an Anthropic organisation were changed"
-- severity = "high"
-- confidence = "medium"
-- sources = ["anthropic_activity"]
-- needs = ["anthropic_activity"]
-- attack = ["T1136.003", "T1098.003"]
-- attack_v19 = ["T1136.003", "T1098.003"]
-- attack_version = "18.1"
-- description = "The activity feed shows an invitation, an invitation link, a role given or changed, the ownership handed over, a member of a workspace or a service account added. Attempts count whatever their outcome."
-- misses = "Changes made by automatic provisioning in another system, and acts before the feed was switched on."
-- false_positives = ["People who join or change teams", "Provisioning from a directory"]
-- next_steps = ["Compare the invited address with the organisation's domains", "Ask the actor about time and address", "Remove members that nobody claims"]
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
  json_extract_string(details, '$.invited_email') AS invited_email,
  coalesce(json_extract_string(details, '$.invited_role'), json_extract_string(details, '$.current_role')) AS given_role
FROM ai_audit_event
WHERE provider = 'anthropic'
  AND action IN (
    'org_user_invite_sent', 'org_user_invite_accepted', 'org_invite_link_generated',
    'org_invite_link_regenerated', 'role_assignment_granted', 'rbac_role_assigned',
    'rbac_role_created', 'rbac_role_permission_added', 'claude_user_role_updated',
    'primary_owner_transferred', 'platform_workspace_member_added',
    'platform_workspace_member_updated', 'platform_service_account_created',
    'platform_service_account_updated')
  AND event_time >= $since
  AND event_time < $until
ORDER BY event_time NULLS LAST, event_key
