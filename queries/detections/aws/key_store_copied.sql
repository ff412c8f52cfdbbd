-- ---
-- id = "aws.key_store_copied"
-- kind = "detection"
-- title = "A database, table or volume that holds customers' keys was copied, shared or read as a whole"
-- severity = "critical"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["key_inventory", "aws_events"]
-- attack = ["T1213.006", "T1537"]
-- attack_v19 = ["T1213.006", "T1537"]
-- attack_version = "18.1"
-- atlas = ["AML.T0055"]
-- baseline_days = 7
-- description = "The inventory names a database, a table or a volume as the place of keys, and a principal made a snapshot or a backup of it, shared, copied, restored or exported such a copy, read the table or the blocks, or asked the database through the data interface, and did not make that call in the baseline. Every key in that store is then possibly exposed: keys and customers count them. Snapshots made of the store stand for it. Only successful calls count."
-- misses = "Reads with a database's own accounts, which CloudTrail does not see. Stores that the inventory does not name. The backup role whose credential was stolen."
-- false_positives = ["A new backup plan", "A migration", "An engineer on duty"]
-- next_steps = ["Treat every key in the store as possibly exposed", "Find where the copy went and delete it", "Rotate the keys of the store"]
-- references = ["https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ShareSnapshot.html", "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/logging-using-cloudtrail.html", "https://docs.aws.amazon.com/ebs/latest/userguide/ebs-accessing-snapshot.html"]
-- ---
WITH telling_calls(family, source, call) AS (
  VALUES
    ('rds', 'rds.amazonaws.com', 'ModifyDBSnapshotAttribute'),
    ('rds', 'rds.amazonaws.com', 'ModifyDBClusterSnapshotAttribute'),
    ('rds', 'rds.amazonaws.com', 'CopyDBSnapshot'),
    ('rds', 'rds.amazonaws.com', 'CopyDBClusterSnapshot'),
    ('rds', 'rds.amazonaws.com', 'CreateDBSnapshot'),
    ('rds', 'rds.amazonaws.com', 'CreateDBClusterSnapshot'),
    ('rds', 'rds.amazonaws.com', 'RestoreDBInstanceFromDBSnapshot'),
    ('rds', 'rds.amazonaws.com', 'RestoreDBClusterFromSnapshot'),
    ('rds', 'rds.amazonaws.com', 'RestoreDBInstanceToPointInTime'),
    ('rds', 'rds.amazonaws.com', 'RestoreDBClusterToPointInTime'),
    ('rds', 'rds.amazonaws.com', 'StartExportTask'),
    ('rds', 'rdsdata.amazonaws.com', 'ExecuteStatement'),
    ('rds', 'rdsdata.amazonaws.com', 'BatchExecuteStatement'),
    ('dynamodb', 'dynamodb.amazonaws.com', 'Scan'),
    ('dynamodb', 'dynamodb.amazonaws.com', 'BatchGetItem'),
    ('dynamodb', 'dynamodb.amazonaws.com', 'ExecuteStatement'),
    ('dynamodb', 'dynamodb.amazonaws.com', 'ExportTableToPointInTime'),
    ('dynamodb', 'dynamodb.amazonaws.com', 'CreateBackup'),
    ('dynamodb', 'dynamodb.amazonaws.com', 'RestoreTableToPointInTime'),
    ('ec2', 'ec2.amazonaws.com', 'CreateSnapshot'),
    ('ec2', 'ec2.amazonaws.com', 'CopySnapshot'),
    ('ec2', 'ec2.amazonaws.com', 'ModifySnapshotAttribute'),
    ('ec2', 'ec2.amazonaws.com', 'AttachVolume'),
    ('ec2', 'ec2.amazonaws.com', 'CreateVolume'),
    ('ec2', 'ebs.amazonaws.com', 'GetSnapshotBlock'),
    ('ec2', 'ebs.amazonaws.com', 'ListSnapshotBlocks')
),
-- The few calls carry what is listed of them, so that nothing is joined to all events again.
calls AS (
  SELECT
    e.event_key,
    e.event_time,
    t.family,
    t.call,
    coalesce(e.actor, '') AS principal,
    coalesce(e.request_parameters, '') || coalesce(e.resources, '') AS said,
    e.actor,
    e.event_name_base AS action,
    e.source_ip,
    e.credential_id,
    e.account_id,
    e.region,
    e.outcome,
    e.evidence,
    e.session_name,
    coalesce(
      json_extract_string(e.request_parameters, '$.dBSnapshotIdentifier'),
      json_extract_string(e.request_parameters, '$.dBClusterSnapshotIdentifier'),
      json_extract_string(e.response_elements, '$.snapshotId')) AS made
  FROM aws_event AS e
  JOIN telling_calls AS t ON t.source = e.event_source AND t.call = e.event_name_base
  WHERE e.outcome = 'success'
    AND coalesce(e.identity_type, '') <> 'AWSService'
),
-- The place's last name, as calls give it: rds:us-east-1:orchard-keys and arn:aws:rds:...:cluster:orchard-keys alike.
keys AS (
  SELECT
    key_provider || '|' || coalesce(key_id, key_name, location) AS key,
    min(customer) AS customer,
    CASE WHEN regexp_matches(location_raw, '^(arn:aws[a-z-]*:)?rds:') THEN 'rds' WHEN regexp_matches(location_raw, '^(arn:aws[a-z-]*:)?dynamodb:') THEN 'dynamodb' WHEN regexp_matches(location_raw, '^(arn:aws[a-z-]*:)?(ec2|ebs):') THEN 'ec2' END AS family,
    regexp_extract(location, '([^:/]+)$', 1) AS name
  FROM ai_key_standing
  GROUP BY key_provider || '|' || coalesce(key_id, key_name, location), location_raw, location
),
known_calls AS (
  SELECT DISTINCT principal, call FROM calls WHERE event_time < $baseline_until
),
-- A snapshot that was made of a store is a copy of the keys in it.
names AS (
  SELECT key, customer, family, name FROM keys
  UNION
  SELECT k.key, k.customer, k.family, c.made AS name
  FROM calls AS c
  JOIN keys AS k ON k.family = c.family
  WHERE contains(c.call, 'Create')
    AND (contains(c.said, '"' || k.name || '"') OR contains(c.said, ':' || k.name || '"'))
),
touching AS (
  SELECT c.event_key, min(n.name) AS name, count(DISTINCT n.key) AS keys, count(DISTINCT n.customer) AS customers,
    min(n.customer) AS customer
  FROM calls AS c
  JOIN names AS n ON n.family = c.family
  LEFT JOIN known_calls AS k ON k.principal = c.principal AND k.call = c.call
  WHERE k.principal IS NULL
    AND (contains(c.said, '"' || n.name || '"') OR contains(c.said, ':' || n.name || '"')
      OR contains(c.said, '/' || n.name || '"') OR contains(c.said, '"rds:' || n.name || '-'))
  GROUP BY c.event_key
)
SELECT
  t.name || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.action,
  t.name AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  t.keys,
  t.customers,
  t.customer,
  e.session_name
FROM touching AS t
JOIN calls AS e ON e.event_key = t.event_key
WHERE e.event_time >= $since
  AND e.event_time < $until
ORDER BY e.event_time NULLS LAST, e.event_key
