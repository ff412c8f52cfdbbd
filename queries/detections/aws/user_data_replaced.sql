-- ---
-- id = "aws.user_data_replaced"
-- kind = "detection"
-- title = "The start-up script of a machine was replaced"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1059.009", "T1578.005"]
-- attack_v19 = ["T1059.009", "T1578.005"]
-- attack_version = "18.1"
-- description = "The user data of an existing instance was changed: the machine runs it as administrator at its next start. The change is listed, and the stops and starts of the same instance within around_seconds of it; step says which is which. Denied attempts at the change count, because they show the intent; of stops and starts only the successful ones are listed. AWS hides the script in the record."
-- misses = "Scripts that an instance gets when it is launched, or from a launch template. A restart later than around_seconds."
-- false_positives = ["Scripts that rebuild machines in place", "An engineer who repairs the start of a machine"]
-- next_steps = ["Read the present user data with DescribeInstanceAttribute and compare it with the intended one", "Take an image of the machine before anything else", "Look at what the role of the instance did after the start"]
-- references = ["https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html", "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html"]
--
-- [params]
-- around_seconds = { type = "integer", doc = "Seconds before and after the change in which stops and starts are listed", default = 3600 }
-- ---
WITH changes AS (
  SELECT
    event_key,
    event_epoch,
    coalesce(account_id, '') AS account,
    coalesce(region, '') AS place,
    coalesce(actor, '') AS caller,
    coalesce(json_extract_string(request_parameters, '$.instanceId'), '') AS instance_id
  FROM aws_event
  WHERE event_source = 'ec2.amazonaws.com'
    AND event_name_base = 'ModifyInstanceAttribute'
    AND json_extract_string(request_parameters, '$.userData') IS NOT NULL
    AND outcome IN ('success', 'denied')
    AND coalesce(invoked_by, '') = ''
    AND event_time >= $since
    AND event_time < $until
),
-- One call stops or starts several instances: its parameters are searched for each instance between quotes.
power_calls AS (
  SELECT
    event_key,
    event_epoch,
    event_name_base,
    coalesce(account_id, '') AS account,
    coalesce(region, '') AS place,
    CAST(request_parameters AS VARCHAR) AS parameters
  FROM aws_event
  WHERE event_source = 'ec2.amazonaws.com'
    AND event_name_base IN ('StopInstances', 'StartInstances')
    AND outcome = 'success'
    AND event_time >= $since
    AND event_time < $until
),
steps AS (
  SELECT event_key, caller, instance_id, 'change' AS step FROM changes
  UNION
  SELECT
    w.event_key,
    c.caller,
    c.instance_id,
    CASE WHEN w.event_name_base = 'StopInstances' THEN 'stop before' ELSE 'start after' END AS step
  FROM changes AS c
  JOIN power_calls AS w ON w.account = c.account AND w.place = c.place
  WHERE c.instance_id <> ''
    AND replace(w.parameters, '"' || c.instance_id || '"', '') <> w.parameters
    AND ((w.event_name_base = 'StopInstances'
        AND w.event_epoch <= c.event_epoch
        AND w.event_epoch >= c.event_epoch - $around_seconds)
      OR (w.event_name_base = 'StartInstances'
        AND w.event_epoch >= c.event_epoch
        AND w.event_epoch <= c.event_epoch + $around_seconds))
)
SELECT
  s.caller || '|' || s.instance_id AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  s.instance_id AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  s.step,
  e.session_name,
  e.user_agent
FROM steps AS s
JOIN aws_event AS e ON e.event_key = s.event_key
ORDER BY e.event_time NULLS LAST, s.instance_id NULLS LAST, s.caller NULLS LAST, e.event_key
