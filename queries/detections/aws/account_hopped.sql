-- ---
-- id = "aws.account_hopped"
-- kind = "detection"
-- title = "A principal changed into a role of another account for the first time"
-- severity = "medium"
-- confidence = "low"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1021.007", "T1199", "T1550.001"]
-- attack_v19 = ["T1021.007", "T1199", "T1550.001"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "A user or role session assumed a role of another account, and the same principal had not assumed a role of that account before the end of the baseline. Both records of one change, in the account that is left and in the one that is entered, are listed; they share shared_event_id, and calls_there counts what the new session did in the logs. Refused attempts do not count: aws.assume_role_denied_sweep. Principals with too little baseline carry baseline_state none."
-- misses = "Accounts that the principal enters as its work. Changes of which only the record of the entered account is here and the caller is not named."
-- false_positives = ["A deployment that gets a new account", "An administrator's first look at an account"]
-- next_steps = ["Follow the session by next_credential_id", "Ask for the logs of the entered account if they are not here", "Compare the address with earlier changes of the principal"]
-- references = ["https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html", "https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html"]
--
-- [params]
-- min_baseline_events = { type = "integer", doc = "Events the principal must have in the baseline for its accounts to be known", default = 20 }
-- min_baseline_days = { type = "integer", doc = "Days on which the principal must have acted in the baseline", default = 7 }
-- ---
WITH changes AS (
  SELECT
    e.*,
    e.actor AS caller,
    regexp_extract(e.request_role_arn, '^arn:[a-z-]*:iam::([0-9]{12}):', 1) AS entered_account
  FROM aws_event AS e
  WHERE e.event_source = 'sts.amazonaws.com'
    AND e.event_name_base = 'AssumeRole'
    AND e.outcome = 'success'
    AND coalesce(e.identity_type, '') IN ('IAMUser', 'AssumedRole', 'FederatedUser', 'Root')
    AND coalesce(e.invoked_by, '') = ''
    AND regexp_extract(e.request_role_arn, '^arn:[a-z-]*:iam::([0-9]{12}):', 1) NOT IN (e.actor_account_id, '')
    AND e.event_time < $until
),
known_accounts AS (
  SELECT DISTINCT caller, entered_account FROM changes WHERE event_time < $baseline_until
),
baselines AS (
  SELECT actor AS caller, count(*) AS baseline_events, count(DISTINCT event_epoch // 86400) AS baseline_days
  FROM aws_event
  WHERE event_time < $baseline_until
  GROUP BY actor
),
session_calls AS (
  SELECT c.event_key, count(*) AS calls_there
  FROM changes AS c
  JOIN aws_event AS u ON u.credential_id = c.issued_credential_id
  GROUP BY c.event_key
),
numbered AS (
  SELECT
    c.event_key,
    row_number() OVER (
      PARTITION BY c.caller, c.session_name, c.request_role_arn, c.account_id ORDER BY c.event_epoch NULLS LAST, c.event_key
    ) AS place
  FROM changes AS c
  LEFT JOIN known_accounts AS k ON k.caller = c.caller AND k.entered_account = c.entered_account
  WHERE k.caller IS NULL
    AND c.event_time >= $since
)
SELECT
  c.caller || '|' || c.entered_account || '|' || strftime(c.event_time, '%Y-%m-%d') AS finding_key,
  c.event_time,
  c.actor,
  c.event_name_base AS action,
  c.request_role_arn AS resource,
  c.source_ip,
  c.credential_id,
  c.account_id,
  c.region,
  c.outcome,
  c.event_key,
  c.evidence,
  CASE
    WHEN coalesce(b.baseline_events, 0) >= $min_baseline_events AND coalesce(b.baseline_days, 0) >= $min_baseline_days
      THEN 'sufficient'
    ELSE 'none'
  END AS baseline_state,
  c.entered_account,
  c.issued_credential_id AS next_credential_id,
  coalesce(s.calls_there, 0) AS calls_there,
  c.shared_event_id,
  c.session_name,
  c.user_agent
FROM numbered AS n
JOIN changes AS c ON c.event_key = n.event_key
LEFT JOIN session_calls AS s ON s.event_key = c.event_key
LEFT JOIN baselines AS b ON b.caller = c.caller
WHERE n.place = 1
ORDER BY c.event_time NULLS LAST, c.event_key
