-- ---
-- id = "openai.admin_key_first_seen"
-- kind = "detection"
-- title = "A key acted on an OpenAI organisation that never did before"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["openai_audit"]
-- needs = ["openai_audit"]
-- attack = ["T1526", "T1078.004"]
-- attack_v19 = ["T1526", "T1078.004"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "The audit log names a key as the actor, and that key did nothing the log shows in the baseline. Acts on an organisation need an administration key; one that wakes up after a theft lists members, keys and costs, and makes new ones. The first act of each kind is listed, acts counts them. Failed acts count."
-- misses = "A stolen key that the organisation uses every day. Reading of usage and costs, which the log does not show."
-- false_positives = ["A new automation", "A rotation by the responders"]
-- next_steps = ["Ask who made the key and where it was kept", "Revoke it unless it is claimed", "List all it did"]
-- references = ["https://platform.openai.com/docs/api-reference/audit-logs"]
-- ---
WITH acts AS (
  SELECT event_key, event_time, coalesce(owner, '') AS owner, actor_key_id, action
  FROM ai_audit_event
  WHERE provider = 'openai'
    AND actor_type = 'api_key'
    AND actor_key_id IS NOT NULL
),
known_keys AS (
  SELECT DISTINCT owner, actor_key_id FROM acts WHERE event_time < $baseline_until
),
new_acts AS (
  SELECT
    c.event_key,
    row_number() OVER (PARTITION BY c.owner, c.actor_key_id, c.action ORDER BY c.event_time NULLS LAST, c.event_key) AS place,
    count(*) OVER (
      PARTITION BY c.owner, c.actor_key_id, c.action ORDER BY c.event_time NULLS LAST, c.event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS acts
  FROM acts AS c
  LEFT JOIN known_keys AS k ON k.owner = c.owner AND k.actor_key_id = c.actor_key_id
  WHERE k.actor_key_id IS NULL
    AND c.event_time >= $since
    AND c.event_time < $until
)
SELECT
  coalesce(a.owner, '') || '|' || a.actor_key_id AS finding_key,
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
  n.acts,
  a.owner
FROM new_acts AS n
JOIN ai_audit_event AS a ON a.event_key = n.event_key
WHERE n.place = 1
ORDER BY a.event_time NULLS LAST, a.event_key
