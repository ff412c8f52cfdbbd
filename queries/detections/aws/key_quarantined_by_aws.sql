-- ---
-- id = "aws.key_quarantined_by_aws"
-- kind = "detection"
-- title = "AWS put the quarantine policy on a user whose key it found in public"
-- severity = "critical"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1552.001"]
-- attack_v19 = ["T1552.001"]
-- attack_version = "18.1"
-- description = "The policy that AWS attaches to users with a publicly exposed access key was attached, in its managed or its older inline form. The key was public at that time at the latest. An attempt that did not succeed counts too, because the notice stands behind it."
-- misses = "Keys that leaked where AWS does not look. Organisations whose policies forbid the attachment without a record."
-- false_positives = ["A drill in which somebody attaches the policy by hand"]
-- next_steps = ["Find the notice of AWS to the account's owner: it says where the key was seen", "List every use of the user's keys from addresses that are not the owner's", "Delete the key; the quarantine does not stop most reads", "Look for calls that detach the policy again"]
-- references = ["https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCompromisedKeyQuarantineV3.html", "https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachUserPolicy.html"]
-- ---
SELECT
  coalesce(account_id, '') || '|' || coalesce(request_user_name, '') || '|' || strftime(event_time, '%Y-%m-%d') AS finding_key,
  event_time,
  actor,
  event_name_base AS action,
  request_user_name AS resource,
  source_ip,
  credential_id,
  account_id,
  region,
  outcome,
  event_key,
  evidence,
  coalesce(request_policy_arn, json_extract_string(request_parameters, '$.policyName')) AS policy,
  identity_type,
  invoked_by
FROM aws_event
WHERE event_source = 'iam.amazonaws.com'
  AND (
    (event_name_base = 'AttachUserPolicy' AND contains(coalesce(request_policy_arn, ''), ':policy/AWSCompromisedKeyQuarantine'))
    OR (event_name_base = 'PutUserPolicy'
      AND regexp_matches(coalesce(json_extract_string(request_parameters, '$.policyName'), ''),
                         '^(AWSExposedCredentialPolicy_DO_NOT_REMOVE$|AWSCompromisedKeyQuarantine)'))
  )
  AND event_time >= $since
  AND event_time < $until
ORDER BY event_time NULLS LAST, event_key
