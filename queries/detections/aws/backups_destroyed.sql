-- ---
-- id = "aws.backups_destroyed"
-- kind = "detection"
-- title = "Several backups, images, snapshots or encryption keys were destroyed in a short time"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1490", "T1485"]
-- attack_v19 = ["T1490", "T1485"]
-- attack_version = "18.1"
-- description = "A principal destroyed at least things different things that a restore needs (snapshots, images, recovery points, vaults and their locks, backup plans, automated backups, databases without a last snapshot, encryption keys) within two adjacent stretches of fifteen minutes, or at least mixed_things of at least two services. Denied attempts count, because they show the intent; outcome says what came of each. Calls that a service made for the principal do not count. A principal that did so on at least habit_days days of the baseline is reported only when it destroys more than it ever did there."
-- misses = "Backups that are left to expire, or whose retention is shortened. A slow destruction. A stolen credential of a clean-up job that stays within its habit."
-- false_positives = ["A clean-up of old images and snapshots", "The teardown of a test environment", "Without a stated T0 there is no baseline, so every regular retention job appears"]
-- next_steps = ["Cancel scheduled key deletions and look into the recycle bins of the services", "Protect what is left: vault locks, copies in another account", "Look for deletion or encryption of the data itself", "Follow the credential back to the call that issued it"]
-- references = ["https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeregisterImage.html", "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DeleteRecoveryPoint.html", "https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html", "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBInstance.html"]
--
-- [params]
-- things = { type = "integer", doc = "Different things within two adjacent stretches of fifteen minutes", default = 5 }
-- mixed_things = { type = "integer", doc = "Different things when they are of two or more services", default = 3 }
-- habit_days = { type = "integer", doc = "Days of the baseline with such a burst that make it a habit", default = 3 }
-- ---
WITH destroying_calls(source, call) AS (
  VALUES
    ('ec2.amazonaws.com', 'DeregisterImage'),
    ('ec2.amazonaws.com', 'DeleteSnapshot'),
    ('rds.amazonaws.com', 'DeleteDBSnapshot'),
    ('rds.amazonaws.com', 'DeleteDBClusterSnapshot'),
    ('rds.amazonaws.com', 'DeleteDBInstanceAutomatedBackup'),
    ('rds.amazonaws.com', 'DeleteDBClusterAutomatedBackup'),
    ('rds.amazonaws.com', 'DeleteDBInstance'),
    ('rds.amazonaws.com', 'DeleteDBCluster'),
    ('redshift.amazonaws.com', 'DeleteClusterSnapshot'),
    ('elasticache.amazonaws.com', 'DeleteSnapshot'),
    ('dynamodb.amazonaws.com', 'DeleteBackup'),
    ('fsx.amazonaws.com', 'DeleteBackup'),
    ('backup.amazonaws.com', 'DeleteRecoveryPoint'),
    ('backup.amazonaws.com', 'DeleteBackupVault'),
    ('backup.amazonaws.com', 'DeleteBackupVaultLockConfiguration'),
    ('backup.amazonaws.com', 'DeleteBackupPlan'),
    ('backup.amazonaws.com', 'DeleteBackupSelection'),
    ('kms.amazonaws.com', 'ScheduleKeyDeletion'),
    ('kms.amazonaws.com', 'DisableKey'),
    ('kms.amazonaws.com', 'DeleteImportedKeyMaterial')
),
destructions AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS destroyer,
    e.event_epoch // 900 AS stretch_no,
    coalesce(
      json_extract_string(e.request_parameters, '$.imageId'),
      json_extract_string(e.request_parameters, '$.snapshotId'),
      json_extract_string(e.request_parameters, '$.dBSnapshotIdentifier'),
      json_extract_string(e.request_parameters, '$.dBClusterSnapshotIdentifier'),
      json_extract_string(e.request_parameters, '$.dBInstanceIdentifier'),
      json_extract_string(e.request_parameters, '$.dBClusterIdentifier'),
      json_extract_string(e.request_parameters, '$.snapshotIdentifier'),
      json_extract_string(e.request_parameters, '$.snapshotName'),
      json_extract_string(e.request_parameters, '$.backupArn'),
      json_extract_string(e.request_parameters, '$.backupId'),
      json_extract_string(e.request_parameters, '$.recoveryPointArn'),
      json_extract_string(e.request_parameters, '$.backupVaultName'),
      json_extract_string(e.request_parameters, '$.backupPlanId'),
      json_extract_string(e.request_parameters, '$.keyId'),
      e.resource,
      e.event_key
    ) AS thing
  FROM aws_event AS e
  JOIN destroying_calls AS d ON d.source = e.event_source AND d.call = e.event_name_base
  WHERE e.outcome IN ('success', 'denied')
    -- A database that leaves a last snapshot can be restored.
    AND (e.event_name_base NOT IN ('DeleteDBInstance', 'DeleteDBCluster')
      OR coalesce(json_extract_string(e.request_parameters, '$.skipFinalSnapshot'), '') = 'true')
    AND coalesce(e.identity_type, '') <> 'AWSService'
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
-- Each act stands in two windows, so that no burst is cut by the turn of a stretch.
window_acts AS (
  SELECT destroyer, stretch_no AS first_stretch, event_source, thing, event_time < $baseline_until AS is_earlier
  FROM destructions
  UNION ALL
  SELECT destroyer, stretch_no - 1 AS first_stretch, event_source, thing, event_time < $baseline_until AS is_earlier
  FROM destructions
),
window_counts AS (
  SELECT
    destroyer,
    first_stretch,
    count(DISTINCT event_source || ' ' || thing) AS things,
    count(DISTINCT event_source) AS services,
    count(DISTINCT CASE WHEN is_earlier THEN event_source || ' ' || thing END) AS earlier_things,
    count(DISTINCT CASE WHEN is_earlier THEN event_source END) AS earlier_services
  FROM window_acts
  GROUP BY destroyer, first_stretch
),
habits AS (
  SELECT
    destroyer,
    max(earlier_things) AS most_things,
    count(DISTINCT CASE WHEN earlier_things >= $things OR (earlier_things >= $mixed_things AND earlier_services >= 2)
                        THEN first_stretch // 96 END) AS burst_days
  FROM window_counts
  GROUP BY destroyer
),
bursts AS (
  SELECT c.destroyer, c.first_stretch, c.things, c.services
  FROM window_counts AS c
  JOIN habits AS h ON h.destroyer = c.destroyer
  WHERE (c.things >= $things OR (c.things >= $mixed_things AND c.services >= 2))
    AND (h.burst_days < $habit_days OR c.things > h.most_things)
),
covered_stretches AS (
  SELECT destroyer, first_stretch AS stretch_no, things, services FROM bursts
  UNION ALL
  SELECT destroyer, first_stretch + 1 AS stretch_no, things, services FROM bursts
),
burst_stretches AS (
  SELECT destroyer, stretch_no, max(things) AS things_in_window, max(services) AS services_in_window
  FROM covered_stretches
  GROUP BY destroyer, stretch_no
)
SELECT
  d.destroyer || '|' || coalesce(d.credential_id, '') || '|' || strftime(d.event_time, '%Y-%m-%d') AS finding_key,
  d.event_time,
  d.actor,
  d.event_name_base AS action,
  d.thing AS resource,
  d.source_ip,
  d.credential_id,
  d.account_id,
  d.region,
  d.outcome,
  d.event_key,
  d.evidence,
  b.things_in_window,
  b.services_in_window,
  d.event_source,
  d.session_name,
  d.user_agent
FROM destructions AS d
JOIN burst_stretches AS b ON b.destroyer = d.destroyer AND b.stretch_no = d.stretch_no
WHERE d.event_time >= $since
ORDER BY d.event_time NULLS LAST, d.event_key
