-- ---
-- id = "aws.cloudtrail_logging_stopped"
-- kind = "detection"
-- title = "CloudTrail logging was stopped or its store deleted"
-- severity = "critical"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1562.008"]
-- attack_v19 = ["T1685.002"]
-- attack_version = "18.1"
-- description = "A trail was stopped or deleted, or an event data store was deleted or its ingestion stopped. Calls made afterwards may be absent from the evidence; resumed_at is the next start of the same trail by its name in the logs. Denied attempts count, because they show the intent; outcome says that logging went on."
-- misses = "Logging that was narrowed instead: aws.cloudtrail_selectors_reduced. Log files deleted from their bucket."
-- false_positives = ["Decommissioning of a trail", "A move to an organisation's trail"]
-- next_steps = ["Look for the gap in the coverage of the region and treat absence inside it as unknown", "Ask for other logs of that time: another trail, the provider's Event history, network and load balancer logs", "List what the same credential did in the hour before"]
-- references = ["https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StopLogging.html", "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DeleteTrail.html", "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StopEventDataStoreIngestion.html"]
-- ---
WITH logging_changes AS (
  SELECT
    e.*,
    coalesce(e.request_name, json_extract_string(e.request_parameters, '$.eventDataStore'), e.resource, '') AS trail,
    -- A trail is named by its name or by its ARN.
    coalesce(e.account_id, '') || '/' || regexp_replace(
      coalesce(e.request_name, json_extract_string(e.request_parameters, '$.eventDataStore'), e.resource, ''), '^.*/', '', 'g'
    ) AS trail_id
  FROM aws_event AS e
  WHERE e.event_source = 'cloudtrail.amazonaws.com'
    AND e.event_name_base IN (
      'StopLogging', 'DeleteTrail', 'DeleteEventDataStore', 'StopEventDataStoreIngestion',
      'StartLogging', 'StartEventDataStoreIngestion'
    )
),
stops AS (
  SELECT *
  FROM logging_changes
  WHERE event_name_base IN ('StopLogging', 'DeleteTrail', 'DeleteEventDataStore', 'StopEventDataStoreIngestion')
    AND outcome IN ('success', 'denied')
    AND event_time >= $since
    AND event_time < $until
),
resumptions AS (
  SELECT s.event_key, min(r.event_time) AS resumed_at
  FROM stops AS s
  JOIN logging_changes AS r
    ON r.trail_id = s.trail_id
   AND r.event_time >= s.event_time
  WHERE r.event_name_base IN ('StartLogging', 'StartEventDataStoreIngestion')
    AND r.outcome = 'success'
    AND s.outcome = 'success'
  GROUP BY s.event_key
)
SELECT
  coalesce(s.actor, '') || '|' || coalesce(s.credential_id, '') || '|' || strftime(s.event_time, '%Y-%m-%d') AS finding_key,
  s.event_time,
  s.actor,
  s.event_name_base AS action,
  nullif(s.trail, '') AS resource,
  s.source_ip,
  s.credential_id,
  s.account_id,
  s.region,
  s.outcome,
  s.event_key,
  s.evidence,
  r.resumed_at,
  s.session_name,
  s.invoked_by,
  s.user_agent
FROM stops AS s
LEFT JOIN resumptions AS r ON r.event_key = s.event_key
ORDER BY s.event_time NULLS LAST, s.event_key
