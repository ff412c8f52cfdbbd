-- ---
-- id = "exposure.provider_acts"
-- kind = "exposure"
-- title = "Acts at the provider that touch a key or an organisation"
-- severity = "info"
-- confidence = "high"
-- sources = ["openai_audit", "anthropic_activity"]
-- description = "Control-plane events with who acted on what, and whether their address or actor is held to be the intruder's. An address is what the intruder used in AWS; an actor is one that the settings state."
-- misses = "Acts by actors for whom the provider records no address."
-- ---
WITH marked AS (
  SELECT a.event_key, min(t.value) AS tainted_address, min(t.root) AS root
  FROM ai_audit_event AS a
  JOIN tainted AS t ON t.kind = 'address' AND t.value = a.source_ip AND a.event_time >= t.since
  GROUP BY a.event_key
),
stated AS (
  SELECT a.event_key, min(t.value) AS tainted_actor, min(t.root) AS root
  FROM ai_audit_event AS a
  JOIN tainted AS t
    ON t.kind = 'provider_actor' AND a.event_time >= t.since
   AND (t.value = a.actor_id OR t.value = a.actor_email OR t.value = a.actor_key_id)
  GROUP BY a.event_key
)
SELECT a.event_time, a.event_key, a.provider, a.owner, a.action, a.outcome, a.actor_key_id, a.target_key_id, a.actor_email,
       a.source_ip, m.tainted_address, coalesce(m.root, s.root) AS root, a.details, a.evidence, s.tainted_actor, a.actor_id,
       coalesce(a.actor_email, a.actor_id, a.actor_key_id, '') AS actor
FROM ai_audit_event AS a
LEFT JOIN marked AS m ON m.event_key = a.event_key
LEFT JOIN stated AS s ON s.event_key = a.event_key
WHERE a.event_time >= $since AND a.event_time < $until
ORDER BY a.event_time NULLS LAST, a.event_key
