-- ---
-- id = "exposure.batch_reads"
-- kind = "exposure"
-- title = "Batch reads of secrets"
-- severity = "info"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- description = "Each secret that a batch call asked for by name, and one row without a place for a call that chose by filter. Every secret that was handed out has a record of its own beside the batch call; these rows count only where that record is not in the evidence."
-- misses = "What a filter matched, when the single records are not in the evidence."
-- references = ["https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html"]
-- ---
SELECT e.event_time, e.event_key, 'possibly' AS access, e.event_name_base AS action, 'secret' AS location_kind,
       i.value AS location, e.region, e.account_id, e.actor, e.session_name, e.credential_id, e.source_ip, e.invoked_by,
       e.outcome, CAST(0 AS BIGINT) AS usual_reads, e.evidence
FROM aws_event AS e
LEFT JOIN aws_event_item AS i ON i.event_key = e.event_key AND i.kind = 'secret'
WHERE e.event_source IN ('secretsmanager.amazonaws.com', 'secretsmanager.amazonaws.com.cn')
  AND e.event_name_base = 'BatchGetSecretValue'
  AND e.outcome = 'success'
  AND e.event_time >= $since AND e.event_time < $until
ORDER BY e.event_time NULLS LAST, i.value NULLS LAST, e.event_key
