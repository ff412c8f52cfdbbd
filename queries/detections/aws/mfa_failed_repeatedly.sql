-- ---
-- id = "aws.mfa_failed_repeatedly"
-- kind = "detection"
-- title = "The second factor of a user failed several times"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1621", "T1110"]
-- attack_v19 = ["T1621", "T1110"]
-- attack_version = "18.1"
-- description = "Console logins of one user whose message speaks of MFA, or checks of the second factor (CheckMfa), failed at least failed_checks times within a quarter of an hour: the password was right. The failures are listed, and a login of the same user within half an hour after them; step says which is which."
-- misses = "Second factors that an identity provider asks for. A second factor that was guessed or fished at the first try."
-- false_positives = ["A device whose clock is wrong", "A new telephone"]
-- next_steps = ["Ask the user whether they tried to log in", "Change the password: whoever failed knows it", "If a login followed, list what the session did"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html", "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html"]
--
-- [params]
-- failed_checks = { type = "integer", doc = "Failures of the second factor within a quarter of an hour", default = 4 }
-- ---
WITH answers AS (
  SELECT
    event_key,
    event_epoch,
    coalesce(account_id, '') || '/' || coalesce(user_name, actor, '') AS login_user,
    CASE
      WHEN event_name_base = 'ConsoleLogin' AND coalesce(json_extract_string(response_elements, '$.ConsoleLogin'), '') = 'Success'
        THEN 'login'
      WHEN event_name_base = 'ConsoleLogin'
        AND coalesce(json_extract_string(response_elements, '$.ConsoleLogin'), '') = 'Failure'
        AND contains(lower(coalesce(error_message, '')), 'mfa')
        THEN 'failure'
      WHEN event_name_base = 'CheckMfa' AND coalesce(json_extract_string(response_elements, '$.CheckMfa'), '') = 'Failure'
        THEN 'failure'
    END AS step
  FROM aws_event
  WHERE event_source = 'signin.amazonaws.com'
    AND event_name_base IN ('ConsoleLogin', 'CheckMfa')
    AND event_time < $until
),
counted AS (
  SELECT
    event_key,
    event_epoch,
    login_user,
    step,
    count(CASE WHEN step = 'failure' THEN event_key END) OVER (
      PARTITION BY login_user ORDER BY event_epoch NULLS LAST RANGE BETWEEN 900 PRECEDING AND CURRENT ROW
    ) AS failures
  FROM answers
),
series AS (
  SELECT login_user, event_epoch FROM counted WHERE step = 'failure' AND failures >= $failed_checks
),
steps AS (
  SELECT DISTINCT a.event_key, a.login_user, a.step
  FROM series AS s
  JOIN answers AS a ON a.login_user = s.login_user
  WHERE (a.step = 'failure' AND a.event_epoch <= s.event_epoch AND a.event_epoch >= s.event_epoch - 900)
     OR (a.step = 'login' AND a.event_epoch >= s.event_epoch AND a.event_epoch <= s.event_epoch + 1800)
)
SELECT
  s.login_user || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
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
  s.step,
  e.error_message,
  e.user_agent
FROM steps AS s
JOIN aws_event AS e ON e.event_key = s.event_key
WHERE e.event_time >= $since
ORDER BY e.event_time NULLS LAST, e.event_key
