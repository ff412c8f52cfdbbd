-- ---
-- id = "posture.secret_store_acts"
-- kind = "exposure"
-- title = "Secret stores: reads that were logged, and rotation"
-- severity = "info"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- needs = []
-- description = "By secret: successful reads that the log shows, and new values stored, by a service on schedule or by a person."
-- misses = "Rotation before the window."
-- ---
SELECT
  i.value AS location, coalesce(e.region, '') AS region,
  count(*) FILTER (WHERE e.event_name_base = 'GetSecretValue') AS reads,
  count(*) FILTER (WHERE e.event_name_base IN ('RotateSecret', 'PutSecretValue', 'UpdateSecret')) AS new_values,
  count(*) FILTER (WHERE e.event_name_base IN ('RotateSecret', 'PutSecretValue')
                   AND (e.invoked_by IS NOT NULL OR e.identity_type = 'AWSService')) AS by_schedule,
  max(CASE WHEN e.event_name_base IN ('RotateSecret', 'PutSecretValue', 'UpdateSecret') THEN e.event_time END) AS last_value,
  min(CASE WHEN e.event_name_base IN ('RotateSecret', 'PutSecretValue', 'UpdateSecret') THEN e.event_key END) AS value_key,
  min(e.event_key) AS event_key
FROM aws_event AS e
JOIN aws_event_item AS i ON i.event_key = e.event_key AND i.kind = 'secret'
WHERE e.event_source = 'secretsmanager.amazonaws.com' AND e.outcome = 'success' AND e.event_time >= $since AND e.event_time < $until
GROUP BY i.value, coalesce(e.region, '')
ORDER BY i.value NULLS LAST, region NULLS LAST, min(e.event_key)
