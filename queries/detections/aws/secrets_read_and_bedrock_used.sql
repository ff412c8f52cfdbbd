-- ---
-- id = "aws.secrets_read_and_bedrock_used"
-- kind = "detection"
-- title = "Whoever read stored secrets also used Bedrock"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1555.006", "T1496.004"]
-- attack_v19 = ["T1555.006", "T1496.004"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "One credential, or credentials that the same credential obtained, read secrets, parameters or the configuration of functions and looked up or invoked Bedrock models within within_seconds. At least one of these duties is new to the principal that did it: software that does both every day has done both in the baseline. Only successful reads of secrets count; calls of Bedrock count whatever their outcome. Of each principal the first read of each thing and the first call of each model are listed, up to a limit. Accounts whose logs are too short carry baseline_state none."
-- misses = "Sessions that were obtained over more than one step. Credentials whose issue is not in the logs are taken by themselves. An intruder who stole software that has both duties."
-- false_positives = ["A new application that reads its settings from a secret and calls a model", "A developer who tries out such an application"]
-- next_steps = ["Ask the owner of the credential", "List all things that were read and rotate the keys in them", "Count the invocations and price them", "Follow the credential back to where it was issued"]
-- references = ["https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html", "https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieve-ct-entries.html"]
--
-- [params]
-- within_seconds = { type = "integer", doc = "Longest time between a read and a call of Bedrock", default = 86400 }
-- min_baseline_events = { type = "integer", doc = "Events of the account in the baseline for its habits to be known", default = 20 }
-- min_baseline_days = { type = "integer", doc = "Days on which the account must have acted in the baseline", default = 7 }
-- shown_acts = { type = "integer", doc = "Acts listed for each holder of credentials", default = 500 }
-- ---
WITH issues AS (
  SELECT credential_id, min(parent_credential_id) AS parent_credential_id
  FROM credential
  WHERE parent_credential_id IS NOT NULL
  GROUP BY credential_id
),
read_things AS (
  SELECT event_key, min(location_kind || ':' || location) AS thing
  FROM secret_access
  WHERE outcome = 'success'
  GROUP BY event_key
),
acts AS (
  SELECT
    e.event_key,
    e.event_time,
    e.event_epoch,
    coalesce(e.account_id, '') AS account,
    coalesce(e.actor, '') AS principal,
    coalesce(i.parent_credential_id, e.credential_id, e.actor, '') AS holder,
    CASE WHEN r.event_key IS NULL THEN 'bedrock' ELSE 'secret' END AS duty,
    CASE WHEN r.event_key IS NULL THEN e.event_name_base || ':' || coalesce(e.request_model_id, '') ELSE r.thing END AS thing
  FROM aws_event AS e
  LEFT JOIN read_things AS r ON r.event_key = e.event_key
  LEFT JOIN issues AS i ON i.credential_id = e.credential_id
  WHERE (r.event_key IS NOT NULL
      OR (e.event_source = 'bedrock.amazonaws.com'
        AND e.event_name_base IN (
          'InvokeModel', 'InvokeModelWithResponseStream', 'Converse', 'ConverseStream', 'ListFoundationModels',
          'GetFoundationModelAvailability', 'ListInferenceProfiles', 'PutUseCaseForModelAccess',
          'CreateFoundationModelAgreement', 'PutFoundationModelEntitlement', 'GetModelInvocationLoggingConfiguration')))
    AND coalesce(e.invoked_by, '') = ''
    AND coalesce(e.identity_type, '') <> 'AWSService'
),
known_duties AS (
  SELECT DISTINCT principal, duty FROM acts WHERE event_time < $baseline_until
),
window_acts AS (
  SELECT
    a.event_key,
    a.event_epoch,
    a.account,
    a.principal,
    a.holder,
    a.duty,
    a.thing,
    CASE WHEN k.duty IS NULL THEN 1 ELSE 0 END AS is_new
  FROM acts AS a
  LEFT JOIN known_duties AS k ON k.principal = a.principal AND k.duty = a.duty
  WHERE a.event_time >= $baseline_until
    AND a.event_time >= $since
    AND a.event_time < $until
),
-- The nearest act of the other duty before and after; one in the same second is both.
neighbours AS (
  SELECT
    event_key, event_epoch, account, principal, holder, duty, thing, is_new,
    max(CASE WHEN duty = 'secret' THEN event_epoch END) OVER (
      PARTITION BY holder ORDER BY event_epoch NULLS LAST RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS secret_before,
    min(CASE WHEN duty = 'secret' THEN event_epoch END) OVER (
      PARTITION BY holder ORDER BY event_epoch NULLS LAST RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
    ) AS secret_after,
    max(CASE WHEN duty = 'bedrock' THEN event_epoch END) OVER (
      PARTITION BY holder ORDER BY event_epoch NULLS LAST RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS bedrock_before,
    min(CASE WHEN duty = 'bedrock' THEN event_epoch END) OVER (
      PARTITION BY holder ORDER BY event_epoch NULLS LAST RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
    ) AS bedrock_after
  FROM window_acts
),
near_acts AS (
  SELECT
    event_key, event_epoch, account, principal, holder, duty, thing, is_new,
    least(
      event_epoch - CASE duty WHEN 'secret' THEN coalesce(bedrock_before, event_epoch - $within_seconds - 1)
                              ELSE coalesce(secret_before, event_epoch - $within_seconds - 1) END,
      CASE duty WHEN 'secret' THEN coalesce(bedrock_after, event_epoch + $within_seconds + 1)
                ELSE coalesce(secret_after, event_epoch + $within_seconds + 1) END - event_epoch
    ) AS seconds_between
  FROM neighbours
),
new_holders AS (
  SELECT holder
  FROM near_acts
  WHERE seconds_between <= $within_seconds
  GROUP BY holder
  HAVING max(is_new) = 1
),
first_acts AS (
  SELECT
    n.event_key, n.event_epoch, n.account, n.holder, n.duty, n.is_new, n.seconds_between,
    row_number() OVER (
      PARTITION BY n.holder, n.principal, n.duty, n.thing ORDER BY n.event_epoch NULLS LAST, n.event_key
    ) AS place
  FROM near_acts AS n
  JOIN new_holders AS h ON h.holder = n.holder
  WHERE n.seconds_between <= $within_seconds
),
listed AS (
  SELECT event_key, account, holder, duty, is_new, seconds_between,
    row_number() OVER (PARTITION BY holder ORDER BY event_epoch NULLS LAST, event_key) AS act_no
  FROM first_acts
  WHERE place = 1
),
baselines AS (
  SELECT coalesce(account_id, '') AS account, count(*) AS baseline_events, count(DISTINCT event_epoch // 86400) AS baseline_days
  FROM aws_event
  WHERE event_time < $baseline_until
  GROUP BY coalesce(account_id, '')
)
SELECT
  l.holder AS finding_key,
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
  l.duty,
  l.is_new = 1 AS new_to_principal,
  l.seconds_between,
  e.session_name
FROM listed AS l
JOIN aws_event AS e ON e.event_key = l.event_key
LEFT JOIN baselines AS b ON b.account = l.account
WHERE l.act_no <= $shown_acts
ORDER BY e.event_time NULLS LAST, e.event_key
