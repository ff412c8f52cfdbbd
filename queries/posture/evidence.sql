-- ---
-- id = "posture.evidence"
-- kind = "exposure"
-- title = "Logs that could answer questions of posture"
-- severity = "info"
-- confidence = "high"
-- sources = ["aws_cloudtrail", "openai_audit", "anthropic_activity"]
-- needs = []
-- description = "How many records of each kind of log lie in the window: without any, a question is not evaluable."
-- misses = "Whether a log is complete."
-- ---
SELECT 'cloudtrail' AS log, count(*) AS records, min(event_key) AS event_key FROM aws_event WHERE event_time >= $since AND event_time < $until
UNION ALL
SELECT 'audit' AS log, count(*) AS records, min(event_key) AS event_key FROM ai_audit_event WHERE event_time >= $since AND event_time < $until
UNION ALL
SELECT 'credential_report' AS log, count(*) AS records, min(event_key) AS event_key FROM iam_credential_report
ORDER BY log NULLS LAST, event_key
