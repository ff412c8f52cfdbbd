-- ---
-- id = "aws.cloudshell_opened"
-- kind = "detection"
-- title = "CloudShell was opened by a principal that had not used it"
-- severity = "low"
-- confidence = "low"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1059.009"]
-- attack_v19 = ["T1059.009"]
-- attack_version = "18.1"
-- description = "An environment or session of CloudShell was made, or console credentials were put into one, by a principal that had not made the same call before the end of the baseline. Denied attempts count, because they show the intent. Calls that a service makes for its caller are left out. CloudShell turns a console session into a command line whose address belongs to AWS."
-- misses = "What is done in the shell shows as calls with CloudShell in the user agent. A stolen credential of a principal that makes such calls as its work."
-- false_positives = ["Administrators; without a stated T0 there is no baseline and every such call appears"]
-- next_steps = ["Look for calls of the same session with CloudShell in the user agent"]
-- references = ["https://docs.aws.amazon.com/cloudshell/latest/userguide/logging-and-monitoring.html"]
-- ---
WITH calls AS (
  SELECT e.*, coalesce(e.actor, '') AS caller
  FROM aws_event AS e
  WHERE e.event_source = 'cloudshell.amazonaws.com'
    AND e.event_name_base IN ('CreateEnvironment', 'CreateSession', 'PutCredentials')
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
    json_extract_string(c.request_parameters, '$.environmentId'),
    c.resource
  ) AS resource,
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
