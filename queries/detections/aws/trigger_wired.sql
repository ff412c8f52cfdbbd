-- ---
-- id = "aws.trigger_wired"
-- kind = "detection"
-- title = "A trigger that runs code was set up by a principal new to it"
-- severity = "low"
-- confidence = "low"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1546"]
-- attack_v19 = ["T1546"]
-- attack_version = "18.1"
-- description = "A rule or target of EventBridge, a schedule, a mapping from a queue or stream to a function, a notification of a bucket or a rule of IoT was set up, by a principal that had not made the same call before the end of the baseline. Denied attempts count, because they show the intent. Calls that a service makes for its caller are left out."
-- misses = "Triggers that a stack sets up for an intruder. A stolen credential of a principal that makes such calls as its work."
-- false_positives = ["Deployments; without a stated T0 there is no baseline and every such call appears"]
-- next_steps = ["Read what the trigger starts and with which role", "Remove it if nobody claims it"]
-- references = ["https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html", "https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html"]
-- ---
WITH calls AS (
  SELECT e.*, coalesce(e.actor, '') AS caller
  FROM aws_event AS e
  WHERE ((e.event_source = 'events.amazonaws.com' AND e.event_name_base IN ('PutRule', 'PutTargets'))
      OR (e.event_source = 'scheduler.amazonaws.com' AND e.event_name_base = 'CreateSchedule')
      OR (e.event_source = 'lambda.amazonaws.com' AND e.event_name_base = 'CreateEventSourceMapping')
      OR (e.event_source = 's3.amazonaws.com' AND e.event_name_base = 'PutBucketNotification')
      OR (e.event_source = 'iot.amazonaws.com' AND e.event_name_base = 'CreateTopicRule'))
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
  coalesce(c.request_name, json_extract_string(c.request_parameters, '$.rule'), c.request_function, c.request_bucket, c.resource) AS resource,
  c.source_ip,
  c.credential_id,
  c.account_id,
  c.region,
  c.outcome,
  c.event_key,
  c.evidence,
  c.session_name,
  c.user_agent
FROM calls AS c
LEFT JOIN habits AS h ON h.caller = c.caller AND h.event_name_base = c.event_name_base
WHERE h.caller IS NULL
  AND c.event_time >= $since
ORDER BY c.event_time NULLS LAST, c.event_key
