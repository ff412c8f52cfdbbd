-- ---
-- id = "aws.roles_anywhere_trust_created"
-- kind = "detection"
-- title = "Holders of outside certificates were allowed to assume roles"
-- severity = "critical"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1098.001", "T1556"]
-- attack_v19 = ["T1098.001", "T1556"]
-- attack_version = "18.1"
-- description = "A trust anchor or a profile of IAM Roles Anywhere was created, changed or enabled. Whoever holds a certificate of the trusted authority then gets sessions of the named roles without any key of the account; source_type CERTIFICATE_BUNDLE means an authority outside AWS. Denied attempts count, because they show the intent."
-- misses = "Anchors that were there before the logs begin. Certificates issued by an authority that is already trusted."
-- false_positives = ["Connection of machines outside the cloud", "Renewal of the authority's certificate"]
-- next_steps = ["Ask the owner of the machines outside the cloud", "List the CreateSession events with that anchor and what those sessions did", "Disable the anchor if nobody vouches for it"]
-- references = ["https://docs.aws.amazon.com/rolesanywhere/latest/APIReference/API_CreateTrustAnchor.html", "https://docs.aws.amazon.com/rolesanywhere/latest/APIReference/API_CreateProfile.html", "https://docs.aws.amazon.com/rolesanywhere/latest/userguide/introduction.html"]
-- ---
SELECT
  coalesce(actor, '') || '|' || coalesce(credential_id, '') || '|' || strftime(event_time, '%Y-%m-%d') AS finding_key,
  event_time,
  actor,
  event_name_base AS action,
  coalesce(
    json_extract_string(request_parameters, '$.name'),
    json_extract_string(request_parameters, '$.trustAnchorId'),
    json_extract_string(request_parameters, '$.profileId'),
    resource
  ) AS resource,
  source_ip,
  credential_id,
  account_id,
  region,
  outcome,
  event_key,
  evidence,
  json_extract_string(request_parameters, '$.source.sourceType') AS source_type,
  json_extract_string(request_parameters, '$.roleArns') AS role_arns,
  session_name,
  user_agent
FROM aws_event
WHERE event_source = 'rolesanywhere.amazonaws.com'
  AND event_name_base IN (
    'CreateTrustAnchor', 'UpdateTrustAnchor', 'EnableTrustAnchor', 'CreateProfile', 'UpdateProfile', 'EnableProfile'
  )
  AND outcome IN ('success', 'denied')
  AND event_time >= $since
  AND event_time < $until
ORDER BY event_time NULLS LAST, event_key
