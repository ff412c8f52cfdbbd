-- ---
-- id = "timeline.key_events"
-- kind = "timeline"
-- title = "The acts that matter: changes, logins, secret reads, issued credentials, logging, and acts at the providers"
-- sources = ["aws_cloudtrail", "openai_audit", "anthropic_activity"]
-- description = "One row an act, in the order of time, with why it stands here. Of CloudTrail: logins, reads of secrets, parameters and function configurations, credentials handed out, changes of logging, and every other change made by a principal itself. Calls of services are left out unless they read a secret. Of the providers: every entry of the audit logs. Refused attempts stand here too."
-- ---
WITH read_events AS (
  SELECT DISTINCT event_key FROM secret_access
),
aws_acts AS (
  SELECT
    e.event_time,
    e.source_id AS source,
    e.owner,
    e.actor,
    e.session_name,
    e.event_source || ':' || e.event_name_base AS action,
    e.outcome,
    e.resource,
    e.credential_id AS credential,
    e.source_ip,
    e.account_id,
    e.region,
    e.event_key,
    e.event_id,
    e.evidence,
    CASE
      WHEN e.event_source = 'signin.amazonaws.com' THEN 'login'
      WHEN r.event_key IS NOT NULL OR e.event_name_base = 'BatchGetSecretValue' THEN 'secret_read'
      WHEN e.event_source IN ('cloudtrail.amazonaws.com', 'config.amazonaws.com', 'guardduty.amazonaws.com', 'logs.amazonaws.com',
                              'securityhub.amazonaws.com', 'access-analyzer.amazonaws.com')
        OR e.event_name_base IN ('DeleteFlowLogs', 'CreateFlowLogs', 'PutModelInvocationLoggingConfiguration',
                                 'DeleteModelInvocationLoggingConfiguration')
        THEN 'logging_change'
      WHEN e.issued_credential_id IS NOT NULL
        OR (e.event_source = 'sts.amazonaws.com' AND e.event_name_base <> 'GetCallerIdentity') THEN 'credential_issued'
      ELSE 'change'
    END AS why,
    coalesce(e.read_only, TRUE) AS reads_only,
    coalesce(e.identity_type, '') = 'AWSService' OR coalesce(e.invoked_by, '') <> ''
      OR coalesce(e.event_type, '') = 'AwsServiceEvent' AS by_service
  FROM aws_event AS e
  LEFT JOIN read_events AS r ON r.event_key = e.event_key
  WHERE e.event_time >= $since
    AND e.event_time < $until
),
acts AS (
  SELECT event_time, source, owner, actor, session_name, action, outcome, resource, credential, source_ip, account_id,
    region, why, event_key, event_id, evidence
  FROM aws_acts
  WHERE why = 'secret_read'
     OR (why IN ('login', 'credential_issued') AND NOT by_service)
     OR (why IN ('logging_change', 'change') AND NOT by_service AND NOT reads_only)
  UNION ALL
  SELECT event_time, source_id AS source, owner, coalesce(actor_email, actor_key_id, actor_id, actor_type) AS actor,
    CAST(NULL AS VARCHAR) AS session_name, provider || ':' || action AS action, outcome,
    coalesce(target_key_id, target_id) AS resource, actor_key_id AS credential, source_ip, organisation AS account_id,
    CAST(NULL AS VARCHAR) AS region, 'provider_act' AS why, event_key, event_id, evidence
  FROM ai_audit_event
  WHERE event_time >= $since
    AND event_time < $until
)
SELECT event_time, why, source, owner, actor, session_name, action, outcome, resource, credential, source_ip, account_id,
  region, event_id, event_key, evidence
FROM acts
ORDER BY event_time NULLS LAST, event_key
