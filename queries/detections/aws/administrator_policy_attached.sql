-- ---
-- id = "aws.administrator_policy_attached"
-- kind = "detection"
-- title = "A managed policy with sweeping rights was attached to a user, group or role"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1098.003"]
-- attack_v19 = ["T1098.003"]
-- attack_version = "18.1"
-- description = "One of the managed policies of AWS that give all rights, all rights over identities, or the run of secrets, keys, parameters or models, was attached to a user, group or role, or to a permission set of IAM Identity Center. A principal that attached the same policy before the end of the baseline is left out. Denied attempts count, because they show the intent."
-- misses = "Policies of the customer's own and inline policies: aws.policy_made_broad looks at those. A policy that was attached before the logs begin. A stolen credential of a principal that attaches such policies as its work."
-- false_positives = ["Infrastructure tools and platform teams, above all in their first days", "Without a stated T0 there is no baseline, so every such change appears"]
-- next_steps = ["Ask who ordered the rights", "List what the user, group or role did afterwards", "Detach the policy if nobody vouches for it"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html", "https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachUserPolicy.html", "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AdministratorAccess.html"]
-- ---
WITH grants AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS giver,
    coalesce(e.request_policy_arn, json_extract_string(e.request_parameters, '$.managedPolicyArn'), '') AS policy_arn
  FROM aws_event AS e
  WHERE (
      (e.event_source = 'iam.amazonaws.com'
        AND e.event_name_base IN ('AttachUserPolicy', 'AttachGroupPolicy', 'AttachRolePolicy'))
      OR (e.event_source = 'sso.amazonaws.com' AND e.event_name_base = 'AttachManagedPolicyToPermissionSet')
    )
    AND e.outcome IN ('success', 'denied')
    AND coalesce(e.identity_type, '') <> 'AWSService'
    AND e.event_time < $until
),
sweeping_grants AS (
  SELECT *
  FROM grants
  WHERE regexp_matches(policy_arn, '^arn:aws[a-z-]*:iam::aws:policy/([a-z-]+/)*(AdministratorAccess|IAMFullAccess|PowerUserAccess|SecretsManagerReadWrite|AmazonBedrockFullAccess|AWSKeyManagementServicePowerUser|AmazonSSMFullAccess)$')
),
habits AS (
  SELECT DISTINCT giver, policy_arn FROM sweeping_grants WHERE event_time < $baseline_until
)
SELECT
  e.giver || '|' || coalesce(e.credential_id, '') || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  coalesce(
    e.request_user_name,
    json_extract_string(e.request_parameters, '$.roleName'),
    json_extract_string(e.request_parameters, '$.groupName'),
    json_extract_string(e.request_parameters, '$.permissionSetArn'),
    e.resource
  ) AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  e.policy_arn,
  e.session_name,
  e.invoked_by,
  e.user_agent
FROM sweeping_grants AS e
LEFT JOIN habits AS h ON h.giver = e.giver AND h.policy_arn = e.policy_arn
WHERE h.giver IS NULL
  AND e.event_time >= $since
ORDER BY e.event_time NULLS LAST, e.event_key
