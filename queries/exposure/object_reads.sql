-- ---
-- id = "exposure.object_reads"
-- kind = "exposure"
-- title = "Reads of objects that hold keys"
-- severity = "info"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- description = "Reads and copies of exactly those S3 objects that the key inventory names as the place of a key, denied ones too, with the number of reads by the same actor before the baseline ended."
-- misses = "Objects read while the trail recorded no data events of the bucket."
-- references = ["https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html"]
-- ---
WITH places AS (
  SELECT DISTINCT location FROM ai_key WHERE location_kind = 's3' AND location IS NOT NULL
),
named_reads AS (
  SELECT e.event_time, e.event_key, e.event_name_base AS action, p.location, e.region, e.account_id, e.actor, e.session_name,
         e.credential_id, e.source_ip, e.invoked_by, e.outcome, e.evidence
  FROM aws_event AS e
  JOIN places AS p ON p.location = CASE
    WHEN e.event_name_base IN ('CopyObject', 'UploadPartCopy')
      THEN regexp_replace(coalesce(json_extract_string(e.request_parameters, '$."x-amz-copy-source"'), ''), '^/', '', 'g')
    ELSE e.request_bucket || '/' || e.request_object_key END
  WHERE e.event_source = 's3.amazonaws.com'
    AND e.event_name_base IN ('GetObject', 'SelectObjectContent', 'CopyObject', 'UploadPartCopy', 'GetObjectTorrent')
    AND e.event_time < $until
),
usual AS (
  SELECT actor, location, count(*) AS reads
  FROM named_reads
  WHERE event_time < $baseline_until AND outcome = 'success'
  GROUP BY actor, location
)
SELECT r.event_time, r.event_key, 'read' AS access, r.action, 's3' AS location_kind, r.location, r.region, r.account_id,
       r.actor, r.session_name, r.credential_id, r.source_ip, r.invoked_by, r.outcome, coalesce(u.reads, 0) AS usual_reads,
       r.evidence
FROM named_reads AS r
LEFT JOIN usual AS u ON u.actor = r.actor AND u.location = r.location
WHERE r.event_time >= $since
ORDER BY r.event_time NULLS LAST, r.location NULLS LAST, r.event_key
