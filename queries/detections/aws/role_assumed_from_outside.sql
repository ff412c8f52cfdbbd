-- ---
-- id = "aws.role_assumed_from_outside"
-- kind = "detection"
-- title = "A role was assumed, or tried, from an account outside the organisation"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1199", "T1078.004"]
-- attack_v19 = ["T1199", "T1078.004"]
-- attack_version = "18.1"
-- description = "AssumeRole was called on a role of this account by an identity of another account that is not one of the case's own. An outside account that assumed the same role before the end of the baseline is left out. Denied attempts count, because they show the intent; AWS records most of them in the caller's account only. Of each outside account, role, outcome and day the first call is listed, calls counts them. The details say whether an external id was given, and which key the session got."
-- misses = "Outside accounts that used the role before. Sessions by SAML or web identity. Roles that an own account assumes for an outsider."
-- false_positives = ["A vendor for security, backup or billing, in its first days or without a stated T0", "An own account that the case does not state"]
-- next_steps = ["Ask who owns the outside account", "List what the session did by next_credential_id", "Look when the trust policy of the role was changed last: aws.role_trust_opened"]
-- references = ["https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html", "https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html"]
-- ---
WITH entries AS (
  SELECT
    e.event_key,
    e.event_time,
    e.event_epoch,
    e.outcome,
    e.actor_account_id AS outside_account,
    coalesce(e.request_role_arn, '') AS role_arn
  FROM aws_event AS e
  LEFT JOIN case_value AS o ON o.kind = 'own_account' AND o.value = e.actor_account_id
  WHERE e.event_source = 'sts.amazonaws.com'
    AND e.event_name_base = 'AssumeRole'
    AND e.outcome IN ('success', 'denied')
    AND coalesce(e.identity_type, '') <> 'AWSService'
    AND o.value IS NULL
    AND e.actor_account_id <> e.account_id
    -- The caller's own account records the call too; there the role is the outside thing.
    AND regexp_extract(coalesce(e.request_role_arn, ''), '^arn:[a-z-]*:iam::([0-9]{12}):', 1) IN (e.account_id, '')
    AND e.event_time < $until
),
known_entries AS (
  SELECT DISTINCT outside_account, role_arn FROM entries WHERE event_time < $baseline_until
),
new_entries AS (
  SELECT
    e.event_key,
    e.outside_account,
    e.role_arn,
    count(*) OVER (
      PARTITION BY e.outside_account, e.role_arn, e.outcome, e.event_epoch // 86400 ORDER BY e.event_epoch NULLS LAST, e.event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS calls,
    row_number() OVER (
      PARTITION BY e.outside_account, e.role_arn, e.outcome, e.event_epoch // 86400 ORDER BY e.event_epoch NULLS LAST, e.event_key
    ) AS place
  FROM entries AS e
  LEFT JOIN known_entries AS k ON k.outside_account = e.outside_account AND k.role_arn = e.role_arn
  WHERE k.role_arn IS NULL
    AND e.event_time >= $since
)
SELECT
  n.outside_account || '|' || n.role_arn AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  nullif(n.role_arn, '') AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  n.outside_account,
  n.calls,
  json_extract_string(e.request_parameters, '$.externalId') IS NOT NULL AS has_external_id,
  e.request_role_session AS next_session_name,
  e.issued_credential_id AS next_credential_id,
  e.shared_event_id,
  e.user_agent
FROM new_entries AS n
JOIN aws_event AS e ON e.event_key = n.event_key
WHERE n.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
