-- ---
-- id = "aws.identity_provider_changed"
-- kind = "detection"
-- title = "An identity provider, or who may enter accounts through it, was changed"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1484.002", "T1556.007"]
-- attack_v19 = ["T1484.002", "T1556.007"]
-- attack_version = "18.1"
-- description = "A provider of SAML or OpenID Connect was created, changed or deleted in IAM, or the configuration, permission sets or assignments of IAM Identity Center were changed, by a principal that had not made the same call before the end of the baseline. Denied attempts count, because they show the intent. Calls that a service makes for its caller are left out."
-- misses = "Changes at the identity provider itself. A stolen credential of those who manage access as their work."
-- false_positives = ["Planned work on single sign-on", "A platform team that gives access, in its first days or without a stated T0"]
-- next_steps = ["Compare the provider's certificate or thumbprint with what the organisation knows", "List the roles that trust the provider and the logins through it since then", "List who got which permission set in which account"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateSAMLProvider.html", "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html", "https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreateAccountAssignment.html"]
-- ---
WITH changes AS (
  SELECT e.*, coalesce(e.actor, '') AS caller
  FROM aws_event AS e
  WHERE ((e.event_source = 'iam.amazonaws.com'
      AND e.event_name_base IN ('CreateSAMLProvider', 'UpdateSAMLProvider', 'DeleteSAMLProvider',
                                'CreateOpenIDConnectProvider', 'UpdateOpenIDConnectProviderThumbprint',
                                'AddClientIDToOpenIDConnectProvider', 'DeleteOpenIDConnectProvider'))
      OR (e.event_source IN ('sso.amazonaws.com', 'sso-directory.amazonaws.com')
      AND e.event_name_base IN ('CreatePermissionSet', 'CreateAccountAssignment', 'AttachManagedPolicyToPermissionSet',
                                'AttachCustomerManagedPolicyReferenceToPermissionSet', 'UpdateInstance', 'DeleteInstance',
                                'AssociateDirectory', 'DisassociateDirectory',
                                'EnableExternalIdPConfigurationForDirectory', 'DisableExternalIdPConfigurationForDirectory')))
    AND e.outcome IN ('success', 'denied')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
habits AS (
  SELECT DISTINCT caller, event_name_base FROM changes WHERE event_time < $baseline_until
)
SELECT
  c.caller || '|' || coalesce(c.credential_id, '') || '|' || strftime(c.event_time, '%Y-%m-%d') AS finding_key,
  c.event_time,
  c.actor,
  c.event_name_base AS action,
  coalesce(
    json_extract_string(c.request_parameters, '$.sAMLProviderArn'),
    json_extract_string(c.request_parameters, '$.openIDConnectProviderArn'),
    json_extract_string(c.request_parameters, '$.url'),
    json_extract_string(c.request_parameters, '$.permissionSetArn'),
    c.request_name,
    c.resource
  ) AS resource,
  c.source_ip,
  c.credential_id,
  c.account_id,
  c.region,
  c.outcome,
  c.event_key,
  c.evidence,
  json_extract_string(c.request_parameters, '$.targetId') AS target_account,
  json_extract_string(c.request_parameters, '$.managedPolicyArn') AS policy_arn,
  c.session_name,
  c.user_agent
FROM changes AS c
LEFT JOIN habits AS h ON h.caller = c.caller AND h.event_name_base = c.event_name_base
WHERE h.caller IS NULL
  AND c.event_time >= $since
ORDER BY c.event_time NULLS LAST, c.event_key
