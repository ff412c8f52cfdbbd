-- ---
-- id = "summary.logins"
-- kind = "summary"
-- title = "Every interactive login, in AWS and at the providers"
-- sources = ["aws_cloudtrail", "openai_audit", "anthropic_activity"]
-- description = "One row a login or role switch, failed ones too. mfa_used is what the AWS record says; for federated logins it says nothing about the identity provider."
-- ---
WITH logins AS (
  SELECT
    event_time,
    'aws' AS system,
    actor,
    session_name,
    event_name_base AS action,
    outcome,
    source_ip,
    user_agent,
    json_extract_string(additional_event_data, '$.MFAUsed') AS mfa_used,
    identity_type AS actor_type,
    account_id,
    owner,
    event_key,
    evidence
  FROM aws_event
  WHERE (event_source = 'signin.amazonaws.com'
         AND event_name_base IN ('ConsoleLogin', 'GetSigninToken', 'SwitchRole', 'ExitRole', 'CheckMfa', 'UserAuthentication',
                                 'CredentialChallenge', 'CredentialVerification', 'PasswordRecoveryRequested', 'PasswordRecoveryCompleted'))
     OR (event_source IN ('sso.amazonaws.com', 'sso-oauth.amazonaws.com')
         AND event_name_base IN ('Authenticate', 'Federate', 'CreateToken', 'StartDeviceAuthorization', 'GetRoleCredentials'))
  UNION ALL
  SELECT
    event_time,
    provider AS system,
    coalesce(actor_email, actor_key_id, actor_id, actor_type) AS actor,
    CAST(NULL AS VARCHAR) AS session_name,
    action,
    outcome,
    source_ip,
    user_agent,
    CAST(NULL AS VARCHAR) AS mfa_used,
    actor_type,
    organisation AS account_id,
    owner,
    event_key,
    evidence
  FROM ai_audit_event
  WHERE action LIKE '%login%' OR action LIKE '%logout%'
)
SELECT
  event_time,
  system,
  actor,
  session_name,
  action,
  outcome,
  source_ip,
  user_agent,
  mfa_used,
  actor_type,
  account_id,
  owner,
  event_key,
  evidence
FROM logins
WHERE event_time >= $since
  AND event_time < $until
ORDER BY event_time NULLS LAST, event_key
