-- ---
-- id = "aws.console_guessing_succeeded"
-- kind = "detection"
-- title = "Several failed console logins were followed by one that succeeded"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1110.001", "T1110.004", "T1078.004"]
-- attack_v19 = ["T1110.001", "T1110.004", "T1078.004"]
-- attack_version = "18.1"
-- description = "At least failed_logins console logins of one user, or from one address, failed within half an hour, and within an hour after the last of such a series the same user, or the same address, logged in. The login and the failures before it are listed; subject says whether they belong together by user or by address. Failures of names that AWS hides, because no such user exists, are counted by address only."
-- misses = "Guessing that is slower, or spread over addresses and users at once. Logins through an identity provider: their failures stay there."
-- false_positives = ["A forgotten password", "An old entry in a password manager", "Many colleagues behind one address after a password expired"]
-- next_steps = ["Ask the user about the login and the address", "List what the session did after the login", "Look whether a second factor was used"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html", "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html"]
--
-- [params]
-- failed_logins = { type = "integer", doc = "Failed logins of one user or address within half an hour", default = 5 }
-- ---
WITH logins AS (
  SELECT
    event_key,
    event_epoch,
    coalesce(json_extract_string(response_elements, '$.ConsoleLogin'), '') AS answer,
    coalesce(account_id, '') || '/' || coalesce(user_name, actor, '') AS login_user,
    coalesce(user_name, '') = 'HIDDEN_DUE_TO_SECURITY_REASONS' AS is_hidden,
    source_ip
  FROM aws_event
  WHERE event_source = 'signin.amazonaws.com'
    AND event_name_base = 'ConsoleLogin'
    AND event_time < $until
),
subjects AS (
  SELECT event_key, event_epoch, answer, 'user' AS subject, 'user ' || login_user AS name FROM logins WHERE NOT is_hidden
  UNION ALL
  SELECT event_key, event_epoch, answer, 'address' AS subject, 'address ' || source_ip AS name FROM logins
),
counted AS (
  SELECT
    event_key,
    event_epoch,
    answer,
    subject,
    name,
    count(CASE WHEN answer = 'Failure' THEN event_key END) OVER (
      PARTITION BY name ORDER BY event_epoch NULLS LAST RANGE BETWEEN 1800 PRECEDING AND CURRENT ROW
    ) AS failures
  FROM subjects
),
series AS (
  SELECT name, event_epoch
  FROM counted
  WHERE answer = 'Failure'
    AND failures >= $failed_logins
),
entries AS (
  SELECT c.event_key, c.subject, c.name, c.event_epoch
  FROM counted AS c
  WHERE c.answer = 'Success'
    AND EXISTS (
      SELECT 1 FROM series AS s
      WHERE s.name = c.name
        AND s.event_epoch <= c.event_epoch
        AND s.event_epoch >= c.event_epoch - 3600
    )
),
steps AS (
  SELECT event_key, subject, name FROM entries
  UNION
  SELECT f.event_key, f.subject, f.name
  FROM entries AS n
  JOIN counted AS f ON f.name = n.name
  WHERE f.answer = 'Failure'
    AND f.event_epoch <= n.event_epoch
    AND f.event_epoch >= n.event_epoch - 5400
)
SELECT
  s.name || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  e.user_name AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  s.subject,
  json_extract_string(e.additional_event_data, '$.MFAUsed') AS mfa_used,
  e.user_agent
FROM steps AS s
JOIN aws_event AS e ON e.event_key = s.event_key
WHERE e.event_time >= $since
ORDER BY e.event_time NULLS LAST, s.subject NULLS LAST, e.event_key
