-- ---
-- id = "usage.after_revocation"
-- kind = "detection"
-- title = "An AI key was used successfully after its provider logged its revocation"
-- severity = "critical"
-- confidence = "high"
-- sources = ["openai_audit", "anthropic_activity"]      # usage is asked for by needs: without an audit log nothing proves a revocation
-- needs = ["usage_by_key"]
-- attack = ["T1078.004", "T1550.001"]
-- attack_v19 = ["T1078.004", "T1550.001"]
-- attack_version = "18.1"
-- description = "Usage in a bucket that begins at or after the time at which the audit log of the same provider and owner shows the key deleted, or set inactive or archived, and no later entry shows it active again. A bucket that began before the revocation belongs to neither side. The entry that revoked the key is listed with the usage, as step revocation. Refused requests are not in usage exports and do not count."
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
),
uses AS (
  SELECT event_key, revoked_at, revocation_event_key FROM states_before WHERE place = 1 AND state = 'revoked'
),
contributing AS (
  SELECT
    u.provider || '|' || coalesce(u.owner, '') || '|' || u.key_id AS finding_key,
    u.bucket_start AS event_time,
    u.key_id AS actor,
    u.provider || ':usage' AS action,
    u.model AS resource,
    CAST(NULL AS VARCHAR) AS source_ip,
    u.key_id AS credential_id,
    u.organisation AS account_id,
    u.event_key,
    u.evidence,
    'use' AS step,
    s.revoked_at,
    u.requests,
    coalesce(u.input_tokens_total, 0) + coalesce(u.output_tokens, 0) AS tokens
  FROM uses AS s
  JOIN ai_usage_current AS u ON u.event_key = s.event_key
  UNION ALL
  SELECT
    a.provider || '|' || coalesce(a.owner, '') || '|' || a.target_key_id AS finding_key,
    a.event_time,
    coalesce(a.actor_email, a.actor_key_id, a.actor_id, a.actor_type) AS actor,
    a.provider || ':' || a.action AS action,
    a.target_key_id AS resource,
    a.source_ip,
    a.actor_key_id AS credential_id,
    a.organisation AS account_id,
    a.event_key,
    a.evidence,
    'revocation' AS step,
    a.event_time AS revoked_at,
    CAST(NULL AS BIGINT) AS requests,
    CAST(NULL AS BIGINT) AS tokens
  FROM (SELECT DISTINCT revocation_event_key FROM uses) AS r
  JOIN ai_audit_event AS a ON a.event_key = r.revocation_event_key
  WHERE a.event_time >= $since
    AND a.event_time < $until
)
SELECT
  finding_key,
  event_time,
  actor,
  action,
  resource,
  source_ip,
  credential_id,
  account_id,
  CAST(NULL AS VARCHAR) AS region,
  'success' AS outcome,
  event_key,
  evidence,
  step,
  revoked_at,
  requests,
  tokens
FROM contributing
ORDER BY event_time NULLS LAST, event_key
