-- ---
-- id = "aws.console_login_without_mfa"
-- kind = "detection"
-- title = "A console login succeeded without a second factor"
-- severity = "high"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1078.004"]
-- attack_v19 = ["T1078.004"]
-- attack_version = "18.1"
-- description = "The root user or an IAM user entered the console with a password alone. Only successful logins count; refused ones do not."
-- misses = "Federated and assumed-role logins: their second factor is checked by the identity provider and CloudTrail always says No. Logins whose record lacks the MFAUsed field."
-- false_positives = ["A break-glass user that is kept without a second factor on purpose", "Automation that drives the console with a stored password"]
-- next_steps = ["List what the same user did in the hours after the login", "Ask the owner of the user whether the address and the time are theirs", "Look for the creation of the user and of its password"]
-- references = ["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html"]
-- ---
SELECT
  coalesce(actor, '') || '|' || strftime(event_time, '%Y-%m-%d') AS finding_key,
  event_time,
  actor,
  event_name_base AS action,
  user_name AS resource,
  source_ip,
  credential_id,
  account_id,
  region,
  outcome,
  event_key,
  evidence,
  identity_type,
  user_agent
FROM aws_event
WHERE event_source = 'signin.amazonaws.com'
  AND event_name_base = 'ConsoleLogin'
  AND coalesce(identity_type, '') IN ('IAMUser', 'Root')   -- for the others the field says nothing
  AND coalesce(json_extract_string(response_elements, '$.ConsoleLogin'), '') = 'Success'
  AND coalesce(json_extract_string(additional_event_data, '$.MFAUsed'), '') = 'No'
  AND event_time >= $since
  AND event_time < $until
ORDER BY event_time NULLS LAST, event_key
