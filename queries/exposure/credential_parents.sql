-- ---
-- id = "exposure.credential_parents"
-- kind = "exposure"
-- title = "Which credential asked for which"
-- severity = "info"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- description = "For each credential that an event of the evidence gave out, the credential that asked for it: what a chain of sessions is made of."
-- misses = "Credentials issued before the logs begin, or in a region without logs."
-- ---
SELECT c.credential_id, c.issued_at, c.parent_credential_id, c.method, c.event_key
FROM credential AS c
WHERE c.issued_at < $until AND c.issued_at >= $since
ORDER BY c.credential_id NULLS LAST, c.issued_at NULLS LAST, c.event_key
