-- ---
-- id = "exposure.logging_changes"
-- kind = "exposure"
-- title = "Acts that blind the logs"
-- severity = "info"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- description = "Successful acts that stop, delete or narrow a trail, and those that start it again."
-- misses = "Changes made while the log was already off."
-- ---
SELECT e.event_time, e.event_key, e.event_name_base AS action,
       coalesce(json_extract_string(e.request_parameters, '$.name'),
                json_extract_string(e.request_parameters, '$.trailName'), e.resource) AS trail,
       e.region, e.account_id, e.actor, e.credential_id, e.source_ip, e.outcome, e.evidence
FROM aws_event AS e
WHERE e.event_source = 'cloudtrail.amazonaws.com'
  AND e.event_name_base IN ('StopLogging', 'StartLogging', 'DeleteTrail', 'PutEventSelectors', 'UpdateTrail',
                            'DeleteEventDataStore', 'StopEventDataStoreIngestion')
  AND e.outcome = 'success'
  AND e.event_time >= $since AND e.event_time < $until
ORDER BY e.event_time NULLS LAST, e.event_key
