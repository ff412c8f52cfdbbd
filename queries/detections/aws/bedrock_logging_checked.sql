-- ---
-- id = "aws.bedrock_logging_checked"
-- kind = "detection"
-- title = "A principal asked for the first time whether Bedrock logs prompts and answers"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1654"]
-- attack_v19 = ["T1654"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "A principal read the configuration that logs the prompts and answers of Amazon Bedrock, and did not do so in the baseline. followed_by tells what the same credential did within follow_seconds afterwards: it changed or deleted that configuration, it invoked a model, or neither. Each credential, region and outcome is listed once, with the number of such calls. Denied calls count. Accounts whose logs are too short carry baseline_state none."
-- misses = "A check with one credential and the invocation with another. Principals that also checked before."
-- false_positives = ["An administrator who opens the settings page of Bedrock", "A posture scanner on its first run", "A tool that manages infrastructure and reads the present state"]
-- next_steps = ["Ask the owner of the credential", "List the model calls and the changes of this credential in all regions", "Secure the model invocation logs that exist"]
-- references = ["https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GetModelInvocationLoggingConfiguration.html", "https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html"]
--
-- [params]
-- follow_seconds = { type = "integer", doc = "Longest time from the check to what followed it", default = 600 }
-- min_baseline_events = { type = "integer", doc = "Events of the account in the baseline for its habits to be known", default = 20 }
-- min_baseline_days = { type = "integer", doc = "Days on which the account must have acted in the baseline", default = 7 }
-- ---
WITH calls AS (
  SELECT
    event_key,
    event_time,
    event_epoch,
    coalesce(account_id, '') AS account,
    coalesce(region, '') AS used_region,
    coalesce(actor, '') AS principal,
    coalesce(credential_id, actor, '') AS caller,
    coalesce(outcome, '') AS outcome,
    CASE
      WHEN event_name_base = 'GetModelInvocationLoggingConfiguration' THEN 'check'
      WHEN event_name_base IN ('PutModelInvocationLoggingConfiguration', 'DeleteModelInvocationLoggingConfiguration') THEN 'change'
      ELSE 'invocation'
    END AS step
  FROM aws_event
  WHERE event_source = 'bedrock.amazonaws.com'
    AND event_name_base IN (
      'GetModelInvocationLoggingConfiguration', 'PutModelInvocationLoggingConfiguration',
      'DeleteModelInvocationLoggingConfiguration', 'InvokeModel', 'InvokeModelWithResponseStream', 'Converse',
      'ConverseStream')
    AND coalesce(invoked_by, '') = ''
),
-- What comes in the same second counts as later.
followed AS (
  SELECT
    event_key,
    event_time,
    event_epoch,
    account,
    used_region,
    principal,
    caller,
    outcome,
    step,
    min(CASE WHEN step = 'change' THEN event_epoch END) OVER (
      PARTITION BY caller ORDER BY event_epoch NULLS LAST
      RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
    ) AS change_epoch,
    min(CASE WHEN step = 'invocation' THEN event_epoch END) OVER (
      PARTITION BY caller ORDER BY event_epoch NULLS LAST
      RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
    ) AS invocation_epoch
  FROM calls
  WHERE event_time < $until
),
known_principals AS (
  SELECT DISTINCT principal FROM calls WHERE step = 'check' AND event_time < $baseline_until
),
baselines AS (
  SELECT coalesce(account_id, '') AS account, count(*) AS baseline_events, count(DISTINCT event_epoch // 86400) AS baseline_days
  FROM aws_event
  WHERE event_time < $baseline_until
  GROUP BY coalesce(account_id, '')
),
checks AS (
  SELECT
    f.event_key,
    f.account,
    f.principal,
    max(CASE WHEN coalesce(f.change_epoch - f.event_epoch <= $follow_seconds, FALSE) THEN 1 ELSE 0 END) OVER (
      PARTITION BY f.principal, f.caller, f.account, f.used_region, f.outcome, f.event_epoch // 86400
    ) AS changed,
    max(CASE WHEN coalesce(f.invocation_epoch - f.event_epoch <= $follow_seconds, FALSE) THEN 1 ELSE 0 END) OVER (
      PARTITION BY f.principal, f.caller, f.account, f.used_region, f.outcome, f.event_epoch // 86400
    ) AS invoked,
    count(*) OVER (
      PARTITION BY f.principal, f.caller, f.account, f.used_region, f.outcome, f.event_epoch // 86400
    ) AS calls,
    row_number() OVER (
      PARTITION BY f.principal, f.caller, f.account, f.used_region, f.outcome, f.event_epoch // 86400
      ORDER BY f.event_epoch NULLS LAST, f.event_key
    ) AS place
  FROM followed AS f
  LEFT JOIN known_principals AS k ON k.principal = f.principal
  WHERE f.step = 'check'
    AND k.principal IS NULL
    AND f.event_time >= $since
)
SELECT
  c.principal || '|' || c.account || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  e.resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  CASE
    WHEN coalesce(b.baseline_events, 0) >= $min_baseline_events AND coalesce(b.baseline_days, 0) >= $min_baseline_days
      THEN 'sufficient'
    ELSE 'none'
  END AS baseline_state,
  CASE WHEN c.changed = 1 THEN 'change' WHEN c.invoked = 1 THEN 'invocation' ELSE 'nothing' END AS followed_by,
  c.calls,
  e.session_name,
  e.user_agent
FROM checks AS c
JOIN aws_event AS e ON e.event_key = c.event_key
LEFT JOIN baselines AS b ON b.account = c.account
WHERE c.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
