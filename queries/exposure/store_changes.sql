-- ---
-- id = "exposure.store_changes"
-- kind = "exposure"
-- title = "Changes of stored secrets and parameters"
-- severity = "info"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- description = "New values written to a stored secret or parameter: what rotation leaves in the logs."
-- misses = "Rotation in a store that is not logged."
-- ---
SELECT e.event_time, e.event_key, e.event_name_base AS action, i.kind AS item_kind, i.value AS location, e.region, e.actor,
       e.credential_id, e.source_ip, e.outcome, e.evidence,
       coalesce(json_extract_string(e.response_elements, '$.versionId'),
                json_extract_string(e.request_parameters, '$.clientRequestToken'), '') AS version_id
FROM aws_event AS e
JOIN aws_event_item AS i ON i.event_key = e.event_key AND i.kind IN ('secret', 'parameter')
WHERE e.event_name_base IN ('PutSecretValue', 'RotateSecret', 'UpdateSecret', 'PutParameter')
  AND e.outcome = 'success'
  AND e.event_time >= $since AND e.event_time < $until
ORDER BY e.event_time NULLS LAST, i.kind NULLS LAST, i.value NULLS LAST, e.event_key
