-- ---
-- id = "aws.snapshot_exported_or_copied"
-- kind = "detection"
-- title = "A snapshot, image or disk was exported, copied away, read block by block or restored to the internet"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1537", "T1213.006"]
-- attack_v19 = ["T1537", "T1213.006"]
-- attack_version = "18.1"
-- description = "A principal exported a database snapshot, image or instance to a bucket, copied a snapshot to another region or under the key of another account, read a disk snapshot block by block, had a recovery point copied to a vault of an account which is neither the event's own nor one of the case's own, or restored a database so that it can be reached from the internet. way says which. Denied attempts count, because they show the intent. A principal that went the same way before the end of the baseline is left out, and so are calls that a service made. Of each principal, way, thing and day the first call is listed, calls counts them."
-- misses = "Copies within the region under an own key. Block reads where the trail records no data events of EBS. A stolen credential of a backup job. Volumes made of a snapshot and attached to another instance."
-- false_positives = ["A planned migration or a copy for disaster recovery, in its first days", "Forensic tools that read a snapshot block by block", "Without a stated T0 there is no baseline, so every regular copy appears"]
-- next_steps = ["Find out which stores and which keys the snapshot held", "Find the bucket, vault or region it went to, and who can read there", "Look for ModifySnapshotAttribute and ModifyDBSnapshotAttribute on the copy", "Treat every key in it as exposed by copy unless the copy is explained"]
-- references = ["https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_StartExportTask.html", "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopySnapshot.html", "https://docs.aws.amazon.com/ebs/latest/APIReference/API_GetSnapshotBlock.html", "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_StartCopyJob.html", "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateStoreImageTask.html"]
-- ---
WITH calls AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS caller,
    CASE
      WHEN e.event_source = 'rds.amazonaws.com' AND e.event_name_base = 'StartExportTask' THEN 'export'
      WHEN e.event_source = 'ec2.amazonaws.com'
        AND e.event_name_base IN ('CreateStoreImageTask', 'ExportImage', 'CreateInstanceExportTask') THEN 'export'
      WHEN e.event_source = 'ebs.amazonaws.com'
        AND e.event_name_base IN ('ListSnapshotBlocks', 'ListChangedBlocks', 'GetSnapshotBlock') THEN 'block_read'
      WHEN e.event_source = 'backup.amazonaws.com' AND e.event_name_base = 'StartCopyJob' THEN 'vault_copy'
      WHEN e.event_source = 'rds.amazonaws.com' AND e.event_name_base IN ('CopyDBSnapshot', 'CopyDBClusterSnapshot') THEN 'copy'
      WHEN e.event_source = 'ec2.amazonaws.com' AND e.event_name_base = 'CopySnapshot' THEN 'copy'
      WHEN e.event_source = 'rds.amazonaws.com'
        AND e.event_name_base IN ('RestoreDBInstanceFromDBSnapshot', 'RestoreDBInstanceToPointInTime', 'RestoreDBClusterFromSnapshot',
                                  'RestoreDBClusterToPointInTime')
        AND coalesce(
          json_extract_string(e.request_parameters, '$.publiclyAccessible'),
          json_extract_string(e.response_elements, '$.publiclyAccessible'),
          '') = 'true' THEN 'open_restore'
    END AS way,
    coalesce(
      json_extract_string(e.request_parameters, '$.sourceDBSnapshotIdentifier'),
      json_extract_string(e.request_parameters, '$.sourceDBClusterSnapshotIdentifier'),
      json_extract_string(e.request_parameters, '$.sourceSnapshotId'),
      json_extract_string(e.request_parameters, '$.snapshotId'),
      json_extract_string(e.request_parameters, '$.secondSnapshotId'),
      json_extract_string(e.request_parameters, '$.sourceArn'),
      json_extract_string(e.request_parameters, '$.imageId'),
      json_extract_string(e.request_parameters, '$.instanceId'),
      json_extract_string(e.request_parameters, '$.recoveryPointArn'),
      json_extract_string(e.request_parameters, '$.dBSnapshotIdentifier'),
      json_extract_string(e.request_parameters, '$.snapshotIdentifier'),
      json_extract_string(e.request_parameters, '$.sourceDBInstanceIdentifier'),
      json_extract_string(e.request_parameters, '$.sourceDBClusterIdentifier'),
      e.resource,
      ''
    ) AS thing,
    -- An ARN of a source in another region, or the region in its own field.
    coalesce(
      json_extract_string(e.request_parameters, '$.sourceRegion'),
      nullif(regexp_extract(coalesce(
        json_extract_string(e.request_parameters, '$.sourceDBSnapshotIdentifier'),
        json_extract_string(e.request_parameters, '$.sourceDBClusterSnapshotIdentifier'), ''), '^arn:[a-z-]*:rds:([a-z0-9-]+):', 1), ''),
      e.region
    ) AS source_region,
    coalesce(
      nullif(regexp_extract(coalesce(json_extract_string(e.request_parameters, '$.destinationBackupVaultArn'), ''),
                            '^arn:[a-z-]*:backup:[a-z0-9-]*:([0-9]{12}):', 1), ''),
      nullif(regexp_extract(coalesce(json_extract_string(e.request_parameters, '$.kmsKeyId'), ''),
                            '^arn:[a-z-]*:kms:[a-z0-9-]*:([0-9]{12}):', 1), '')
    ) AS named_account
  FROM aws_event AS e
  -- Only for speed: the ways name the services again.
  WHERE e.event_source IN ('rds.amazonaws.com', 'ec2.amazonaws.com', 'ebs.amazonaws.com', 'backup.amazonaws.com')
    AND e.outcome IN ('success', 'denied')
    AND coalesce(e.identity_type, '') <> 'AWSService'
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
judged AS (
  SELECT c.*, CASE WHEN c.named_account <> coalesce(c.account_id, '') AND o.value IS NULL THEN c.named_account END AS foreign_account
  FROM calls AS c
  LEFT JOIN case_value AS o ON o.kind = 'own_account' AND o.value = c.named_account
  WHERE c.way IS NOT NULL
),
ways AS (
  SELECT *
  FROM judged
  WHERE way IN ('export', 'block_read', 'open_restore')
     OR foreign_account IS NOT NULL
     OR (way = 'copy' AND coalesce(source_region <> region, FALSE))
),
habits AS (
  SELECT DISTINCT caller, way FROM ways WHERE event_time < $baseline_until
),
new_ways AS (
  SELECT
    w.event_key,
    count(*) OVER (
      PARTITION BY w.caller, w.way, w.thing, w.outcome, w.event_epoch // 86400 ORDER BY w.event_epoch NULLS LAST, w.event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS calls,
    row_number() OVER (
      PARTITION BY w.caller, w.way, w.thing, w.outcome, w.event_epoch // 86400 ORDER BY w.event_epoch NULLS LAST, w.event_key
    ) AS place
  FROM ways AS w
  LEFT JOIN habits AS h ON h.caller = w.caller AND h.way = w.way
  WHERE h.caller IS NULL
    AND w.event_time >= $since
)
SELECT
  w.caller || '|' || coalesce(w.credential_id, '') || '|' || strftime(w.event_time, '%Y-%m-%d') AS finding_key,
  w.event_time,
  w.actor,
  w.event_name_base AS action,
  nullif(w.thing, '') AS resource,
  w.source_ip,
  w.credential_id,
  w.account_id,
  w.region,
  w.outcome,
  w.event_key,
  w.evidence,
  w.way,
  n.calls,
  w.foreign_account,
  w.source_region,
  coalesce(json_extract_string(w.request_parameters, '$.s3BucketName'),
           json_extract_string(w.request_parameters, '$.bucket')) AS bucket,
  w.session_name,
  w.user_agent
FROM new_ways AS n
JOIN ways AS w ON w.event_key = n.event_key
WHERE n.place = 1
ORDER BY w.event_time NULLS LAST, w.event_key
