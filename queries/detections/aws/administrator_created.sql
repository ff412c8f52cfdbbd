-- ---
-- id = "aws.administrator_created"
-- kind = "detection"
-- title = "A user was created and at once made an administrator"
-- severity = "critical"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1136.003", "T1098.003"]
-- attack_v19 = ["T1136.003", "T1098.003"]
-- attack_version = "18.1"
-- description = "An IAM user was created and, within chain_seconds, given sweeping rights: one of the managed policies AdministratorAccess, IAMFullAccess or PowerUserAccess, an inline policy that allows every action or every action of IAM, or membership of a group whose name speaks of administrators. The creation and each grant are listed. Denied calls do not count: without the grant there is no administrator."
-- misses = "Rights given later, through a group with a plain name, through a customer's own policy, or by a role the user may assume. An administrator made of a user that existed before."
-- false_positives = ["A break-glass user made by the platform team", "A sandbox for training"]
-- next_steps = ["List the keys and passwords made for the user", "List everything the user did", "Remove the user after its traces are secured"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html", "https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachUserPolicy.html", "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AdministratorAccess.html"]
--
-- [params]
-- chain_seconds = { type = "integer", doc = "Seconds from the creation of the user to the grant", default = 3600 }
-- ---
WITH creations AS (
  SELECT
    event_key,
    event_epoch,
    coalesce(account_id, '') AS account,
    request_user_name AS new_user
  FROM aws_event
  WHERE event_source = 'iam.amazonaws.com'
    AND event_name_base = 'CreateUser'
    AND outcome = 'success'
),
user_grants AS (
  SELECT
    event_key,
    event_epoch,
    event_name_base,
    coalesce(account_id, '') AS account,
    request_user_name AS new_user,
    coalesce(request_policy_arn, '') AS policy_arn,
    lower(coalesce(json_extract_string(request_parameters, '$.groupName'), '')) AS group_name,
    -- A policy is JSON text, at times URL-encoded; without blanks it can be compared.
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
      coalesce(json_extract_string(request_parameters, '$.policyDocument'), ''),
      '%22', '"', 'g'), '%3[Aa]', ':', 'g'), '%2[Aa]', '*', 'g'), '%5[Bb]', '[', 'g'), '%2[Cc]', ',', 'g'),
      '\s|%20|%0[AaDd9]|\+', '', 'g') AS policy_text
  FROM aws_event
  WHERE event_source = 'iam.amazonaws.com'
    AND outcome = 'success'
),
sweeping_grants AS (
  SELECT
    event_key,
    event_epoch,
    account,
    new_user,
    CASE event_name_base
      WHEN 'AttachUserPolicy' THEN policy_arn
      WHEN 'AddUserToGroup' THEN 'group ' || group_name
      ELSE 'inline policy' END AS granted
  FROM user_grants
  WHERE (event_name_base = 'AttachUserPolicy'
      AND regexp_matches(policy_arn, ':policy/(AdministratorAccess|IAMFullAccess|PowerUserAccess)$'))
     OR (event_name_base = 'AddUserToGroup'
      AND regexp_matches(group_name, 'admin|superuser|super-user|power-?user|full-?access|^root'))
     OR (event_name_base = 'PutUserPolicy'
      AND contains(policy_text, '"Effect":"Allow"')
      AND regexp_matches(policy_text, '"Action":"(\*|\*:\*|[Ii][Aa][Mm]:\*)"|"Action":\x5b[^\]]*"(\*|\*:\*|[Ii][Aa][Mm]:\*)"|"NotAction":'))
),
chains AS (
  SELECT
    c.event_key AS creation_key,
    g.event_key AS grant_key,
    g.granted,
    c.account,
    c.new_user,
    c.event_epoch AS created_epoch
  FROM creations AS c
  JOIN sweeping_grants AS g
    ON g.account = c.account
   AND g.new_user = c.new_user
   AND g.event_epoch >= c.event_epoch
   AND g.event_epoch <= c.event_epoch + $chain_seconds
),
steps AS (
  SELECT creation_key AS event_key, account, new_user, created_epoch, granted FROM chains
  UNION ALL
  SELECT grant_key AS event_key, account, new_user, created_epoch, granted FROM chains
),
listed AS (
  SELECT event_key, account, new_user, min(created_epoch) AS created_epoch, min(granted) AS granted
  FROM steps
  GROUP BY event_key, account, new_user
)
SELECT
  l.account || '|' || l.new_user || '|' || CAST(l.created_epoch AS VARCHAR) AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  l.new_user AS resource,
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
WHERE e.event_time >= $since
  AND e.event_time < $until
ORDER BY e.event_time NULLS LAST, e.event_key
