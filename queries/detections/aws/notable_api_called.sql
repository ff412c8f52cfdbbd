-- ---
-- id = "aws.notable_api_called"
-- kind = "detection"
-- title = "A call was made that changes network, machines, stores or rights, by a principal new to it"
-- severity = "low"
-- confidence = "low"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1578", "T1098", "T1562.007"]
-- attack_v19 = ["T1578", "T1098", "T1686.001"]
-- attack_version = "18.1"
-- description = "A call on a second watch list: everyday changes of network paths, machines, databases, images, functions, buckets and roles, made or tried by a principal that had not made the same call before the end of the baseline. One such call says little; beside other findings of the same credential it says what was changed. Attempts count whatever came of them. Of each principal, call, outcome and day the first is listed, calls counts them. The first watch list is aws.sensitive_api_called."
-- misses = "Calls that are on neither list. A stolen credential of a principal that makes such calls as its work. Calls that a service makes for its caller."
-- false_positives = ["Every deployment and every administrator, in their first days or without a stated T0"]
-- next_steps = ["Read these findings for credentials that other findings name", "Compare with the change calendar"]
-- references = ["https://docs.aws.amazon.com/AWSEC2/latest/APIReference/OperationList-query.html", "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference.html"]
-- ---
WITH watch_list(source, call, subject) AS (
  VALUES
    ('ec2.amazonaws.com', 'CreateTrafficMirrorFilter', 'network'),
    ('ec2.amazonaws.com', 'CreateTrafficMirrorFilterRule', 'network'),
    ('ec2.amazonaws.com', 'CreateTrafficMirrorSession', 'network'),
    ('ec2.amazonaws.com', 'ModifyTrafficMirrorSession', 'network'),
    ('ec2.amazonaws.com', 'ModifyTrafficMirrorFilterRule', 'network'),
    ('ec2.amazonaws.com', 'ModifyTrafficMirrorFilterNetworkServices', 'network'),
    ('ec2.amazonaws.com', 'DeleteTrafficMirrorSession', 'network'),
    ('ec2.amazonaws.com', 'DeleteTrafficMirrorTarget', 'network'),
    ('ec2.amazonaws.com', 'DeleteTrafficMirrorFilter', 'network'),
    ('ec2.amazonaws.com', 'DeleteTrafficMirrorFilterRule', 'network'),
    ('ec2.amazonaws.com', 'AuthorizeSecurityGroupIngress', 'network'),
    ('ec2.amazonaws.com', 'AuthorizeSecurityGroupEgress', 'network'),
    ('ec2.amazonaws.com', 'RevokeSecurityGroupIngress', 'network'),
    ('ec2.amazonaws.com', 'RevokeSecurityGroupEgress', 'network'),
    ('ec2.amazonaws.com', 'ModifySecurityGroupRules', 'network'),
    ('ec2.amazonaws.com', 'CreateSecurityGroup', 'network'),
    ('ec2.amazonaws.com', 'DeleteSecurityGroup', 'network'),
    ('ec2.amazonaws.com', 'CreateNetworkAcl', 'network'),
    ('ec2.amazonaws.com', 'CreateNetworkAclEntry', 'network'),
    ('ec2.amazonaws.com', 'ReplaceNetworkAclEntry', 'network'),
    ('ec2.amazonaws.com', 'CreateRouteTable', 'network'),
    ('ec2.amazonaws.com', 'DeleteRoute', 'network'),
    ('ec2.amazonaws.com', 'DeleteRouteTable', 'network'),
    ('ec2.amazonaws.com', 'ReplaceRouteTableAssociation', 'network'),
    ('ec2.amazonaws.com', 'DisassociateRouteTable', 'network'),
    ('ec2.amazonaws.com', 'CreateInternetGateway', 'network'),
    ('ec2.amazonaws.com', 'DeleteInternetGateway', 'network'),
    ('ec2.amazonaws.com', 'DetachInternetGateway', 'network'),
    ('ec2.amazonaws.com', 'CreateCustomerGateway', 'network'),
    ('ec2.amazonaws.com', 'DeleteCustomerGateway', 'network'),
    ('ec2.amazonaws.com', 'CreateVpc', 'network'),
    ('ec2.amazonaws.com', 'DeleteVpc', 'network'),
    ('ec2.amazonaws.com', 'ModifyVpcAttribute', 'network'),
    ('ec2.amazonaws.com', 'CreateVpcPeeringConnection', 'network'),
    ('ec2.amazonaws.com', 'DeleteVpcPeeringConnection', 'network'),
    ('ec2.amazonaws.com', 'AttachClassicLinkVpc', 'network'),
    ('ec2.amazonaws.com', 'EnableVpcClassicLink', 'network'),
    ('elasticloadbalancing.amazonaws.com', 'SetSecurityGroups', 'network'),
    ('elasticache.amazonaws.com', 'AuthorizeCacheSecurityGroupIngress', 'network'),
    ('elasticache.amazonaws.com', 'CreateCacheSecurityGroup', 'network'),
    ('elasticache.amazonaws.com', 'DeleteCacheSecurityGroup', 'network'),
    ('elasticache.amazonaws.com', 'RevokeCacheSecurityGroupIngress', 'network'),
    ('ec2.amazonaws.com', 'RunInstances', 'machines'),
    ('ec2.amazonaws.com', 'TerminateInstances', 'machines'),
    ('ec2.amazonaws.com', 'StopInstances', 'machines'),
    ('ec2.amazonaws.com', 'CreateImage', 'machines'),
    ('ec2.amazonaws.com', 'CopyImage', 'machines'),
    ('ec2.amazonaws.com', 'ImportImage', 'machines'),
    ('ec2.amazonaws.com', 'ImportInstance', 'machines'),
    ('ec2.amazonaws.com', 'CreateSnapshot', 'machines'),
    ('ec2.amazonaws.com', 'DetachVolume', 'machines'),
    ('ec2.amazonaws.com', 'CreateKeyPair', 'machines'),
    ('ec2.amazonaws.com', 'ImportKeyPair', 'machines'),
    ('ec2.amazonaws.com', 'DeleteKeyPair', 'machines'),
    ('ec2.amazonaws.com', 'RequestSpotInstances', 'machines'),
    ('ec2.amazonaws.com', 'PurchaseReservedInstancesOffering', 'machines'),
    ('ec2.amazonaws.com', 'ModifyInstanceAttribute', 'machines'),
    ('ec2.amazonaws.com', 'DisassociateIamInstanceProfile', 'machines'),
    ('rds.amazonaws.com', 'FailoverDBCluster', 'databases'),
    ('rds.amazonaws.com', 'FailoverGlobalCluster', 'databases'),
    ('rds.amazonaws.com', 'RebootDBInstance', 'databases'),
    ('rds.amazonaws.com', 'RebootDBCluster', 'databases'),
    ('rds.amazonaws.com', 'CreateDBSnapshot', 'databases'),
    ('rds.amazonaws.com', 'CreateDBClusterSnapshot', 'databases'),
    ('rds.amazonaws.com', 'DeleteDBSnapshot', 'databases'),
    ('rds.amazonaws.com', 'DeleteDBClusterSnapshot', 'databases'),
    ('rds.amazonaws.com', 'DeleteDBInstance', 'databases'),
    ('rds.amazonaws.com', 'DeleteDBCluster', 'databases'),
    ('rds.amazonaws.com', 'DeleteGlobalCluster', 'databases'),
    ('rds.amazonaws.com', 'DeleteDBInstanceAutomatedBackup', 'databases'),
    ('rds.amazonaws.com', 'DeleteDBClusterAutomatedBackup', 'databases'),
    ('rds.amazonaws.com', 'AddRoleToDBCluster', 'databases'),
    ('rds.amazonaws.com', 'AddRoleToDBInstance', 'databases'),
    ('rds.amazonaws.com', 'DownloadDBLogFilePortion', 'databases'),
    ('rds.amazonaws.com', 'RestoreDBInstanceFromS3', 'databases'),
    ('rds.amazonaws.com', 'RestoreDBInstanceFromDBSnapshot', 'databases'),
    ('rds.amazonaws.com', 'CreateDBSecurityGroup', 'databases'),
    ('rds.amazonaws.com', 'DeleteDBSecurityGroup', 'databases'),
    ('ecr.amazonaws.com', 'PutImage', 'images'),
    ('ecr.amazonaws.com', 'BatchDeleteImage', 'images'),
    ('ecr.amazonaws.com', 'CreateRepository', 'images'),
    ('ecr.amazonaws.com', 'DeleteRepository', 'images'),
    ('ecr.amazonaws.com', 'DeleteRepositoryPolicy', 'images'),
    ('lambda.amazonaws.com', 'DeleteFunction', 'functions'),
    ('lambda.amazonaws.com', 'PublishLayerVersion', 'functions'),
    ('lambda.amazonaws.com', 'PublishVersion', 'functions'),
    ('lambda.amazonaws.com', 'UpdateEventSourceMapping', 'functions'),
    ('lambda.amazonaws.com', 'DeleteEventSourceMapping', 'functions'),
    ('lambda.amazonaws.com', 'RemovePermission', 'functions'),
    ('codebuild.amazonaws.com', 'UpdateProject', 'functions'),
    ('codebuild.amazonaws.com', 'UpdateProjectVisibility', 'functions'),
    ('s3.amazonaws.com', 'PutBucketAcl', 'stores'),
    ('s3.amazonaws.com', 'PutBucketPolicy', 'stores'),
    ('s3.amazonaws.com', 'DeleteBucketPolicy', 'stores'),
    ('s3.amazonaws.com', 'PutBucketWebsite', 'stores'),
    ('s3.amazonaws.com', 'PutBucketCors', 'stores'),
    ('s3.amazonaws.com', 'DeleteBucketCors', 'stores'),
    ('s3.amazonaws.com', 'DeleteBucketLifecycle', 'stores'),
    ('s3.amazonaws.com', 'PutBucketLifecycle', 'stores'),
    ('s3.amazonaws.com', 'PutBucketVersioning', 'stores'),
    ('s3.amazonaws.com', 'PutBucketPublicAccessBlock', 'stores'),
    ('s3.amazonaws.com', 'DeleteBucket', 'stores'),
    ('elasticfilesystem.amazonaws.com', 'DeleteFileSystem', 'stores'),
    ('elasticfilesystem.amazonaws.com', 'DeleteMountTarget', 'stores'),
    ('elasticfilesystem.amazonaws.com', 'PutBackupPolicy', 'stores'),
    ('sqs.amazonaws.com', 'SetQueueAttributes', 'stores'),
    ('sns.amazonaws.com', 'SetTopicAttributes', 'stores'),
    ('iam.amazonaws.com', 'CreateRole', 'rights'),
    ('iam.amazonaws.com', 'CreateGroup', 'rights'),
    ('iam.amazonaws.com', 'DeleteGroup', 'rights'),
    ('iam.amazonaws.com', 'CreatePolicy', 'rights'),
    ('iam.amazonaws.com', 'CreateInstanceProfile', 'rights'),
    ('iam.amazonaws.com', 'CreateServiceLinkedRole', 'rights'),
    ('iam.amazonaws.com', 'AttachUserPolicy', 'rights'),
    ('iam.amazonaws.com', 'AttachRolePolicy', 'rights'),
    ('iam.amazonaws.com', 'AttachGroupPolicy', 'rights'),
    ('iam.amazonaws.com', 'DetachRolePolicy', 'rights'),
    ('iam.amazonaws.com', 'DetachGroupPolicy', 'rights'),
    ('iam.amazonaws.com', 'DeleteRolePolicy', 'rights'),
    ('iam.amazonaws.com', 'DeleteGroupPolicy', 'rights'),
    ('iam.amazonaws.com', 'DeletePolicyVersion', 'rights'),
    ('iam.amazonaws.com', 'DeleteRole', 'rights'),
    ('eks.amazonaws.com', 'CreateCluster', 'machines'),
    ('eks.amazonaws.com', 'DeleteCluster', 'machines'),
    ('redshift.amazonaws.com', 'DeleteCluster', 'databases'),
    ('eks.amazonaws.com', 'DeleteAccessEntry', 'rights'),
    ('securityhub.amazonaws.com', 'UpdateFindings', 'defences'),
    ('securityhub.amazonaws.com', 'UpdateInsight', 'defences'),
    ('cloudtrail.amazonaws.com', 'CreateTrail', 'defences'),
    ('cloudtrail.amazonaws.com', 'StartLogging', 'defences'),
    ('config.amazonaws.com', 'PutConfigurationRecorder', 'defences'),
    ('config.amazonaws.com', 'PutDeliveryChannel', 'defences'),
    ('config.amazonaws.com', 'StartConfigurationRecorder', 'defences'),
    ('account.amazonaws.com', 'DisableRegion', 'ownership'),
    ('bedrock.amazonaws.com', 'DeleteCustomModel', 'models'),
    ('bedrock.amazonaws.com', 'DeleteImportedModel', 'models'),
    ('bedrock.amazonaws.com', 'DeleteProvisionedModelThroughput', 'models'),
    ('bedrock.amazonaws.com', 'DeleteKnowledgeBase', 'models'),
    ('bedrock.amazonaws.com', 'UpdateKnowledgeBase', 'models'),
    ('bedrock.amazonaws.com', 'DeleteDataSource', 'models'),
    ('bedrock.amazonaws.com', 'CreateAgentAlias', 'models'),
    ('bedrock.amazonaws.com', 'UpdateAgentAlias', 'models')
),
watched_calls AS (
  SELECT e.*, w.subject, coalesce(e.actor, '') AS caller
  FROM aws_event AS e
  JOIN watch_list AS w ON w.source = e.event_source AND w.call = e.event_name_base
  WHERE coalesce(e.identity_type, '') <> 'AWSService'
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
habits AS (
  SELECT DISTINCT caller, event_source, event_name_base FROM watched_calls WHERE event_time < $baseline_until
),
new_calls AS (
  SELECT
    c.event_key,
    count(*) OVER (
      PARTITION BY c.caller, c.credential_id, c.event_source, c.event_name_base, c.outcome, c.event_epoch // 86400
      ORDER BY c.event_epoch NULLS LAST, c.event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS calls,
    row_number() OVER (
      PARTITION BY c.caller, c.credential_id, c.event_source, c.event_name_base, c.outcome, c.event_epoch // 86400
      ORDER BY c.event_epoch NULLS LAST, c.event_key
    ) AS place
  FROM watched_calls AS c
  LEFT JOIN habits AS h
    ON h.caller = c.caller
   AND h.event_source = c.event_source
   AND h.event_name_base = c.event_name_base
  WHERE h.caller IS NULL
    AND c.event_time >= $since
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
  n.calls,
  c.event_source,
  c.session_name,
  c.user_agent
FROM new_calls AS n
JOIN watched_calls AS c ON c.event_key = n.event_key
WHERE n.place = 1
ORDER BY c.event_time NULLS LAST, c.event_key
