-- ---
-- id = "aws.policy_made_broad"
-- kind = "detection"
-- title = "A policy was written that allows everything, all identities, or all secrets, keys or models"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1098.003"]
-- attack_v19 = ["T1098.003"]
-- attack_version = "18.1"
-- description = "An inline policy of a user, group, role or permission set, a new policy, or a new version of one, allows every action, every action of IAM, Secrets Manager or Bedrock, the change into any role, the reading of parameters or decryption with a key, and names every resource. The text is read without blanks, URL-encoded or not; a policy that hides letters behind JSON escapes is reported for that alone. Action and resource are looked for in the text as a whole. Denied attempts count, because they show the intent. Making an older version of a policy the default again is listed as well, because its text is not in the request."
-- misses = "Broad rights without a resource of *. Rights put together from several policies. Managed policies of AWS: aws.administrator_policy_attached. Policies of resources."
-- false_positives = ["Infrastructure tools and platform teams", "A statement that denies, or is limited by a condition, beside one that allows", "A policy rolled back after a fault"]
-- next_steps = ["Read the policy and ask who ordered it", "List the users and roles that it applies to and what they did afterwards", "Restore the former version"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html", "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicyVersion.html", "https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetDefaultPolicyVersion.html", "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html"]
-- ---
WITH policy_changes AS (
  SELECT
    e.*,
    coalesce(
      json_extract_string(e.request_parameters, '$.policyDocument'),
      json_extract_string(e.request_parameters, '$.inlinePolicy'),
      ''
    ) AS policy_raw
  FROM aws_event AS e
  WHERE (
      (e.event_source = 'iam.amazonaws.com'
        AND e.event_name_base IN ('PutUserPolicy', 'PutGroupPolicy', 'PutRolePolicy',
                                  'CreatePolicy', 'CreatePolicyVersion', 'SetDefaultPolicyVersion'))
      OR (e.event_source = 'sso.amazonaws.com' AND e.event_name_base = 'PutInlinePolicyToPermissionSet')
    )
    AND e.outcome IN ('success', 'denied')
    AND coalesce(e.identity_type, '') <> 'AWSService'
    AND e.event_time >= $since
    AND e.event_time < $until
),
-- A policy is JSON text, at times URL-encoded; without blanks it can be compared.
policies AS (
  SELECT
    event_key,
    event_name_base = 'SetDefaultPolicyVersion' AS is_swap,
    contains(policy_raw, '\u') AS is_escaped,
    lower(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
      policy_raw,
      '%22', '"', 'g'), '%3[Aa]', ':', 'g'), '%2[Aa]', '*', 'g'), '%5[Bb]', '[', 'g'), '%5[Dd]', ']', 'g'), '%2[Cc]', ',', 'g'),
      '\s|%20|%0[AaDd9]|\+', '', 'g')) AS policy_text
  FROM policy_changes
),
judged AS (
  SELECT
    event_key,
    is_swap,
    is_escaped,
    regexp_matches(policy_text, '"action":(\x5b[^\]]*)?"(\*|\*:\*)"') OR contains(policy_text, '"notaction":') AS allows_all,
    regexp_matches(policy_text, '"action":(\x5b[^\]]*)?"(iam:\*|sts:\*|sts:assumerole|secretsmanager:\*|secretsmanager:getsecretvalue|ssm:\*|ssm:get\*|ssm:getparameter[a-z]*\*?|kms:\*|kms:decrypt|bedrock:\*|bedrock:invoke[a-z]*\*?)"') AS allows_sensitive
  FROM policies
  WHERE is_swap
     OR is_escaped
     OR (contains(policy_text, '"effect":"allow"')
       AND regexp_matches(policy_text, '"resource":(\x5b[^\]]*)?"\*"'))
)
SELECT
  coalesce(e.actor, '') || '|' || coalesce(e.credential_id, '') || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  coalesce(
    e.request_user_name,
    json_extract_string(e.request_parameters, '$.roleName'),
    json_extract_string(e.request_parameters, '$.groupName'),
    json_extract_string(e.request_parameters, '$.permissionSetArn'),
    e.request_policy_arn,
    e.resource
  ) AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  json_extract_string(e.request_parameters, '$.policyName') AS policy_name,
  coalesce(json_extract_string(e.request_parameters, '$.setAsDefault'), '') = 'true' AS set_as_default,
  json_extract_string(e.request_parameters, '$.versionId') AS version_id,
  j.is_swap,
  j.is_escaped,
  j.allows_all,
  j.allows_sensitive,
  e.session_name,
  e.invoked_by,
  e.user_agent
FROM judged AS j
JOIN policy_changes AS e ON e.event_key = j.event_key
WHERE j.is_swap
   OR j.is_escaped
   OR j.allows_all
   OR j.allows_sensitive
ORDER BY e.event_time NULLS LAST, e.event_key
