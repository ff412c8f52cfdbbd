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
-- Every answer carries what is listed of it: to join the few that remain to all events again costs more than all else.
WITH answers AS (
  SELECT
    event_key,
    event_time,
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
    END AS step,
    actor,
    event_name_base AS action,
    user_name AS resource,
    source_ip,
    credential_id,
    account_id,
    region,
    outcome,
    evidence,
    error_message,
    user_agent
  FROM aws_event
  WHERE event_source = 'signin.amazonaws.com'
    AND event_name_base IN ('ConsoleLogin', 'CheckMfa')
    AND event_time < $until
),
counted AS (
  SELECT
    *,
    count(CASE WHEN step = 'failure' THEN event_key END) OVER (
      PARTITION BY login_user ORDER BY event_epoch NULLS LAST RANGE BETWEEN 900 PRECEDING AND CURRENT ROW
    ) AS failures
  FROM answers
),
-- The failure that completes a series: those before it and a login after it belong to it.
series AS (
  SELECT *, CASE WHEN step = 'failure' AND failures >= $failed_checks THEN event_key END AS completing
  FROM counted
),
marked AS (
  SELECT
    *,
    count(completing) OVER (
      PARTITION BY login_user ORDER BY event_epoch NULLS LAST RANGE BETWEEN CURRENT ROW AND 900 FOLLOWING
    ) AS completed_after,
    count(completing) OVER (
      PARTITION BY login_user ORDER BY event_epoch NULLS LAST RANGE BETWEEN 1800 PRECEDING AND CURRENT ROW
    ) AS completed_before
  FROM series
)
SELECT
  login_user || '|' || strftime(event_time, '%Y-%m-%d') AS finding_key,
  event_time,
  actor,
  action,
  resource,
  source_ip,
  credential_id,
  account_id,
  region,
  outcome,
  event_key,
  evidence,
  step,
  error_message,
  user_agent
FROM marked
WHERE ((step = 'failure' AND completed_after > 0) OR (step = 'login' AND completed_before > 0))
  AND event_time >= $since
ORDER BY event_time NULLS LAST, event_key
