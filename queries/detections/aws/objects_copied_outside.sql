-- ---
-- id = "aws.objects_copied_outside"
-- kind = "detection"
-- title = "Objects went to a bucket of another account, or were read by one"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1537"]
-- attack_v19 = ["T1537"]
-- attack_version = "18.1"
-- description = "An object was written or copied into a bucket whose account is neither the event's own nor one of the case's own accounts, or a principal of such an account read an object. reason says which, other_account whose. Refused calls copied nothing and are left out; so are calls of services."
-- misses = "Whatever no trail with data events of S3 records. A copy to disk and from there: aws.objects_read_in_bulk. Buckets made open: aws.bucket_opened_outside."
-- false_positives = ["Analysis across accounts by contract", "An own account that the case does not state"]
-- next_steps = ["Ask whose the other account is", "List which objects went and which keys stood in them", "Treat those keys as exposed by copy"]
-- references = ["https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html", "https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html"]
-- ---
WITH transfers AS (
  SELECT
    e.*,
    CASE
      WHEN e.event_name_base = 'GetObject' THEN coalesce(e.actor_account_id, '')
      ELSE coalesce(
        CASE WHEN json_extract_string(e.resources, '$[0].type') = 'AWS::S3::Bucket'
          THEN json_extract_string(e.resources, '$[0].accountId') END,
        CASE WHEN json_extract_string(e.resources, '$[1].type') = 'AWS::S3::Bucket'
          THEN json_extract_string(e.resources, '$[1].accountId') END,
        '')
    END AS other_account
  FROM aws_event AS e
  WHERE e.event_source = 's3.amazonaws.com'
    AND e.event_name_base IN ('GetObject', 'CopyObject', 'PutObject', 'UploadPart', 'UploadPartCopy')
    AND e.outcome = 'success'
    AND coalesce(e.identity_type, '') <> 'AWSService'
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time >= $since
    AND e.event_time < $until
)
SELECT
  coalesce(t.actor, '') || '|' || coalesce(t.request_bucket, '') || '|' || strftime(t.event_time, '%Y-%m-%d') AS finding_key,
  t.event_time,
  t.actor,
  t.event_name_base AS action,
  t.resource,
  t.source_ip,
  t.credential_id,
  t.account_id,
  t.region,
  t.outcome,
  t.event_key,
  t.evidence,
  CASE WHEN t.event_name_base = 'GetObject' THEN 'read by another account' ELSE 'written to another account' END AS reason,
  t.other_account,
  json_extract_string(t.request_parameters, '$."x-amz-copy-source"') AS copied_from,
  t.session_name,
  t.user_agent
FROM transfers AS t
LEFT JOIN case_value AS o ON o.kind = 'own_account' AND o.value = t.other_account
WHERE t.other_account <> ''
  AND t.other_account <> coalesce(t.account_id, '')
  AND o.value IS NULL
ORDER BY t.event_time NULLS LAST, t.event_key
