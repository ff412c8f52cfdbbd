-- ---
-- id = "aws.role_trust_opened"
-- kind = "detection"
-- title = "A role was opened to another account, to everybody or to an unrestricted identity provider"
-- severity = "critical"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1098.003", "T1484.002"]
-- attack_v19 = ["T1098.003", "T1484.002"]
-- attack_version = "18.1"
-- description = "A role was created, or its trust policy replaced, with a policy that allows an account which is neither the event's own nor one of the case's own, or everybody, or an identity provider without any condition. The policy is read from the request, URL-encoded or not; a policy that hides letters behind JSON escapes is reported for that alone. Denied attempts count, because they show the intent."
-- misses = "Conditions that were loosened but not removed. A trust in an own account that the intruder holds too. Other ways into a role: Roles Anywhere, instance profiles, pass-role rights."
-- false_positives = ["A new vendor with an account of its own", "An own account that the case does not state", "An account named only in a condition, or in a statement that denies"]
-- next_steps = ["Ask who owns the outside account", "Look for AssumeRole events of the role from outside and what those sessions did", "Restore the former trust policy", "List the rights of the role"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html", "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html", "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"]
-- ---
WITH trust_changes AS (
  SELECT
    e.*,
    coalesce(
      json_extract_string(e.request_parameters, '$.policyDocument'),
      json_extract_string(e.request_parameters, '$.assumeRolePolicyDocument'),
      ''
    ) AS policy_raw
  FROM aws_event AS e
  WHERE e.event_source = 'iam.amazonaws.com'
    AND e.event_name_base IN ('UpdateAssumeRolePolicy', 'CreateRole')
    AND e.outcome IN ('success', 'denied')
    AND e.event_time >= $since
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
  FROM trust_changes
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
  SELECT n.event_key, min(n.named_account) AS foreign_account, count(DISTINCT n.named_account) AS accounts
  FROM named_accounts AS n
  LEFT JOIN case_value AS o ON o.kind = 'own_account' AND o.value = n.named_account
  WHERE n.named_account <> ''
    AND n.named_account <> n.account
    AND o.value IS NULL
  GROUP BY n.event_key
),
judged AS (
  SELECT
    p.event_key,
    f.foreign_account,
    coalesce(f.accounts, 0) AS foreign_accounts,
    regexp_matches(p.policy_text, '"Principal":"\*"|"AWS":"\*"|"AWS":\x5b[^\]]*"\*"') AS open_to_all,
    contains(p.policy_text, '"Federated":') AND NOT contains(p.policy_text, '"Condition":') AS open_provider,
    p.is_escaped
  FROM allowing AS p
  LEFT JOIN foreign_accounts AS f ON f.event_key = p.event_key
)
SELECT
  coalesce(t.actor, '') || '|' || coalesce(json_extract_string(t.request_parameters, '$.roleName'), '') || '|'
    || strftime(t.event_time, '%Y-%m-%d') AS finding_key,
  t.event_time,
  t.actor,
  t.event_name_base AS action,
  coalesce(json_extract_string(t.request_parameters, '$.roleName'), t.resource) AS resource,
  t.source_ip,
  t.credential_id,
  t.account_id,
  t.region,
  t.outcome,
  t.event_key,
  t.evidence,
  j.foreign_account,
  j.foreign_accounts,
  j.open_to_all,
  j.open_provider,
  j.is_escaped,
  t.session_name,
  t.user_agent
FROM judged AS j
JOIN trust_changes AS t ON t.event_key = j.event_key
WHERE j.foreign_accounts > 0
   OR j.open_to_all
   OR j.open_provider
   OR j.is_escaped
ORDER BY t.event_time NULLS LAST, t.event_key
