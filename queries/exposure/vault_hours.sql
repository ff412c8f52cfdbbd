-- ---
-- id = "exposure.vault_hours"
-- kind = "exposure"
-- title = "Hours with Vault records"
-- severity = "info"
-- confidence = "high"
-- sources = ["vault_audit"]
-- description = "Hours of the window in which the Vault audit log holds records."
-- misses = "An hour without records may be quiet or missing."
-- ---
SELECT epoch_ms(v.event_time) // 3600000 AS hour, count(*) AS records, min(v.event_key) AS event_key
FROM vault_event AS v
WHERE v.event_time >= $since AND v.event_time < $until
GROUP BY epoch_ms(v.event_time) // 3600000
ORDER BY hour NULLS LAST, min(v.event_key)
