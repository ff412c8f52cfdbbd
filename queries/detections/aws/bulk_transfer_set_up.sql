-- ---
-- id = "aws.bulk_transfer_set_up"
-- kind = "detection"
-- title = "A standing transfer of data was set up by a principal new to it"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1537"]
-- attack_v19 = ["T1537"]
-- attack_version = "18.1"
-- description = "A location or task of DataSync, a server or user of Transfer Family, an inventory of a bucket or a pipeline of Firehose was set up or started, by a principal that had not made the same call before the end of the baseline. Denied attempts count, because they show the intent. Calls that a service makes for its caller are left out. Replication of a bucket: aws.sensitive_api_called."
-- misses = "Copies object by object: aws.objects_read_in_bulk. A stolen credential of a principal that makes such calls as its work."
-- false_positives = ["A migration; without a stated T0 there is no baseline and every such call appears"]
-- next_steps = ["Read where the transfer goes to and whose account that is", "Stop it"]
-- references = ["https://docs.aws.amazon.com/datasync/latest/userguide/API_CreateTask.html", "https://docs.aws.amazon.com/transfer/latest/APIReference/API_CreateUser.html", "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketInventoryConfiguration.html"]
-- ---
WITH calls AS (
  SELECT e.*, coalesce(e.actor, '') AS caller
  FROM aws_event AS e
  WHERE ((e.event_source = 'datasync.amazonaws.com'
        AND e.event_name_base IN ('CreateTask', 'StartTaskExecution', 'CreateLocationS3',
                                 'CreateLocationObjectStorage', 'CreateLocationAzureBlob'))
      OR (e.event_source = 'transfer.amazonaws.com'
        AND e.event_name_base IN ('CreateServer', 'CreateUser', 'ImportSshPublicKey'))
      OR (e.event_source = 'firehose.amazonaws.com' AND e.event_name_base IN ('CreateDeliveryStream', 'UpdateDestination')))
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
    json_extract_string(c.request_parameters, '$.s3BucketArn'),
    json_extract_string(c.request_parameters, '$.userName'),
    json_extract_string(c.request_parameters, '$.deliveryStreamName'),
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
