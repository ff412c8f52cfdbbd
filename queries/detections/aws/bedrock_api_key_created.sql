-- ---
-- id = "aws.bedrock_api_key_created"
-- kind = "detection"
-- title = "A Bedrock API key was created, reset or activated"
-- severity = "high"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1098.001"]
-- attack_v19 = ["T1098.001"]
-- attack_version = "18.1"
-- atlas = ["AML.T0040"]
-- description = "A service-specific credential for Amazon Bedrock was created for an IAM user, or one was reset or set to active again. It lets its holder invoke models from anywhere with one line of text; never_expires says that no end was set. Resets and activations count where the request, the answer or an earlier creation in the logs ties the credential to Bedrock. Denied attempts count, because they show the intent."
-- misses = "Short-term Bedrock keys: they are made on the caller's machine from a session and leave no record until they are used."
-- false_positives = ["Developers who try a model", "An application that cannot sign its requests"]
-- next_steps = ["List the calls made with a bearer token by that user", "Ask the creator; delete the credential if nobody vouches for it", "Look for a user named BedrockAPIKey- made in the same minute"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceSpecificCredential.html", "https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html"]
-- ---
WITH credential_acts AS (
  SELECT
    e.*,
    coalesce(
      json_extract_string(e.request_parameters, '$.serviceSpecificCredentialId'),
      json_extract_string(e.response_elements, '$.serviceSpecificCredential.serviceSpecificCredentialId')
    ) AS bedrock_key_id,
    coalesce(
      json_extract_string(e.request_parameters, '$.serviceName'),
      json_extract_string(e.response_elements, '$.serviceSpecificCredential.serviceName'),
      ''
    ) AS service_name
  FROM aws_event AS e
  WHERE e.event_source = 'iam.amazonaws.com'
    AND e.event_name_base IN (
      'CreateServiceSpecificCredential', 'ResetServiceSpecificCredential', 'UpdateServiceSpecificCredential'
    )
    AND e.outcome IN ('success', 'denied')
    AND e.event_time < $until
),
bedrock_keys AS (
  SELECT DISTINCT bedrock_key_id
  FROM credential_acts
  WHERE service_name = 'bedrock.amazonaws.com'
    AND bedrock_key_id IS NOT NULL
)
SELECT
  coalesce(a.actor, '') || '|' || coalesce(a.request_user_name, '') || '|' || strftime(a.event_time, '%Y-%m-%d') AS finding_key,
  a.event_time,
  a.actor,
  a.event_name_base AS action,
  coalesce(a.request_user_name, a.user_name) AS resource,
  a.source_ip,
  a.credential_id,
  a.account_id,
  a.region,
  a.outcome,
  a.event_key,
  a.evidence,
  a.bedrock_key_id,
  a.event_name_base = 'CreateServiceSpecificCredential'
    AND json_extract_string(a.request_parameters, '$.credentialAgeDays') IS NULL AS never_expires,
  a.session_name,
  a.user_agent
FROM credential_acts AS a
LEFT JOIN bedrock_keys AS k ON k.bedrock_key_id = a.bedrock_key_id
WHERE (
    a.service_name = 'bedrock.amazonaws.com'
    OR k.bedrock_key_id IS NOT NULL
    OR (a.service_name = '' AND starts_with(coalesce(a.request_user_name, ''), 'BedrockAPIKey-'))
  )
  AND (
    a.event_name_base <> 'UpdateServiceSpecificCredential'
    OR coalesce(json_extract_string(a.request_parameters, '$.status'), '') = 'Active'
  )
  AND a.event_time >= $since
  AND a.event_time < $until
ORDER BY a.event_time NULLS LAST, a.event_key
