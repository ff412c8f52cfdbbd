-- ---
-- id = "exposure.store_copies"
-- kind = "exposure"
-- title = "Stores that were copied, shared, opened, exported or scanned"
-- severity = "info"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- description = "Acts that carry a whole store away or open it: snapshots shared, copied, exported, read block by block or restored, disks attached elsewhere, tables scanned or exported, statements run through the data interface of a database, buckets opened or replicated, recovery points copied. thing is the snapshot, disk, table, bucket or database that the call names; usual_reads counts the same call by the same actor before the baseline ended. Single items read from a table are of the class possibly."
-- misses = "Reads inside a database do not show in CloudTrail. Scans and items show only where the trail records data events. Whether a written bucket policy opens anything is judged by the detection aws.bucket_opened_outside."
-- references = ["https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBSnapshotAttribute.html", "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySnapshotAttribute.html", "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/logging-using-cloudtrail.html"]
-- ---
WITH copying_calls(source, call, kind, access) AS (
  VALUES
    ('rds.amazonaws.com', 'ModifyDBSnapshotAttribute', 'rds', 'store_copied'),
    ('rds.amazonaws.com', 'ModifyDBClusterSnapshotAttribute', 'rds', 'store_copied'),
    ('rds.amazonaws.com', 'CopyDBSnapshot', 'rds', 'store_copied'),
    ('rds.amazonaws.com', 'CopyDBClusterSnapshot', 'rds', 'store_copied'),
    ('rds.amazonaws.com', 'StartExportTask', 'rds', 'store_copied'),
    ('rds.amazonaws.com', 'RestoreDBInstanceFromDBSnapshot', 'rds', 'store_copied'),
    ('rds.amazonaws.com', 'RestoreDBInstanceToPointInTime', 'rds', 'store_copied'),
    ('rds.amazonaws.com', 'RestoreDBClusterFromSnapshot', 'rds', 'store_copied'),
    ('rds.amazonaws.com', 'RestoreDBClusterToPointInTime', 'rds', 'store_copied'),
    ('rds.amazonaws.com', 'CreateDBInstanceReadReplica', 'rds', 'store_copied'),
    ('rds-data.amazonaws.com', 'ExecuteStatement', 'rds', 'store_copied'),
    ('rds-data.amazonaws.com', 'ExecuteSql', 'rds', 'store_copied'),
    ('rds-data.amazonaws.com', 'BatchExecuteStatement', 'rds', 'store_copied'),
    ('ec2.amazonaws.com', 'ModifySnapshotAttribute', 'ebs', 'store_copied'),
    ('ec2.amazonaws.com', 'CopySnapshot', 'ebs', 'store_copied'),
    ('ec2.amazonaws.com', 'CreateVolume', 'ebs', 'store_copied'),
    ('ec2.amazonaws.com', 'AttachVolume', 'ebs', 'store_copied'),
    ('ebs.amazonaws.com', 'GetSnapshotBlock', 'ebs', 'store_copied'),
    ('ebs.amazonaws.com', 'ListSnapshotBlocks', 'ebs', 'possibly'),
    ('dynamodb.amazonaws.com', 'Scan', 'dynamodb', 'store_copied'),
    ('dynamodb.amazonaws.com', 'ExecuteStatement', 'dynamodb', 'store_copied'),
    ('dynamodb.amazonaws.com', 'BatchExecuteStatement', 'dynamodb', 'store_copied'),
    ('dynamodb.amazonaws.com', 'ExportTableToPointInTime', 'dynamodb', 'store_copied'),
    ('dynamodb.amazonaws.com', 'RestoreTableFromBackup', 'dynamodb', 'store_copied'),
    ('dynamodb.amazonaws.com', 'RestoreTableToPointInTime', 'dynamodb', 'store_copied'),
    ('dynamodb.amazonaws.com', 'GetItem', 'dynamodb', 'possibly'),
    ('dynamodb.amazonaws.com', 'Query', 'dynamodb', 'possibly'),
    ('dynamodb.amazonaws.com', 'BatchGetItem', 'dynamodb', 'possibly'),
    ('s3.amazonaws.com', 'PutBucketPolicy', 's3', 'store_copied'),
    ('s3.amazonaws.com', 'PutBucketAcl', 's3', 'store_copied'),
    ('s3.amazonaws.com', 'PutBucketReplication', 's3', 'store_copied'),
    ('secretsmanager.amazonaws.com', 'PutResourcePolicy', 'secret', 'possibly'),
    ('secretsmanager.amazonaws.com', 'ReplicateSecretToRegions', 'secret', 'possibly'),
    ('backup.amazonaws.com', 'StartCopyJob', 'backup', 'store_copied'),
    ('backup.amazonaws.com', 'StartRestoreJob', 'backup', 'store_copied')
),
copies AS (
  SELECT e.event_time, e.event_key, c.access, e.event_name_base AS action, c.kind AS location_kind,
         coalesce(
           json_extract_string(e.request_parameters, '$.sourceDBSnapshotIdentifier'),
           json_extract_string(e.request_parameters, '$.sourceDBClusterSnapshotIdentifier'),
           json_extract_string(e.request_parameters, '$.dBSnapshotIdentifier'),
           json_extract_string(e.request_parameters, '$.dBClusterSnapshotIdentifier'),
           json_extract_string(e.request_parameters, '$.snapshotIdentifier'),
           json_extract_string(e.request_parameters, '$.sourceArn'),
           json_extract_string(e.request_parameters, '$.sourceDBInstanceIdentifier'),
           json_extract_string(e.request_parameters, '$.sourceDBClusterIdentifier'),
           json_extract_string(e.request_parameters, '$.resourceArn'),
           json_extract_string(e.request_parameters, '$.sourceSnapshotId'),
           json_extract_string(e.request_parameters, '$.snapshotId'),
           json_extract_string(e.request_parameters, '$.volumeId'),
           json_extract_string(e.request_parameters, '$.tableName'),
           json_extract_string(e.request_parameters, '$.tableArn'),
           json_extract_string(e.request_parameters, '$.sourceTableName'),
           json_extract_string(e.request_parameters, '$.recoveryPointArn'),
           e.request_bucket, s.value, r.value) AS location,
         coalesce(json_extract_string(e.request_parameters, '$.sourceRegion'), e.region) AS region,
         e.account_id, e.actor, e.session_name, e.credential_id, e.source_ip, e.invoked_by, e.outcome, e.evidence
  FROM aws_event AS e
  JOIN copying_calls AS c ON c.source = e.event_source AND c.call = e.event_name_base
  LEFT JOIN (SELECT event_key, min(value) AS value FROM aws_event_item WHERE kind = 'secret' GROUP BY event_key) AS s
    ON s.event_key = e.event_key
  LEFT JOIN (SELECT event_key, min(value) AS value FROM aws_event_item WHERE kind = 'resource_arn' GROUP BY event_key) AS r
    ON r.event_key = e.event_key
  WHERE e.event_time < $until
),
usual AS (
  SELECT actor, action, count(*) AS calls
  FROM copies
  WHERE event_time < $baseline_until AND outcome = 'success'
  GROUP BY actor, action
)
SELECT c.event_time, c.event_key, c.access, c.action, c.location_kind, c.location, c.region, c.account_id, c.actor,
       c.session_name, c.credential_id, c.source_ip, c.invoked_by, c.outcome, coalesce(u.calls, 0) AS usual_reads, c.evidence
FROM copies AS c
LEFT JOIN usual AS u ON u.actor = c.actor AND u.action = c.action
WHERE c.event_time >= $since
ORDER BY c.event_time NULLS LAST, c.location NULLS LAST, c.event_key
