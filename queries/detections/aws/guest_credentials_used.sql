-- ---
-- id = "aws.guest_credentials_used"
-- kind = "detection"
-- title = "Credentials that an identity pool gives to guests were used for a service new to their role"
-- severity = "medium"
-- confidence = "low"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1078.004", "T1190"]
-- attack_v19 = ["T1078.004", "T1190"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "A session of an identity pool of Cognito, whose sessions all carry one fixed name, called a service that no session of its role called in the baseline, and it is one of a guest: the name of its role says so, or an identity or credentials without a login were asked for from the same address before. An application's page gives its pool away, and anybody can ask it for credentials. Denied attempts count. guest says how it is known; of each role and service the first call is listed, calls counts them. Roles with too little baseline carry baseline_state none."
-- misses = "Use of the services that the application itself uses. A pool whose role has another name and whose data events are not recorded."
-- false_positives = ["A new function of the application"]
-- next_steps = ["Read what the guest role may do, and cut it down to what the application needs", "List what sessions of the role did", "Switch guests off where the application has none"]
-- references = ["https://docs.aws.amazon.com/cognito/latest/developerguide/identity-pools.html", "https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetCredentialsForIdentity.html"]
--
-- [params]
-- min_baseline_calls = { type = "integer", doc = "Calls of a role in the baseline for its services to be known", default = 20 }
-- ---
WITH issues AS (
  SELECT source_ip_key, min(event_epoch) AS first_epoch
  FROM aws_event
  WHERE event_source = 'cognito-identity.amazonaws.com'
    AND event_name_base IN ('GetId', 'GetCredentialsForIdentity', 'GetOpenIdToken')
    AND outcome = 'success'
    AND coalesce(json_extract_string(request_parameters, '$.logins'), '') IN ('', '{}')
    AND source_class = 'public'
  GROUP BY source_ip_key
),
uses AS (
  SELECT
    e.event_key,
    e.event_time,
    e.event_epoch,
    coalesce(e.issuer_arn, '') AS role_arn,
    coalesce(e.event_source, '') AS service,
    lower(coalesce(e.issuer_name, '')) LIKE '%unauth%' AS named_so,
    coalesce(i.first_epoch <= e.event_epoch, FALSE) AS asked_so
  FROM aws_event AS e
  LEFT JOIN issues AS i ON i.source_ip_key = e.source_ip_key
  WHERE e.session_name = 'CognitoIdentityCredentials'
    AND e.event_time < $until
),
baselines AS (
  SELECT role_arn, count(*) AS baseline_calls FROM uses WHERE event_time < $baseline_until GROUP BY role_arn
),
known_services AS (
  SELECT DISTINCT role_arn, service FROM uses WHERE event_time < $baseline_until
),
new_uses AS (
  SELECT
    u.event_key,
    u.role_arn,
    u.service,
    u.named_so,
    count(*) OVER (
      PARTITION BY u.role_arn, u.service ORDER BY u.event_epoch NULLS LAST, u.event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS calls,
    row_number() OVER (PARTITION BY u.role_arn, u.service ORDER BY u.event_epoch NULLS LAST, u.event_key) AS place
  FROM uses AS u
  LEFT JOIN known_services AS k ON k.role_arn = u.role_arn AND k.service = u.service
  WHERE k.role_arn IS NULL
    AND (u.named_so OR u.asked_so)
    AND u.event_time >= $since
)
SELECT
  n.role_arn || '|' || n.service AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  n.role_arn AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  CASE WHEN coalesce(b.baseline_calls, 0) >= $min_baseline_calls THEN 'sufficient' ELSE 'none' END AS baseline_state,
  CASE WHEN n.named_so THEN 'name of the role' ELSE 'asked for without a login' END AS guest,
  n.service,
  n.calls,
  e.session_name,
  e.user_agent
FROM new_uses AS n
JOIN aws_event AS e ON e.event_key = n.event_key
LEFT JOIN baselines AS b ON b.role_arn = n.role_arn
WHERE n.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
