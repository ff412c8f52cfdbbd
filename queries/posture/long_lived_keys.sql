-- ---
-- id = "posture.long_lived_keys"
-- kind = "exposure"
-- title = "Long-lived access keys in use"
-- severity = "info"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- needs = []
-- description = "Each long-lived access key (AKIA) that made a successful call in the window: whose, how often, first and last."
-- misses = "Keys that were not used."
-- ---
SELECT e.credential_id, min(e.actor) AS actor, count(*) AS uses, min(e.event_time) AS first_use, max(e.event_time) AS last_use, min(e.event_key) AS event_key
FROM aws_event AS e
WHERE e.credential_class = 'AKIA' AND e.outcome = 'success' AND e.event_time >= $since AND e.event_time < $until
GROUP BY e.credential_id
ORDER BY e.credential_id NULLS LAST, min(e.event_key)
