-- ---
-- id = "usage.after_revocation"
-- kind = "detection"
-- title = "An AI key was used successfully after its provider logged its revocation"
-- severity = "critical"
-- confidence = "high"
-- sources = ["openai_usage", "anthropic_usage", "openai_audit", "anthropic_activity"]
-- needs = ["usage_by_key"]
-- attack = ["T1078.004", "T1550.001"]
-- attack_v19 = ["T1078.004", "T1550.001"]
-- attack_version = "18.1"
-- description = "Usage in a bucket that begins at or after the time at which the audit log of the same provider and owner shows the key deleted, or set inactive or archived, and no later entry shows it active again. A bucket that began before the revocation belongs to neither side. Refused requests are not in usage exports and do not count."
-- misses = "Revocations that only a person states, and those in an audit log that was not supplied. Use in the bucket of the revocation itself."
-- false_positives = ["Requests that were accepted before the revocation and billed in a later bucket", "A wrong key id in the audit log"]
-- next_steps = ["Check the state of the key at the provider now", "Ask the provider how the key could be used", "Look for another key with the same name"]
-- references = ["https://platform.openai.com/docs/api-reference/audit-logs", "https://platform.claude.com/docs/en/manage-claude/compliance-activity-feed"]
-- ---
WITH key_states AS (
  SELECT
    provider,
    coalesce(owner, '') AS owner,
    target_key_id AS key_id,
    event_time,
    event_key,
    CASE
      WHEN replace(action, '.', '_') IN ('api_key_deleted', 'tenant_project_api_key_deleted') THEN 'revoked'
      WHEN coalesce(json_extract_string(details, '$.updates[0].type') = 'status', FALSE)
        THEN CASE WHEN json_extract_string(details, '$.updates[0].current_value') IN ('inactive', 'archived')
                  THEN 'revoked' ELSE 'active' END
      WHEN coalesce(json_extract_string(details, '$.updates[1].type') = 'status', FALSE)
        THEN CASE WHEN json_extract_string(details, '$.updates[1].current_value') IN ('inactive', 'archived')
                  THEN 'revoked' ELSE 'active' END
    END AS state
  FROM ai_audit_event
  WHERE target_key_id IS NOT NULL
    AND event_time IS NOT NULL
    AND coalesce(outcome, 'success') = 'success'
    AND replace(action, '.', '_') IN ('api_key_deleted', 'tenant_project_api_key_deleted', 'platform_api_key_updated')
),
-- The last change of state before each bucket decides.
states_before AS (
  SELECT u.event_key, s.state, s.event_time AS revoked_at, s.event_key AS revocation_event_key,
    row_number() OVER (PARTITION BY u.event_key ORDER BY s.event_time DESC NULLS LAST, s.state DESC NULLS LAST, s.event_key) AS place
  FROM ai_usage_current AS u
  JOIN key_states AS s
    ON s.provider = u.provider AND s.key_id = u.key_id AND s.owner = coalesce(u.owner, '')
   AND s.event_time <= u.bucket_start
  WHERE s.state IS NOT NULL
    AND (coalesce(u.requests, 0) > 0 OR coalesce(u.input_tokens_total, 0) > 0 OR coalesce(u.output_tokens, 0) > 0
         OR coalesce(u.other_quantity, 0) > 0)
    AND u.bucket_start >= $since
    AND u.bucket_start < $until
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
  s.revoked_at,
  s.revocation_event_key,
  u.requests,
  coalesce(u.input_tokens_total, 0) + coalesce(u.output_tokens, 0) AS tokens
FROM states_before AS s
JOIN ai_usage_current AS u ON u.event_key = s.event_key
WHERE s.place = 1
  AND s.state = 'revoked'
ORDER BY u.bucket_start NULLS LAST, u.event_key
