-- ---
-- id = "aws.bedrock_key_user_misused"
-- kind = "detection"
-- title = "A user made for a Bedrock API key got other credentials or acted outside Bedrock"
-- severity = "critical"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1098.001", "T1078.004"]
-- attack_v19 = ["T1098.001", "T1078.004"]
-- attack_version = "18.1"
-- description = "The console makes a user named BedrockAPIKey- with a suffix to carry a Bedrock API key. Such a user was given an access key, a password, a group or a policy other than the console's own, or it called a service other than Bedrock. Nothing ordinary does this. Denied attempts count, because they show the intent."
-- misses = "Users that carry a Bedrock key under another name. Calls outside Bedrock that leave no record."
-- false_positives = ["An administrator who reuses such a user by mistake"]
-- next_steps = ["List everything that user did", "Follow the credential that acted on the user", "Delete the user after its traces are secured"]
-- references = ["https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html", "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonBedrockLimitedAccess.html"]
-- ---
SELECT
  coalesce(account_id, '') || '|'
    || CASE WHEN starts_with(coalesce(request_user_name, ''), 'BedrockAPIKey-') THEN request_user_name ELSE coalesce(user_name, '') END
    || '|' || strftime(event_time, '%Y-%m-%d') AS finding_key,
  event_time,
  actor,
  event_name_base AS action,
  CASE WHEN starts_with(coalesce(request_user_name, ''), 'BedrockAPIKey-') THEN request_user_name ELSE user_name END AS resource,
  source_ip,
  credential_id,
  account_id,
  region,
  outcome,
  event_key,
  evidence,
  event_source,
  request_policy_arn AS policy_arn,
  session_name,
  user_agent
FROM aws_event
WHERE (
    (event_source = 'iam.amazonaws.com'
      AND event_name_base IN (
        'CreateAccessKey', 'CreateLoginProfile', 'UpdateLoginProfile', 'AttachUserPolicy', 'PutUserPolicy', 'AddUserToGroup'
      )
      AND starts_with(coalesce(request_user_name, ''), 'BedrockAPIKey-')
      -- The console attaches this one itself when it makes the user.
      AND NOT (event_name_base = 'AttachUserPolicy'
        AND regexp_matches(coalesce(request_policy_arn, ''), ':policy/AmazonBedrockLimitedAccess$')))
    OR (coalesce(identity_type, '') = 'IAMUser'
      AND starts_with(coalesce(user_name, ''), 'BedrockAPIKey-')
      AND NOT starts_with(coalesce(event_source, ''), 'bedrock')
      AND coalesce(event_source, '') <> 'aws-marketplace.amazonaws.com')
  )
  AND outcome IN ('success', 'denied')
  AND event_time >= $since
  AND event_time < $until
ORDER BY event_time NULLS LAST, event_key
