-- ---
-- id = "posture.key_changes"
-- kind = "exposure"
-- title = "Changes of provider keys: when and by whom"
-- severity = "info"
-- confidence = "high"
-- sources = ["openai_audit", "anthropic_activity"]
-- needs = []
-- description = "Each successful act at a provider that made, changed or ended a key, and whether its time and a person are told. A key or a service account that acts is no person."
-- misses = "Changes that the provider does not log."
-- ---
SELECT
  a.event_time, a.event_key, a.provider, coalesce(a.owner, '') AS owner, a.action, a.target_key_id,
  coalesce(a.actor_email, a.actor_id, a.actor_key_id, '') AS actor,
  a.event_time IS NOT NULL AS has_time,
  a.actor_email IS NOT NULL OR (a.actor_id IS NOT NULL AND a.actor_key_id IS NULL) AS has_person
FROM ai_audit_event AS a
WHERE contains(a.action, 'api_key') AND regexp_matches(a.action, '(created|updated|deleted)$')
  AND coalesce(a.outcome, 'success') <> 'failure'
  AND (a.event_time IS NULL OR (a.event_time >= $since AND a.event_time < $until))
ORDER BY a.event_time NULLS LAST, a.event_key
