-- ---
-- id = "aws.console_password_recovered"
-- kind = "detection"
-- title = "A forgotten console password was recovered"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1078.004", "T1098"]
-- attack_v19 = ["T1078.004", "T1098"]
-- attack_version = "18.1"
-- description = "The recovery of a forgotten password was asked for or completed at the sign-in page, by a principal that had not made the same call before the end of the baseline. Denied attempts count, because they show the intent. Calls that a service makes for its caller are left out. Whoever reads the mailbox of the root user gets in this way."
-- misses = "A recovery whose record lies in a region that is not here: AWS writes it to us-east-1."
-- false_positives = ["The owner lost the password"]
-- next_steps = ["Ask the owner of the mailbox", "Look for logins of the root user afterwards: aws.root_activity", "Secure the mailbox first"]
-- references = ["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html"]
-- ---
WITH calls AS (
  SELECT e.*, coalesce(e.actor, '') AS caller
  FROM aws_event AS e
  WHERE e.event_source = 'signin.amazonaws.com'
    AND e.event_name_base IN ('PasswordRecoveryRequested', 'PasswordRecoveryCompleted')
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
  coalesce(c.user_name, c.resource) AS resource,
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
