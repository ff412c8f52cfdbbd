-- ---
-- id = "aws.federated_session_new_network"
-- kind = "detection"
-- title = "A role for an identity provider was entered by a new subject or used from a new network"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1199", "T1078.004"]
-- attack_v19 = ["T1199", "T1078.004"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "A session was given by web identity or SAML to a subject (a repository, a service account, a person) that the role did not know in its baseline, or the key of such a session acts from an IPv4 /24 or IPv6 /48 that no session of the role used there, and that is not the network of the login. reason says which. Roles with too little baseline carry baseline_state none. Refused logins do not count: they give no session; denied calls of a session do. Of each key and network the first call is listed, calls counts them."
-- misses = "A stolen token that is used in the network of the runners, for a known subject. Sessions whose login lies before the logs begin."
-- false_positives = ["Runners or clusters that moved", "A new repository, service account or colleague"]
-- next_steps = ["Ask the owner of the subject about the time and the address", "List what the key did", "Read the conditions of the role's trust policy: do they name one subject only?"]
-- references = ["https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html", "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html", "https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html"]
--
-- [params]
-- min_baseline_logins = { type = "integer", doc = "Logins into the role in the baseline for its subjects and networks to be known", default = 5 }
-- ---
WITH logins AS (
  SELECT
    event_key,
    event_time,
    event_epoch,
    request_role_arn AS role_arn,
    issued_credential_id AS issued_key,
    coalesce(user_name, principal_id, '') AS login_subject,
    CASE
      WHEN source_ip_key LIKE '00000000000000000000ffff%' THEN substr(source_ip_key, 1, 30)
      ELSE substr(source_ip_key, 1, 12)
    END AS network
  FROM aws_event
  WHERE event_source = 'sts.amazonaws.com'
    AND event_name_base IN ('AssumeRoleWithWebIdentity', 'AssumeRoleWithSAML')
    AND outcome = 'success'
    AND request_role_arn IS NOT NULL
    AND event_time < $until
),
uses AS (
  SELECT
    u.event_key,
    u.event_time,
    u.event_epoch,
    u.credential_id,
    u.source_ip_key,
    l.role_arn,
    l.login_subject,
    l.network AS login_network,
    CASE
      WHEN u.source_ip_key LIKE '00000000000000000000ffff%' THEN substr(u.source_ip_key, 1, 30)
      ELSE substr(u.source_ip_key, 1, 12)
    END AS network
  FROM aws_event AS u
  JOIN logins AS l ON l.issued_key = u.credential_id
  WHERE u.source_class = 'public'
    AND coalesce(u.invoked_by, '') = ''
    AND u.event_time < $until
),
baselines AS (
  SELECT role_arn, count(*) AS baseline_logins FROM logins WHERE event_time < $baseline_until GROUP BY role_arn
),
known_subjects AS (
  SELECT DISTINCT role_arn, login_subject FROM logins WHERE event_time < $baseline_until
),
known_networks AS (
  SELECT role_arn, network FROM logins WHERE event_time < $baseline_until
  UNION
  SELECT role_arn, network FROM uses WHERE event_time < $baseline_until
),
new_subjects AS (
  SELECT
    l.event_key,
    l.role_arn,
    l.login_subject,
    'new subject' AS reason,
    count(*) OVER (
      PARTITION BY l.role_arn, l.login_subject ORDER BY l.event_epoch NULLS LAST, l.event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS calls,
    row_number() OVER (
      PARTITION BY l.role_arn, l.login_subject ORDER BY l.event_epoch NULLS LAST, l.event_key
    ) AS place
  FROM logins AS l
  LEFT JOIN known_subjects AS k ON k.role_arn = l.role_arn AND k.login_subject = l.login_subject
  WHERE k.role_arn IS NULL
    AND l.event_time >= $since
),
moved_uses AS (
  SELECT
    u.event_key,
    u.role_arn,
    u.login_subject,
    'new network' AS reason,
    count(*) OVER (
      PARTITION BY u.credential_id, u.network ORDER BY u.event_epoch NULLS LAST, u.event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS calls,
    row_number() OVER (PARTITION BY u.credential_id, u.network ORDER BY u.event_epoch NULLS LAST, u.event_key) AS place
  FROM uses AS u
  LEFT JOIN known_networks AS k ON k.role_arn = u.role_arn AND k.network = u.network
  WHERE k.role_arn IS NULL
    AND coalesce(u.login_network, '') <> u.network
    AND NOT EXISTS (
      SELECT 1 FROM case_network AS n
      WHERE n.kind = 'own_egress' AND u.source_ip_key >= n.low AND u.source_ip_key <= n.high
    )
    AND u.event_time >= $since
),
found AS (
  SELECT event_key, role_arn, login_subject, reason, calls FROM new_subjects WHERE place = 1
  UNION ALL
  SELECT event_key, role_arn, login_subject, reason, calls FROM moved_uses WHERE place = 1
)
SELECT
  f.role_arn || '|' || f.login_subject || '|' || f.reason AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  f.role_arn AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  CASE WHEN coalesce(b.baseline_logins, 0) >= $min_baseline_logins THEN 'sufficient' ELSE 'none' END AS baseline_state,
  f.reason,
  f.login_subject,
  f.calls,
  e.issued_credential_id AS next_credential_id,
  e.user_agent
FROM found AS f
JOIN aws_event AS e ON e.event_key = f.event_key
LEFT JOIN baselines AS b ON b.role_arn = f.role_arn
ORDER BY e.event_time NULLS LAST, f.reason NULLS LAST, e.event_key
