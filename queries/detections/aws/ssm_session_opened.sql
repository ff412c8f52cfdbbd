-- ---
-- id = "aws.ssm_session_opened"
-- kind = "detection"
-- title = "A shell or tunnel into a machine was opened through Systems Manager"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1021.007", "T1651"]
-- attack_v19 = ["T1021.007", "T1651"]
-- attack_version = "18.1"
-- description = "A session was started or resumed by a principal that opened none before the end of the baseline, or sessions were opened to at least min_targets machines in one clock hour, or a tunnel was opened by a principal that used none before. Denied attempts count, because they show the intent. What was typed in the session is not in CloudTrail."
-- misses = "Sessions of a stolen credential whose owner opens sessions as routine. Roles that several persons share count as one principal."
-- false_positives = ["Operations engineers after the baseline", "A tunnel to a database for support work"]
-- next_steps = ["Fetch the session's log from its bucket or log group, if logging of sessions is on", "Ask the principal about the machine and the time", "Look at what the credentials of the machine did afterwards"]
-- references = ["https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartSession.html", "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-auditing.html"]
--
-- [params]
-- min_targets = { type = "integer", doc = "Different machines in one clock hour that are many", default = 3 }
-- ---
WITH sessions AS (
  SELECT
    event_key,
    event_time,
    event_epoch,
    outcome,
    coalesce(actor, '') AS caller,
    coalesce(json_extract_string(request_parameters, '$.target'), '') AS target,
    regexp_matches(coalesce(json_extract_string(request_parameters, '$.documentName'), ''), '(?i)portforward') AS is_tunnel
  FROM aws_event
  WHERE event_source = 'ssm.amazonaws.com'
    AND event_name_base IN ('StartSession', 'ResumeSession')
    AND outcome IN ('success', 'denied')
    AND coalesce(invoked_by, '') = ''
    AND event_time < $until
),
hours AS (
  SELECT caller, event_epoch // 3600 AS hour_no, count(DISTINCT target) AS targets
  FROM sessions
  GROUP BY caller, event_epoch // 3600
),
habits AS (
  SELECT DISTINCT caller, is_tunnel FROM sessions WHERE event_time < $baseline_until AND outcome = 'success'
)
SELECT
  s.caller || '|' || coalesce(e.session_name, '') || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  coalesce(json_extract_string(e.request_parameters, '$.target'),
           json_extract_string(e.request_parameters, '$.sessionId'), e.resource) AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  json_extract_string(e.request_parameters, '$.documentName') AS document,
  s.is_tunnel,
  b.caller IS NULL AS new_for_principal,
  h.targets AS targets_in_hour,
  json_extract_string(e.response_elements, '$.sessionId') AS opened_session,
  e.session_name,
  e.user_agent
FROM sessions AS s
JOIN aws_event AS e ON e.event_key = s.event_key
JOIN hours AS h ON h.caller = s.caller AND h.hour_no = s.event_epoch // 3600
LEFT JOIN habits AS b ON b.caller = s.caller AND b.is_tunnel = s.is_tunnel
WHERE (b.caller IS NULL OR h.targets >= $min_targets)
  AND s.event_time >= $since
ORDER BY e.event_time NULLS LAST, e.event_key
