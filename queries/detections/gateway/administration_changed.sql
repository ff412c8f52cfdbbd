-- ---
-- id = "gateway.administration_changed"
-- kind = "detection"
-- title = "Keys, models or settings of a model gateway were changed by somebody or from somewhere new"
-- severity = "high"
-- confidence = "medium"
-- sources = ["litellm_audit", "portkey_audit"]
-- attack = ["T1098", "T1562"]
-- attack_v19 = ["T1098", "T1685"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "A gateway's audit log shows a key, a model, a team, a user, a provider, a setting or a guardrail made, changed or deleted by an actor, or from an address, that changed nothing there in the baseline. Who administers a gateway holds every provider's key behind it. The acts are listed up to a limit. Failed attempts count."
-- misses = "A stolen master key used from the usual place. Changes in the gateway's own files."
-- false_positives = ["A new member of the platform team", "A deployment from a new runner"]
-- next_steps = ["Ask the platform team about the actor", "Undo the change, and withdraw keys that were made", "Look at what went through the gateway since"]
-- references = ["https://docs.litellm.ai/docs/proxy/multiple_admins", "https://portkey.ai/docs/product/enterprise-offering/audit-logs"]
--
-- [params]
-- shown_acts = { type = "integer", doc = "Acts listed for each new actor and address", default = 500 }
-- ---
WITH acts AS (
  SELECT
    event_key,
    event_time,
    provider || '|' || coalesce(owner, '') || '|' || coalesce(actor_email, actor_key_id, actor_id, actor_type, '') AS who,
    provider || '|' || coalesce(owner, '') || '|' || coalesce(source_ip, '') AS place
  FROM ai_audit_event
  WHERE provider IN ('litellm', 'portkey')
    AND regexp_matches(lower(action), '(verificationtoken|proxymodel|team|user|organization|config|credential|key|guardrail|integration|provider|callback).*[.](created?|updated?|deleted?|regenerated|rotated?|blocked|unblocked|post|put|patch)$')
),
known_actors AS (
  SELECT DISTINCT who FROM acts WHERE event_time < $baseline_until
),
known_places AS (
  SELECT DISTINCT place FROM acts WHERE event_time < $baseline_until
),
new_acts AS (
  SELECT
    c.event_key,
    c.who,
    k.who IS NULL AS new_actor,
    row_number() OVER (PARTITION BY c.who, c.place ORDER BY c.event_time NULLS LAST, c.event_key) AS act_no
  FROM acts AS c
  LEFT JOIN known_actors AS k ON k.who = c.who
  LEFT JOIN known_places AS p ON p.place = c.place
  WHERE (k.who IS NULL OR p.place IS NULL)
    AND c.event_time >= $since
    AND c.event_time < $until
)
SELECT
  n.who || '|' || strftime(a.event_time, '%Y-%m-%d') AS finding_key,
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
  n.new_actor,
  a.provider AS gateway,
  json_extract_string(a.details, '$.after') AS set_to
FROM new_acts AS n
JOIN ai_audit_event AS a ON a.event_key = n.event_key
WHERE n.act_no <= $shown_acts
ORDER BY a.event_time NULLS LAST, a.event_key
