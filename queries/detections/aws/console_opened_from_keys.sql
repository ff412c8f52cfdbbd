-- ---
-- id = "aws.console_opened_from_keys"
-- kind = "detection"
-- title = "Keys of the command line were turned into a console session"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1550.001", "T1538"]
-- attack_v19 = ["T1550.001", "T1538"]
-- attack_version = "18.1"
-- description = "GetSigninToken was called by a principal that had not done so before the end of the baseline: whoever holds temporary keys gets a console session from it, without password and second factor. The portal of IAM Identity Center does the same for its own sessions and is left out by the kind of role together with its user agent. Refused calls do not count: they give no session. login_after tells when the same principal logged in to the console within a quarter of an hour, and login_ip from where."
-- misses = "A session of a role of Identity Center whose holder imitates the portal. Principals that open consoles this way as a habit."
-- false_positives = ["Tools that open the console from a profile on the command line", "An own login portal"]
-- next_steps = ["Ask the holder of the credential", "Compare the address of the console session with that of the keys", "List what the console session did"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html", "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html"]
-- ---
WITH tokens AS (
  SELECT
    e.*,
    coalesce(e.actor, '') || '/' || coalesce(e.session_name, '') AS principal
  FROM aws_event AS e
  WHERE e.event_source = 'signin.amazonaws.com'
    AND e.event_name_base = 'GetSigninToken'
    AND e.outcome = 'success'
    AND NOT (contains(coalesce(e.actor, ''), '/AWSReservedSSO_') AND starts_with(coalesce(e.user_agent, ''), 'Jersey/'))
    AND e.event_time < $until
),
habits AS (
  SELECT DISTINCT principal FROM tokens WHERE event_time < $baseline_until
),
logins AS (
  SELECT t.event_key, min(l.event_time) AS login_after, min(l.source_ip) AS login_ip
  FROM tokens AS t
  JOIN aws_event AS l ON coalesce(l.actor, '') || '/' || coalesce(l.session_name, '') = t.principal
  WHERE l.event_source = 'signin.amazonaws.com'
    AND l.event_name_base = 'ConsoleLogin'
    AND l.event_epoch >= t.event_epoch
    AND l.event_epoch <= t.event_epoch + 900
  GROUP BY t.event_key
)
SELECT
  t.principal || '|' || strftime(t.event_time, '%Y-%m-%d') AS finding_key,
  t.event_time,
  t.actor,
  t.event_name_base AS action,
  t.resource,
  t.source_ip,
  t.credential_id,
  t.account_id,
  t.region,
  t.outcome,
  t.event_key,
  t.evidence,
  l.login_after,
  l.login_ip,
  t.session_name,
  t.user_agent
FROM tokens AS t
LEFT JOIN habits AS h ON h.principal = t.principal
LEFT JOIN logins AS l ON l.event_key = t.event_key
WHERE h.principal IS NULL
  AND t.event_time >= $since
ORDER BY t.event_time NULLS LAST, t.event_key
