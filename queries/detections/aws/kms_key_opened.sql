-- ---
-- id = "aws.kms_key_opened"
-- kind = "detection"
-- title = "A key of KMS was opened to another account or by a grant to decrypt"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["kms_events"]
-- attack = ["T1098", "T1555.006"]
-- attack_v19 = ["T1098", "T1555.006"]
-- attack_version = "18.1"
-- description = "The policy of a KMS key was set to one that names an account which is neither the event's own nor one of the case's own, or everybody without a condition, or a grant was made on a key that lets an identity decrypt, make data keys or give grants on. Grants to services, and to identities that the same principal gave a grant before the end of the baseline, are left out. Denied attempts count, because they show the intent. A policy that hides letters behind JSON escapes is reported for that alone."
-- misses = "Policies that name identities of an own account. A condition that lets everybody through. Grants made by services for the caller."
-- false_positives = ["A key shared with a vendor or a new own account that the case does not state", "An account named only in a condition, or in a statement that denies", "Software that gives grants to its own workers, in its first days"]
-- next_steps = ["List what the key protects: secrets, parameters, buckets, snapshots", "Look for Decrypt calls by the receiver, also in its own account", "Restore the policy or revoke the grant"]
-- references = ["https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html", "https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html", "https://docs.aws.amazon.com/kms/latest/developerguide/grants.html"]
-- ---
WITH key_changes AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS giver,
    coalesce(json_extract_string(e.request_parameters, '$.policy'), '') AS policy_raw,
    coalesce(json_extract_string(e.request_parameters, '$.granteePrincipal'), '') AS grantee
  FROM aws_event AS e
  WHERE e.event_source = 'kms.amazonaws.com'
    AND e.outcome IN ('success', 'denied')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
-- A policy is JSON text, at times URL-encoded; without blanks it can be compared.
policies AS (
  SELECT
    event_key,
    coalesce(account_id, '') AS account,
    contains(policy_raw, '\u') AS is_escaped,
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
      policy_raw,
      '%22', '"', 'g'), '%3[Aa]', ':', 'g'), '%2[Aa]', '*', 'g'), '%5[Bb]', '[', 'g'), '%5[Dd]', ']', 'g'), '%2[Cc]', ',', 'g'),
      '\s|%20|%0[AaDd9]|\+', '', 'g') AS policy_text
  FROM key_changes
  WHERE event_name_base = 'PutKeyPolicy'
),
allowing AS (
  SELECT * FROM policies WHERE contains(policy_text, '"Effect":"Allow"') OR is_escaped
),
digits(d) AS (
  VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)
),
places AS (
  SELECT a.d * 100 + b.d * 10 + c.d + 1 AS place
  FROM digits AS a
  CROSS JOIN digits AS b
  CROSS JOIN digits AS c
),
-- Every text between quotes; the account number is taken from those that are an account or an identity.
named_accounts AS (
  SELECT
    p.event_key,
    p.account,
    regexp_extract(split_part(p.policy_text, '"', p2.place), '^(arn:[a-z-]*:(iam|sts)::)?([0-9]{12})(:.*)?$', 3) AS named_account
  FROM allowing AS p
  CROSS JOIN places AS p2
),
foreign_accounts AS (
  SELECT n.event_key, min(n.named_account) AS foreign_account
  FROM named_accounts AS n
  LEFT JOIN case_value AS o ON o.kind = 'own_account' AND o.value = n.named_account
  WHERE n.named_account <> ''
    AND n.named_account <> n.account
    AND o.value IS NULL
  GROUP BY n.event_key
),
open_policies AS (
  SELECT
    p.event_key,
    f.foreign_account,
    p.is_escaped,
    regexp_matches(p.policy_text, '"Principal":"\*"|"AWS":"\*"|"AWS":\x5b[^\]]*"\*"')
      AND NOT contains(p.policy_text, '"Condition":') AS open_to_all
  FROM allowing AS p
  LEFT JOIN foreign_accounts AS f ON f.event_key = p.event_key
),
grants AS (
  SELECT event_key, event_time, giver, grantee
  FROM key_changes
  WHERE event_name_base = 'CreateGrant'
    AND grantee <> ''
    AND NOT regexp_matches(grantee, '[.]amazonaws[.]com(\.cn)?$')
    AND regexp_matches(coalesce(json_extract_string(request_parameters, '$.operations'), ''),
                       '"(Decrypt|ReEncryptFrom|GenerateDataKey|GenerateDataKeyPair|CreateGrant)"')
),
habits AS (
  SELECT DISTINCT giver, grantee FROM grants WHERE event_time < $baseline_until
),
found AS (
  SELECT event_key, foreign_account, open_to_all, is_escaped
  FROM open_policies
  WHERE foreign_account IS NOT NULL OR open_to_all OR is_escaped
  UNION ALL
  SELECT
    g.event_key,
    nullif(regexp_extract(g.grantee, '^arn:[a-z-]*:(iam|sts)::([0-9]{12}):', 2), '') AS foreign_account,
    FALSE AS open_to_all,
    FALSE AS is_escaped
  FROM grants AS g
  LEFT JOIN habits AS h ON h.giver = g.giver AND h.grantee = g.grantee
  WHERE h.giver IS NULL
)
SELECT
  e.giver || '|' || coalesce(e.credential_id, '') || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  coalesce(json_extract_string(e.request_parameters, '$.keyId'), e.resource) AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  nullif(e.grantee, '') AS grantee,
  CASE WHEN f.foreign_account <> coalesce(e.account_id, '') THEN f.foreign_account END AS other_account,
  f.open_to_all,
  f.is_escaped,
  e.session_name,
  e.user_agent
FROM found AS f
JOIN key_changes AS e ON e.event_key = f.event_key
WHERE e.event_time >= $since
ORDER BY e.event_time NULLS LAST, e.event_key
