-- ---
-- id = "aws.snapshot_shared_outside"
-- kind = "detection"
-- title = "A snapshot or image was shared with another account or with everybody"
-- severity = "critical"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1537", "T1213.006"]
-- attack_v19 = ["T1537", "T1213.006"]
-- attack_version = "18.1"
-- description = "The right to restore a database snapshot, to make a volume of a disk snapshot or to launch an image was given to an account that is neither the event's own nor one of the case's own accounts, or to everybody. Whoever restores it reads all keys stored in it, without a trace in these logs. Denied attempts count: they show the intent; outcome says that nothing was shared."
-- misses = "Sharing with an organisation or organisational unit. Copies made by a role that the other account may assume. Exports to a bucket of another account."
-- false_positives = ["Sharing with an own account that the case does not state", "A vendor that receives images by contract"]
-- next_steps = ["Find out which stores and which keys the snapshot held", "Withdraw the right and look for SharedSnapshotCopyInitiated and SharedSnapshotVolumeCreated", "Treat every key in it as exposed by copy", "Ask the provider of the cloud about the other account"]
-- references = ["https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBSnapshotAttribute.html", "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBClusterSnapshotAttribute.html", "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySnapshotAttribute.html", "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyImageAttribute.html"]
-- ---
WITH outside_grants AS (
  SELECT
    e.event_key,
    min(i.value) AS shared_with,
    count(DISTINCT i.value) AS receivers
  FROM aws_event AS e
  JOIN aws_event_item AS i ON i.event_key = e.event_key AND i.kind = 'attribute_account'
  LEFT JOIN case_value AS o ON o.kind = 'own_account' AND o.value = i.value
  WHERE (
      (e.event_source = 'rds.amazonaws.com'
        AND e.event_name_base IN ('ModifyDBSnapshotAttribute', 'ModifyDBClusterSnapshotAttribute')
        AND coalesce(json_extract_string(e.request_parameters, '$.attributeName'), 'restore') = 'restore')
      OR (e.event_source = 'ec2.amazonaws.com'
        AND e.event_name_base IN ('ModifySnapshotAttribute', 'ModifyImageAttribute'))
    )
    AND e.outcome IN ('success', 'denied')
    AND o.value IS NULL
    AND i.value <> coalesce(e.account_id, '')
  GROUP BY e.event_key
)
SELECT
  coalesce(e.actor, '') || '|' || coalesce(e.credential_id, '') || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  coalesce(
    json_extract_string(e.request_parameters, '$.dBSnapshotIdentifier'),
    json_extract_string(e.request_parameters, '$.dBClusterSnapshotIdentifier'),
    json_extract_string(e.request_parameters, '$.snapshotId'),
    json_extract_string(e.request_parameters, '$.imageId'),
    e.resource
  ) AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  g.shared_with,
  g.receivers,
  e.session_name,
  e.user_agent
FROM outside_grants AS g
JOIN aws_event AS e ON e.event_key = g.event_key
WHERE e.event_time >= $since
  AND e.event_time < $until
ORDER BY e.event_time NULLS LAST, e.event_key
