-- ---
-- id = "aws.logs_or_alarms_removed"
-- kind = "detection"
-- title = "Logs were deleted or cut short, or alarms were removed"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1562.008", "T1070"]
-- attack_v19 = ["T1685.002", "T1070"]
-- attack_version = "18.1"
-- description = "Log groups, streams, subscriptions or destinations of CloudWatch Logs were deleted, their keeping was set to a week or less, alarms were deleted or silenced, rules of EventBridge were disabled, deleted or emptied, or a queue was purged, by a principal that had not made the same call before the end of the baseline. Denied attempts count, because they show the intent. Calls that a service makes for its caller are left out."
-- misses = "Logs that a workload writes elsewhere. A stolen credential of a principal that tears environments down as its work."
-- false_positives = ["An environment that is taken down", "Retention that is shortened to save costs"]
-- next_steps = ["Look what the deleted log held, and whether a copy exists", "List what the same credential did before", "Restore alarms and rules"]
-- references = ["https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogGroup.html", "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DisableAlarmActions.html", "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DisableRule.html"]
-- ---
WITH calls AS (
  SELECT e.*, coalesce(e.actor, '') AS caller
  FROM aws_event AS e
  WHERE ((e.event_source = 'logs.amazonaws.com'
        AND e.event_name_base IN ('DeleteLogGroup', 'DeleteLogStream', 'DeleteSubscriptionFilter',
                                 'DeleteDestination', 'PutRetentionPolicy'))
      OR (e.event_source = 'monitoring.amazonaws.com' AND e.event_name_base IN ('DeleteAlarms', 'DisableAlarmActions'))
      OR (e.event_source = 'events.amazonaws.com' AND e.event_name_base IN ('DisableRule', 'DeleteRule', 'RemoveTargets'))
      OR (e.event_source = 'sqs.amazonaws.com' AND e.event_name_base = 'PurgeQueue'))
    AND (e.event_name_base <> 'PutRetentionPolicy'
      OR coalesce(TRY_CAST(json_extract_string(e.request_parameters, '$.retentionInDays') AS BIGINT), 0) <= 7)
    AND e.outcome IN ('success', 'denied')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
habits AS (
  SELECT DISTINCT caller, event_name_base FROM calls WHERE event_time < $baseline_until
)
SELECT
  c.caller || '|' || coalesce(c.credential_id, '') || '|' || strftime(c.event_time, '%Y-%m-%d') AS finding_key,
  c.event_time,
  c.actor,
  c.event_name_base AS action,
  coalesce(
    json_extract_string(c.request_parameters, '$.logGroupName'),
    json_extract_string(c.request_parameters, '$.queueUrl'),
    c.request_name,
    json_extract_string(c.request_parameters, '$.rule'),
    json_extract_string(c.request_parameters, '$.alarmNames'),
    c.resource
  ) AS resource,
  c.source_ip,
  c.credential_id,
  c.account_id,
  c.region,
  c.outcome,
  c.event_key,
  c.evidence,
  c.event_source,
  json_extract_string(c.request_parameters, '$.retentionInDays') AS retention_days,
  c.session_name,
  c.user_agent
FROM calls AS c
LEFT JOIN habits AS h ON h.caller = c.caller AND h.event_name_base = c.event_name_base
WHERE h.caller IS NULL
  AND c.event_time >= $since
ORDER BY c.event_time NULLS LAST, c.event_key
