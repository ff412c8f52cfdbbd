-- ---
-- id = "exposure.provider_acts"
-- kind = "exposure"
-- title = "Acts at the provider that touch a key"
-- severity = "info"
-- confidence = "high"
-- sources = ["openai_audit", "anthropic_activity"]
-- description = "Control-plane events that name a key as actor or target, and whether their address is the intruder's."
-- misses = "Acts by actors for whom the provider records no address."
-- ---
SELECT a.event_time, a.event_key, a.provider, a.owner, a.action, a.outcome, a.actor_key_id, a.target_key_id, a.actor_email,
       a.source_ip, t.value AS tainted_address, t.root, a.details, a.evidence
FROM ai_audit_event AS a
LEFT JOIN tainted AS t ON t.kind = 'address' AND t.value = a.source_ip AND a.event_time >= t.since
WHERE a.event_time >= $since AND a.event_time < $until
ORDER BY a.event_time NULLS LAST, a.event_key
