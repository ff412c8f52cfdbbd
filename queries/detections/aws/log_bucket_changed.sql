-- ---
-- id = "aws.log_bucket_changed"
-- kind = "detection"
-- title = "A bucket that holds logs was opened, emptied or set to forget soon"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1562.008", "T1485.001"]
-- attack_v19 = ["T1685.002", "T1485.001"]
-- attack_version = "18.1"
-- description = "On a bucket that holds logs, a rule was set that deletes objects within retention_days, the policy was changed or removed, versioning was suspended, the bucket was deleted, or objects were deleted. A bucket holds logs when a trail was created or updated with it in the evidence, or when its name says so: cloudtrail, log, logs or audit. A principal that made the same call on the same bucket before the end of the baseline is left out. Denied attempts count, because they show the intent. Of each call, bucket, outcome and day the first is listed; alike says how many there were."
-- misses = "Log buckets with a plain name whose trail was made before the logs begin. Deleted objects, unless data events of S3 were recorded. A rule that deletes only older versions."
-- false_positives = ["A change of retention or of the delivery of logs", "Software that writes and tidies its own bucket called logs", "Without a stated T0 there is no baseline, so every such call appears"]
-- next_steps = ["Check whether log files are missing, with the digests where there are some", "Ask the owner of the bucket", "Restore deleted versions and fetch other copies of the logs"]
-- references = ["https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html", "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html", "https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html"]
--
-- [params]
-- retention_days = { type = "integer", doc = "Most days after which a rule deletes objects for it to count", default = 7 }
-- ---
WITH trail_buckets AS (
  SELECT DISTINCT json_extract_string(request_parameters, '$.s3BucketName') AS bucket
  FROM aws_event
  WHERE event_source = 'cloudtrail.amazonaws.com'
    AND event_name_base IN ('CreateTrail', 'UpdateTrail')
    AND outcome = 'success'
),
requests AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS caller,
    try_cast(regexp_extract(
      regexp_replace(coalesce(CAST(e.request_parameters AS VARCHAR), ''), '\s', '', 'g'),
      '"Expiration":\{[^}]*"Days":([0-9]+)', 1) AS BIGINT) AS days,
    regexp_matches(coalesce(CAST(e.request_parameters AS VARCHAR), ''), '"Status":\s*"Suspended"') AS suspends
  FROM aws_event AS e
  LEFT JOIN trail_buckets AS t ON t.bucket = e.request_bucket
  WHERE e.event_source = 's3.amazonaws.com'
    AND (t.bucket IS NOT NULL
      OR regexp_matches(coalesce(e.request_bucket, ''), 'cloudtrail|(^|[-.])(audit|logs?)($|[-.])'))
    AND e.outcome IN ('success', 'denied')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
changes AS (
  SELECT *
  FROM requests
  WHERE event_name_base IN ('PutBucketPolicy', 'DeleteBucketPolicy', 'DeleteBucket', 'DeleteObject', 'DeleteObjects')
     OR (event_name_base IN ('PutBucketLifecycle', 'PutBucketLifecycleConfiguration') AND days <= $retention_days)
     OR (event_name_base = 'PutBucketVersioning' AND suspends)
),
habits AS (
  SELECT DISTINCT caller, request_bucket, event_name_base FROM changes WHERE event_time < $baseline_until
),
numbered AS (
  SELECT
    c.event_key,
    c.caller,
    c.days,
    count(*) OVER (
      PARTITION BY c.caller, c.request_bucket, c.event_name_base, c.outcome, c.event_epoch // 86400
    ) AS alike,
    row_number() OVER (
      PARTITION BY c.caller, c.request_bucket, c.event_name_base, c.outcome, c.event_epoch // 86400
      ORDER BY c.event_epoch NULLS LAST, c.event_key
    ) AS place
  FROM changes AS c
  LEFT JOIN habits AS h
    ON h.caller = c.caller
   AND h.request_bucket = c.request_bucket
   AND h.event_name_base = c.event_name_base
  WHERE h.caller IS NULL
    AND c.event_time >= $since
)
SELECT
  n.caller || '|' || coalesce(e.request_bucket, '') || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  e.request_bucket AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  n.days AS expiration_days,
  n.alike,
  e.session_name,
  e.user_agent
FROM numbered AS n
JOIN aws_event AS e ON e.event_key = n.event_key
WHERE n.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
