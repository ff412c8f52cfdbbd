-- ---
-- id = "aws.own_identity_deleted"
-- kind = "detection"
-- title = "A principal deleted an identity or credential that it had made shortly before"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1070", "T1531"]
-- attack_v19 = ["T1070", "T1531"]
-- attack_version = "18.1"
-- description = "A principal made a user, a role, an access key, a console password or a service credential, and the same principal deleted it within lived_seconds. So traces are removed, or a way in is used once. Both calls are listed. A principal that did so on at least habit_days days of the baseline is left out. Denied calls do not count: nothing came to be, or nothing was removed."
-- misses = "An identity made by one principal and deleted by another. An identity that lived longer, or was made before the logs begin. A principal that does so as its work."
-- false_positives = ["Tests and pipelines with short-lived identities, in their first days", "A mistake that was put right", "Calls made for a stack are left out; without a stated T0 there is no baseline"]
-- next_steps = ["List what the identity did while it lived", "Ask the principal about the purpose", "Look for other identities that it made and left"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html", "https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccessKey.html"]
--
-- [params]
-- lived_seconds = { type = "integer", doc = "Longest life of the identity in seconds", default = 604800 }
-- habit_days = { type = "integer", doc = "Days of the baseline with such deletions that make them a habit", default = 3 }
-- ---
WITH kinds(call, kind, is_deletion) AS (
  VALUES
    ('CreateUser', 'user', FALSE),
    ('DeleteUser', 'user', TRUE),
    ('CreateRole', 'role', FALSE),
    ('DeleteRole', 'role', TRUE),
    ('CreateAccessKey', 'access key', FALSE),
    ('DeleteAccessKey', 'access key', TRUE),
    ('CreateLoginProfile', 'password', FALSE),
    ('DeleteLoginProfile', 'password', TRUE),
    ('CreateServiceSpecificCredential', 'service credential', FALSE),
    ('DeleteServiceSpecificCredential', 'service credential', TRUE)
),
acts AS (
  SELECT
    e.event_key,
    e.event_time,
    e.event_epoch,
    k.kind,
    k.is_deletion,
    coalesce(e.actor, '') AS holder,
    coalesce(e.account_id, '') AS account,
    CASE k.kind
      WHEN 'role' THEN json_extract_string(e.request_parameters, '$.roleName')
      WHEN 'access key' THEN coalesce(
        json_extract_string(e.response_elements, '$.accessKey.accessKeyId'),
        json_extract_string(e.request_parameters, '$.accessKeyId'))
      WHEN 'service credential' THEN coalesce(
        json_extract_string(e.response_elements, '$.serviceSpecificCredential.serviceSpecificCredentialId'),
        json_extract_string(e.request_parameters, '$.serviceSpecificCredentialId'))
      ELSE e.request_user_name
    END AS target
  FROM aws_event AS e
  JOIN kinds AS k ON k.call = e.event_name_base
  WHERE e.event_source = 'iam.amazonaws.com'
    AND e.outcome = 'success'
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
lives AS (
  SELECT
    d.event_key AS deletion_key,
    c.event_key AS creation_key,
    d.event_time AS deleted_at,
    d.event_epoch - c.event_epoch AS lived,
    d.holder,
    d.kind,
    d.target,
    row_number() OVER (PARTITION BY d.event_key ORDER BY c.event_epoch DESC NULLS LAST, c.event_key) AS place
  FROM acts AS d
  JOIN acts AS c
    ON c.holder = d.holder
   AND c.account = d.account
   AND c.kind = d.kind
   AND c.target = d.target
  WHERE d.is_deletion
    AND NOT c.is_deletion
    AND d.event_epoch >= c.event_epoch
    AND d.event_epoch - c.event_epoch <= $lived_seconds
),
habits AS (
  SELECT holder
  FROM lives
  WHERE deleted_at < $baseline_until
  GROUP BY holder
  HAVING count(DISTINCT strftime(deleted_at, '%Y-%m-%d')) >= $habit_days
),
odd_lives AS (
  SELECT l.*
  FROM lives AS l
  LEFT JOIN habits AS h ON h.holder = l.holder
  WHERE l.place = 1
    AND h.holder IS NULL
    AND l.deleted_at >= $since
),
steps AS (
  SELECT creation_key AS event_key, deletion_key, kind, target, lived FROM odd_lives
  UNION ALL
  SELECT deletion_key AS event_key, deletion_key, kind, target, lived FROM odd_lives
)
SELECT
  coalesce(e.actor, '') || '|' || s.kind || '|' || s.target || '|' || s.deletion_key AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  s.target AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  s.kind,
  s.lived AS lived_seconds,
  e.session_name,
  e.user_agent
FROM steps AS s
JOIN aws_event AS e ON e.event_key = s.event_key
WHERE e.event_time >= $since
ORDER BY e.event_time NULLS LAST, e.event_key
