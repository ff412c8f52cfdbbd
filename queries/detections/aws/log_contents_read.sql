-- ---
-- id = "aws.log_contents_read"
-- kind = "detection"
-- title = "The contents of logs were read by a principal new to it"
-- severity = "low"
-- confidence = "low"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1654", "T1119"]
-- attack_v19 = ["T1654", "T1119"]
-- attack_version = "18.1"
-- description = "Log events were filtered, fetched, queried, followed live or exported from CloudWatch Logs, by a principal that had not made the same call before the end of the baseline. Denied attempts count, because they show the intent. Calls that a service makes for its caller are left out. Keys often stand in logs."
-- misses = "Logs read from a bucket: aws.objects_read_in_bulk. A stolen credential of a principal that makes such calls as its work."
-- false_positives = ["Engineers on duty; without a stated T0 there is no baseline and every such call appears"]
-- next_steps = ["Look whether the log groups hold keys", "Look where an export went"]
-- references = ["https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html", "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateExportTask.html"]
-- ---
WITH calls AS (
  SELECT e.*, coalesce(e.actor, '') AS caller
  FROM aws_event AS e
  WHERE e.event_source = 'logs.amazonaws.com'
    AND e.event_name_base IN ('FilterLogEvents', 'GetLogEvents', 'StartQuery', 'StartLiveTail',
                                 'CreateExportTask')
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
    c.resource
  ) AS resource,
  c.source_ip,
  c.credential_id,
  c.account_id,
  c.region,
  c.outcome,
  c.event_key,
  c.evidence,
  json_extract_string(c.request_parameters, '$.destination') AS destination,
  c.session_name,
  c.user_agent
FROM calls AS c
LEFT JOIN habits AS h ON h.caller = c.caller AND h.event_name_base = c.event_name_base
WHERE h.caller IS NULL
  AND c.event_time >= $since
ORDER BY c.event_time NULLS LAST, c.event_key
