-- ---
-- id = "exposure.snapshots_made"
-- kind = "exposure"
-- title = "Which snapshot or image was made of which store"
-- severity = "info"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- description = "Successful calls that made a snapshot of a database or disk, or copied one, with the name of the snapshot and of what it was made of, so that an act on the snapshot leads to the store."
-- misses = "Snapshots made before the logs begin."
-- references = ["https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSnapshot.html", "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSnapshot.html"]
-- ---
SELECT e.event_time, e.event_key,
       CASE WHEN e.event_source = 'rds.amazonaws.com' THEN 'rds' ELSE 'ebs' END AS location_kind,
       coalesce(
         json_extract_string(e.request_parameters, '$.targetDBSnapshotIdentifier'),
         json_extract_string(e.request_parameters, '$.targetDBClusterSnapshotIdentifier'),
         json_extract_string(e.request_parameters, '$.dBSnapshotIdentifier'),
         json_extract_string(e.request_parameters, '$.dBClusterSnapshotIdentifier'),
         json_extract_string(e.response_elements, '$.snapshotId')) AS snapshot,
       coalesce(
         json_extract_string(e.request_parameters, '$.sourceDBSnapshotIdentifier'),
         json_extract_string(e.request_parameters, '$.sourceDBClusterSnapshotIdentifier'),
         json_extract_string(e.request_parameters, '$.dBInstanceIdentifier'),
         json_extract_string(e.request_parameters, '$.dBClusterIdentifier'),
         json_extract_string(e.request_parameters, '$.sourceSnapshotId'),
         json_extract_string(e.request_parameters, '$.volumeId')) AS made_of,
       e.region
FROM aws_event AS e
WHERE e.outcome = 'success'
  AND ((e.event_source = 'rds.amazonaws.com'
      AND e.event_name_base IN ('CreateDBSnapshot', 'CreateDBClusterSnapshot', 'CopyDBSnapshot', 'CopyDBClusterSnapshot'))
    OR (e.event_source = 'ec2.amazonaws.com' AND e.event_name_base IN ('CreateSnapshot', 'CopySnapshot')))
  AND e.event_time < $until
ORDER BY e.event_time NULLS LAST, snapshot NULLS LAST, e.event_key
