-- ---
-- id = "aws.role_created_with_administrator_rights"
-- kind = "detection"
-- title = "A role was created and at once given the rights of an administrator"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1098.003", "T1136.003"]
-- attack_v19 = ["T1098.003", "T1136.003"]
-- attack_version = "18.1"
-- description = "A role was created, and within chain_seconds the same role got AdministratorAccess, IAMFullAccess or PowerUserAccess, or an inline policy that allows everything or all of IAM. Both steps must have succeeded. A principal that did so before the end of the baseline is left out. Roles that a service makes for its caller count: that is a way to hide."
-- misses = "Rights given later, through a policy of the customer's own, or in many small pieces. Roles that existed: aws.administrator_policy_attached."
-- false_positives = ["Landing zones and infrastructure tools, in their first days or without a stated T0"]
-- next_steps = ["Read who may assume the role", "List the sessions of the role and what they did", "Take the policy off the role"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html", "https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html", "https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html"]
--
-- [params]
-- chain_seconds = { type = "integer", doc = "Seconds from the creation of the role to the rights", default = 3600 }
-- ---
WITH role_calls AS (
  SELECT
    event_key,
    event_time,
    event_epoch,
    event_name_base,
    coalesce(actor, '') AS caller,
    coalesce(account_id, '') AS account,
    json_extract_string(request_parameters, '$.roleName') AS role_name,
    coalesce(request_policy_arn, '') AS policy_arn,
    -- A policy is JSON text, at times URL-encoded; without blanks it can be compared.
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
      coalesce(json_extract_string(request_parameters, '$.policyDocument'), ''),
      '%22', '"', 'g'), '%3[Aa]', ':', 'g'), '%2[Aa]', '*', 'g'), '%5[Bb]', '[', 'g'), '%2[Cc]', ',', 'g'),
      '\s|%20|%0[AaDd9]|\+', '', 'g') AS policy_text
  FROM aws_event
  WHERE event_source = 'iam.amazonaws.com'
    AND event_name_base IN ('CreateRole', 'AttachRolePolicy', 'PutRolePolicy')
    AND outcome = 'success'
    AND event_time < $until
),
sweeping_grants AS (
  SELECT
    event_key,
    event_epoch,
    account,
    role_name,
    CASE event_name_base WHEN 'AttachRolePolicy' THEN policy_arn ELSE 'inline policy' END AS granted
  FROM role_calls
  WHERE regexp_matches(policy_arn, ':policy/(AdministratorAccess|IAMFullAccess|PowerUserAccess)$')
     OR (contains(policy_text, '"Effect":"Allow"')
      AND regexp_matches(policy_text, '"Action":"(\*|\*:\*|[Ii][Aa][Mm]:\*)"|"Action":\x5b[^\]]*"(\*|\*:\*|[Ii][Aa][Mm]:\*)"|"NotAction":'))
),
chains AS (
  SELECT c.event_key AS creation_key, g.event_key AS grant_key, c.event_time, c.caller, c.account, c.role_name, g.granted
  FROM role_calls AS c
  JOIN sweeping_grants AS g ON g.account = c.account AND g.role_name = c.role_name
  WHERE c.event_name_base = 'CreateRole'
    AND g.event_epoch >= c.event_epoch
    AND g.event_epoch <= c.event_epoch + $chain_seconds
),
habits AS (
  SELECT DISTINCT caller FROM chains WHERE event_time < $baseline_until
),
steps AS (
  SELECT creation_key AS event_key, caller, account, role_name, granted FROM chains
  UNION ALL
  SELECT grant_key AS event_key, caller, account, role_name, granted FROM chains
),
listed AS (
  SELECT event_key, account, role_name, min(caller) AS creator, min(granted) AS granted
  FROM steps
  GROUP BY event_key, account, role_name
)
SELECT
  l.account || '|' || l.role_name || '|' || l.creator AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  l.role_name AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  l.granted,
  e.session_name,
  e.invoked_by,
  e.user_agent
FROM listed AS l
JOIN aws_event AS e ON e.event_key = l.event_key
LEFT JOIN habits AS h ON h.caller = l.creator
WHERE h.caller IS NULL
  AND e.event_time >= $since
ORDER BY e.event_time NULLS LAST, e.event_key
