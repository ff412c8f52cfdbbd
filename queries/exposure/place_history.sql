-- ---
-- id = "exposure.place_history"
-- kind = "exposure"
-- title = "What became of the places where keys are stored"
-- severity = "info"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- description = "Secrets, parameters and function configurations made, given a new value, or removed, successful acts only. `change` is made, new_value, maybe_new_value (a change whose record does not tell whether the value changed) or removed."
-- misses = "Stores that are not logged. Values written while the log was off."
-- references = ["https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieve-ct-entries.html", "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html"]
-- ---
WITH named AS (
  SELECT e.event_key, CASE i.kind WHEN 'parameter' THEN 'ssm' WHEN 'function' THEN 'lambda' ELSE 'secret' END AS location_kind, i.value AS location
  FROM aws_event AS e
  JOIN aws_event_item AS i ON i.event_key = e.event_key AND i.kind IN ('secret', 'parameter', 'function')
  WHERE e.outcome = 'success'
  UNION
  SELECT event_key, 'secret' AS location_kind, request_name AS location
  FROM aws_event
  WHERE event_source = 'secretsmanager.amazonaws.com' AND event_name_base = 'CreateSecret' AND request_name IS NOT NULL
    AND outcome = 'success'
)
SELECT e.event_time, e.event_key, e.event_name_base AS action, n.location_kind, n.location, e.region,
  CASE
    WHEN e.event_name_base IN ('CreateSecret', 'CreateFunction') THEN 'made'
    WHEN e.event_name_base IN ('PutSecretValue', 'RotateSecret', 'PutParameter') THEN 'new_value'
    WHEN e.event_name_base IN ('UpdateSecret', 'UpdateFunctionConfiguration') THEN 'maybe_new_value'
    ELSE 'removed'
  END AS change,
  e.actor, e.session_name, e.credential_id, e.source_ip, e.evidence
FROM aws_event AS e
JOIN named AS n ON n.event_key = e.event_key
WHERE e.outcome = 'success'
  AND ((e.event_source = 'secretsmanager.amazonaws.com'
        AND e.event_name_base IN ('CreateSecret', 'PutSecretValue', 'RotateSecret', 'UpdateSecret', 'DeleteSecret'))
    OR (e.event_source = 'ssm.amazonaws.com' AND e.event_name_base IN ('PutParameter', 'DeleteParameter', 'DeleteParameters'))
    OR (e.event_source = 'lambda.amazonaws.com'
        AND e.event_name_base IN ('CreateFunction', 'UpdateFunctionConfiguration', 'DeleteFunction')))
  AND e.event_time >= $since AND e.event_time < $until
ORDER BY e.event_time NULLS LAST, n.location_kind NULLS LAST, n.location NULLS LAST, e.event_key
