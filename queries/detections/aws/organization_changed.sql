-- ---
-- id = "aws.organization_changed"
-- kind = "detection"
-- title = "An account was to leave its organisation, or the organisation's accounts or policies were changed"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1666", "T1562.001"]
-- attack_v19 = ["T1666", "T1685"]
-- attack_version = "18.1"
-- description = "An account tried to leave its organisation or was removed from it, a policy of the organisation was detached, deleted or its kind disabled, trusted access of a service was taken, or an account was moved, created or invited, by a principal that had not made the same call before the end of the baseline. Denied attempts count, because they show the intent. Calls that a service makes for its caller are left out. Outside the organisation its policies and central logs no longer reach an account."
-- misses = "A policy whose text is loosened (UpdatePolicy). A stolen credential of those who manage accounts as their work."
-- false_positives = ["Accounts that are bought, sold or merged", "An account factory, in its first days or without a stated T0"]
-- next_steps = ["Ask the owner of the organisation at once: leaving takes the account out of reach", "Look which policies still hold for the account", "List new accounts and who may enter them"]
-- references = ["https://docs.aws.amazon.com/organizations/latest/APIReference/API_LeaveOrganization.html", "https://docs.aws.amazon.com/organizations/latest/APIReference/API_DetachPolicy.html", "https://docs.aws.amazon.com/organizations/latest/APIReference/API_InviteAccountToOrganization.html"]
-- ---
WITH calls AS (
  SELECT e.*, coalesce(e.actor, '') AS caller
  FROM aws_event AS e
  WHERE e.event_source = 'organizations.amazonaws.com'
    AND e.event_name_base IN ('LeaveOrganization', 'RemoveAccountFromOrganization', 'DetachPolicy',
                                 'DisablePolicyType', 'DeletePolicy', 'DisableAWSServiceAccess',
                                 'DeregisterDelegatedAdministrator', 'MoveAccount', 'CreateAccount',
                                 'InviteAccountToOrganization', 'DeleteOrganization')
    AND e.outcome IN ('success', 'denied')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
habits AS (
  SELECT DISTINCT caller, event_name_base FROM calls WHERE event_time < $baseline_until
)
SELECT
  c.caller || '|' || coalesce(c.credential_id, '') || '|' || strftime(c.event_time, '%Y-%m-%d') AS finding_key,
  c.event_time,
  c.actor,
  c.event_name_base AS action,
  coalesce(
    json_extract_string(c.request_parameters, '$.accountId'),
    json_extract_string(c.request_parameters, '$.policyId'),
    json_extract_string(c.request_parameters, '$.target.id'),
    c.resource
  ) AS resource,
  c.source_ip,
  c.credential_id,
  c.account_id,
  c.region,
  c.outcome,
  c.event_key,
  c.evidence,
  c.session_name,
  c.user_agent
FROM calls AS c
LEFT JOIN habits AS h ON h.caller = c.caller AND h.event_name_base = c.event_name_base
WHERE h.caller IS NULL
  AND c.event_time >= $since
ORDER BY c.event_time NULLS LAST, c.event_key
