-- ---
-- id = "aws.ssm_command_sent"
-- kind = "detection"
-- title = "Commands were sent to machines by a principal that had not done so, or to many at once"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1651"]
-- attack_v19 = ["T1651"]
-- attack_version = "18.1"
-- description = "Systems Manager was told to run a command on machines: by a principal that sent none with that document before the end of the baseline, or by any principal on at least min_instances machines in one clock hour of which the baseline had no equal. Machines chosen by tags or resource groups are not named in the record; such a call counts as many machines. Denied attempts count, because they show the intent. AWS hides the text of the command in the record: it must be taken from the machine, from Systems Manager or from the output bucket."
-- misses = "Commands of a stolen credential whose owner sends the same document as routine to as many machines. Automations and associations, which Systems Manager runs in its own name. Hours in which commands are spread thinly."
-- false_positives = ["Patching or deployment that started after the baseline", "An engineer who repairs machines"]
-- next_steps = ["Take the text and output of the command from Systems Manager: ListCommands and GetCommandInvocation, kept for 30 days", "Ask the principal about the command", "Look for credentials of these machines used elsewhere afterwards"]
-- references = ["https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html", "https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command.html"]
--
-- [params]
-- min_instances = { type = "integer", doc = "Machines in one clock hour that are many", default = 3 }
-- ---
WITH commands AS (
  SELECT
    event_key,
    event_time,
    event_epoch,
    outcome,
    coalesce(actor, '') AS caller,
    coalesce(json_extract_string(request_parameters, '$.documentName'), '') AS document,
    -- A list holds one quoted text for each machine, two quotes each.
    (length(coalesce(json_extract_string(request_parameters, '$.instanceIds'), ''))
      - length(replace(coalesce(json_extract_string(request_parameters, '$.instanceIds'), ''), '"', ''))) // 2 AS named_instances,
    coalesce(json_extract_string(request_parameters, '$.targets'), '') NOT IN ('', '[]') AS by_tags
  FROM aws_event
  WHERE event_source = 'ssm.amazonaws.com'
    AND event_name_base = 'SendCommand'
    AND outcome IN ('success', 'denied')
    AND coalesce(identity_type, '') <> 'AWSService'
    AND coalesce(invoked_by, '') = ''
    AND event_time < $until
),
hours AS (
  SELECT
    caller,
    event_epoch // 3600 AS hour_no,
    max(CASE WHEN event_time < $baseline_until THEN 1 ELSE 0 END) AS in_baseline,
    CAST(sum(CASE WHEN by_tags THEN $min_instances ELSE named_instances END) AS BIGINT) AS instances
  FROM commands
  GROUP BY caller, event_epoch // 3600
),
habits AS (
  SELECT DISTINCT caller, document FROM commands WHERE event_time < $baseline_until AND outcome = 'success'
),
usual_hours AS (
  SELECT caller, max(instances) AS most_instances FROM hours WHERE in_baseline = 1 GROUP BY caller
)
SELECT
  c.caller || '|' || coalesce(e.credential_id, '') || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  coalesce(json_extract_string(e.request_parameters, '$.instanceIds'),
           json_extract_string(e.request_parameters, '$.targets'), e.resource) AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  c.document,
  c.named_instances,
  c.by_tags,
  h.instances AS instances_in_hour,
  b.document IS NULL AS new_for_principal,
  json_extract_string(e.response_elements, '$.command.commandId') AS command_id,
  e.session_name,
  e.user_agent
FROM commands AS c
JOIN aws_event AS e ON e.event_key = c.event_key
JOIN hours AS h ON h.caller = c.caller AND h.hour_no = c.event_epoch // 3600
LEFT JOIN habits AS b ON b.caller = c.caller AND b.document = c.document
LEFT JOIN usual_hours AS u ON u.caller = c.caller
WHERE (b.document IS NULL
    OR (h.instances >= $min_instances AND h.instances > coalesce(u.most_instances, 0)))
  AND c.event_time >= $since
ORDER BY e.event_time NULLS LAST, e.event_key
