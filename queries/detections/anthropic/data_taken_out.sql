-- ---
-- id = "anthropic.data_taken_out"
-- kind = "detection"
-- title = "Data, members or audit logs of an Anthropic organisation were exported, or many files fetched"
-- severity = "high"
-- confidence = "medium"
-- sources = ["anthropic_activity"]
-- needs = ["anthropic_activity"]
-- attack = ["T1530", "T1567"]
-- attack_v19 = ["T1530", "T1567"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "The activity feed shows an export of the organisation's data, members or audit log; the compliance interface used by a key or an address that did not use it in the baseline; or one actor who fetched at least many_files files, or was refused at least many_refusals chats, in one hour. kind says which. Failed acts count."
-- misses = "Conversations read one by one. A connector whose key was stolen and is used from its usual address."
-- false_positives = ["A new connector of the security team", "A member who leaves and takes out the own data", "A yearly review of access"]
-- next_steps = ["Ask the actor about time and address", "Find where the export went", "Withdraw the key that used the compliance interface"]
-- references = ["https://platform.claude.com/docs/en/manage-claude/compliance-activity-feed"]
--
-- [params]
-- many_files = { type = "integer", doc = "Files fetched by one actor in an hour", default = 20 }
-- many_refusals = { type = "integer", doc = "Chats refused to one actor in an hour", default = 50 }
-- ---
WITH acts AS (
  SELECT
    event_key,
    event_time,
    epoch_ms(event_time) // 3600000 AS hour,
    coalesce(owner, '') || '|' || coalesce(actor_email, actor_key_id, actor_id, actor_type, '') AS who,
    coalesce(owner, '') || '|' || coalesce(actor_email, actor_key_id, actor_id, actor_type, '') || '|' || coalesce(source_ip, '') AS who_and_where,
    CASE
      WHEN action IN ('org_data_export_started', 'org_data_export_completed', 'org_data_export_accessed', 'org_members_exported')
        OR starts_with(action, 'audit_log_export_') THEN 'export'
      WHEN action = 'compliance_api_accessed' THEN 'compliance interface'
      WHEN action = 'platform_file_content_downloaded' THEN 'files'
      WHEN action = 'claude_chat_access_failed' THEN 'refused chats'
    END AS kind
  FROM ai_audit_event
  WHERE provider = 'anthropic'
    AND event_time < $until
),
known AS (
  SELECT DISTINCT who_and_where FROM acts WHERE kind = 'compliance interface' AND event_time < $baseline_until
),
hours AS (
  SELECT who, hour, kind, count(*) AS acts FROM acts GROUP BY who, hour, kind
)
SELECT
  c.who || '|' || c.kind || '|' || strftime(a.event_time, '%Y-%m-%d') AS finding_key,
  a.event_time,
  coalesce(a.actor_email, a.actor_key_id, a.actor_id, a.actor_type) AS actor,
  a.action,
  coalesce(a.target_key_id, a.target_id) AS resource,
  a.source_ip,
  a.actor_key_id AS credential_id,
  a.organisation AS account_id,
  CAST(NULL AS VARCHAR) AS region,
  coalesce(a.outcome, 'success') AS outcome,
  a.event_key,
  a.evidence,
  c.kind,
  h.acts AS acts_in_hour,
  a.user_agent
FROM acts AS c
JOIN ai_audit_event AS a ON a.event_key = c.event_key
LEFT JOIN known AS k ON k.who_and_where = c.who_and_where
JOIN hours AS h ON h.who = c.who AND h.hour = c.hour AND h.kind = c.kind
WHERE (c.kind = 'export'
    OR (c.kind = 'compliance interface' AND k.who_and_where IS NULL)
    OR (c.kind = 'files' AND h.acts >= $many_files)
    OR (c.kind = 'refused chats' AND h.acts >= $many_refusals))
  AND a.event_time >= $since
ORDER BY a.event_time NULLS LAST, a.event_key
