-- ---
-- id = "aws.sensitive_api_called"
-- kind = "detection"
-- title = "A call was made that weakens records, defences, network or ownership of the account"
-- severity = "medium"
-- confidence = "low"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1562", "T1562.001", "T1562.007", "T1562.008", "T1578", "T1098"]
-- attack_v19 = ["T1685", "T1685.002", "T1686.001", "T1578", "T1098"]
-- attack_version = "18.1"
-- description = "A call on a watch list of rare and telling calls that have no rule of their own here: records removed, network paths opened, defences and encryption switched off, stores opened to others, the account changed. A principal that made the same call before the end of the baseline is left out. Denied attempts count, because they show the intent."
-- misses = "Calls that are not on the list. A stolen credential of a principal that makes such calls as its work."
-- false_positives = ["Infrastructure tools that build or tear down an environment, above all in their first days", "Planned changes; without a stated T0 there is no baseline and all of them appear"]
-- next_steps = ["Read the subject of each call and ask who ordered it", "Compare with the change calendar", "Look at the finding together with others of the same credential"]
-- references = ["https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteFlowLogs.html", "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableSerialConsoleAccess.html", "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference.html"]
-- ---
WITH watch_list(source, call, subject) AS (
  VALUES
    ('ec2.amazonaws.com', 'DeleteFlowLogs', 'records'),
    ('route53resolver.amazonaws.com', 'DeleteResolverQueryLogConfig', 'records'),
    ('route53resolver.amazonaws.com', 'DisassociateResolverQueryLogConfig', 'records'),
    ('wafv2.amazonaws.com', 'DeleteLoggingConfiguration', 'records'),
    ('rds.amazonaws.com', 'StopActivityStream', 'records'),
    ('ec2.amazonaws.com', 'EnableSerialConsoleAccess', 'defences'),
    ('ec2.amazonaws.com', 'DisableEbsEncryptionByDefault', 'defences'),
    ('ec2.amazonaws.com', 'DisableSnapshotBlockPublicAccess', 'defences'),
    ('ec2.amazonaws.com', 'DisableImageBlockPublicAccess', 'defences'),
    ('iam.amazonaws.com', 'DeleteAccountPasswordPolicy', 'defences'),
    ('iam.amazonaws.com', 'DeleteUserPermissionsBoundary', 'defences'),
    ('iam.amazonaws.com', 'DeleteRolePermissionsBoundary', 'defences'),
    ('iam.amazonaws.com', 'PutUserPermissionsBoundary', 'defences'),
    ('iam.amazonaws.com', 'PutRolePermissionsBoundary', 'defences'),
    ('iam.amazonaws.com', 'UpdateAccountPasswordPolicy', 'defences'),
    ('s3.amazonaws.com', 'DeleteBucketEncryption', 'defences'),
    ('s3.amazonaws.com', 'DeleteBucketPublicAccessBlock', 'defences'),
    ('s3.amazonaws.com', 'DeleteAccountPublicAccessBlock', 'defences'),
    ('wafv2.amazonaws.com', 'DeleteWebACL', 'defences'),
    ('wafv2.amazonaws.com', 'DeleteRuleGroup', 'defences'),
    ('network-firewall.amazonaws.com', 'DeleteRuleGroup', 'defences'),
    ('network-firewall.amazonaws.com', 'DeleteFirewallPolicy', 'defences'),
    ('wafv2.amazonaws.com', 'DisassociateWebACL', 'defences'),
    ('kms.amazonaws.com', 'DisableKey', 'encryption'),
    ('kms.amazonaws.com', 'ScheduleKeyDeletion', 'encryption'),
    ('kms.amazonaws.com', 'DeleteImportedKeyMaterial', 'encryption'),
    ('kms.amazonaws.com', 'ImportKeyMaterial', 'encryption'),
    ('kms.amazonaws.com', 'PutKeyPolicy', 'encryption'),
    ('bedrock.amazonaws.com', 'DeleteGuardrail', 'defences'),
    ('bedrock.amazonaws.com', 'UpdateGuardrail', 'defences'),
    ('bedrock.amazonaws.com', 'PutEnforcedGuardrailConfiguration', 'defences'),
    ('bedrock.amazonaws.com', 'UpdateAutomatedReasoningPolicy', 'defences'),
    ('bedrock.amazonaws.com', 'DeleteEnforcedGuardrailConfiguration', 'defences'),
    ('bedrock.amazonaws.com', 'DeleteAutomatedReasoningPolicy', 'defences'),
    ('ec2.amazonaws.com', 'CreateRoute', 'network'),
    ('ec2.amazonaws.com', 'ReplaceRoute', 'network'),
    ('ec2.amazonaws.com', 'AttachInternetGateway', 'network'),
    ('ec2.amazonaws.com', 'AcceptVpcPeeringConnection', 'network'),
    ('ec2.amazonaws.com', 'DeleteNetworkAcl', 'network'),
    ('ec2.amazonaws.com', 'DeleteNetworkAclEntry', 'network'),
    ('ec2.amazonaws.com', 'ReplaceNetworkAclAssociation', 'network'),
    ('ec2.amazonaws.com', 'CreateTrafficMirrorSession', 'network'),
    ('ec2.amazonaws.com', 'CreateTrafficMirrorTarget', 'network'),
    ('ec2.amazonaws.com', 'ModifyInstanceMetadataOptions', 'network'),
    ('route53.amazonaws.com', 'AssociateVPCWithHostedZone', 'network'),
    ('route53domains.amazonaws.com', 'DisableDomainTransferLock', 'ownership'),
    ('route53domains.amazonaws.com', 'TransferDomainToAnotherAwsAccount', 'ownership'),
    ('route53domains.amazonaws.com', 'RegisterDomain', 'ownership'),
    ('account.amazonaws.com', 'PutContactInformation', 'ownership'),
    ('account.amazonaws.com', 'PutAlternateContact', 'ownership'),
    ('account.amazonaws.com', 'EnableRegion', 'ownership'),
    ('account.amazonaws.com', 'StartPrimaryEmailUpdate', 'ownership'),
    ('account.amazonaws.com', 'AcceptPrimaryEmailUpdate', 'ownership'),
    ('account.amazonaws.com', 'DeleteAlternateContact', 'ownership'),
    ('support.amazonaws.com', 'ResolveCase', 'ownership'),
    ('secretsmanager.amazonaws.com', 'PutResourcePolicy', 'stores'),
    ('secretsmanager.amazonaws.com', 'ReplicateSecretToRegions', 'stores'),
    ('ssm.amazonaws.com', 'ModifyDocumentPermission', 'stores'),
    ('ecr.amazonaws.com', 'SetRepositoryPolicy', 'stores'),
    ('ecr.amazonaws.com', 'PutRegistryPolicy', 'stores'),
    ('ecr.amazonaws.com', 'PutReplicationConfiguration', 'stores'),
    ('s3.amazonaws.com', 'PutBucketReplication', 'stores'),
    ('s3.amazonaws.com', 'DeleteBucketReplication', 'stores'),
    ('s3.amazonaws.com', 'PutBucketLogging', 'records'),
    ('backup.amazonaws.com', 'DeleteBackupVault', 'stores'),
    ('backup.amazonaws.com', 'DeleteRecoveryPoint', 'stores'),
    ('backup.amazonaws.com', 'DeleteBackupVaultLockConfiguration', 'stores')
),
watched_calls AS (
  SELECT e.*, w.subject, coalesce(e.actor, '') AS caller
  FROM aws_event AS e
  JOIN watch_list AS w ON w.source = e.event_source AND w.call = e.event_name_base
  WHERE e.outcome IN ('success', 'denied')
    AND coalesce(e.identity_type, '') <> 'AWSService'
    AND e.event_time < $until
),
habits AS (
  SELECT DISTINCT caller, event_source, event_name_base FROM watched_calls WHERE event_time < $baseline_until
)
SELECT
  c.caller || '|' || coalesce(c.credential_id, '') || '|' || strftime(c.event_time, '%Y-%m-%d') AS finding_key,
  c.event_time,
  c.actor,
  c.event_name_base AS action,
  c.resource,
  c.source_ip,
  c.credential_id,
  c.account_id,
  c.region,
  c.outcome,
  c.event_key,
  c.evidence,
  c.subject,
  c.event_source,
  c.session_name,
  c.invoked_by,
  c.user_agent
FROM watched_calls AS c
LEFT JOIN habits AS h
  ON h.caller = c.caller
 AND h.event_source = c.event_source
 AND h.event_name_base = c.event_name_base
WHERE h.caller IS NULL
  AND c.event_time >= $since
ORDER BY c.event_time NULLS LAST, c.event_key
