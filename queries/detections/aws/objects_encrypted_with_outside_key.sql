-- ---
-- id = "aws.objects_encrypted_with_outside_key"
-- kind = "detection"
-- title = "Objects were encrypted with a key from outside the account, or a ransom note was written"
-- severity = "critical"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1486"]
-- attack_v19 = ["T1486"]
-- attack_version = "18.1"
-- description = "A principal wrote at least objects different objects of one bucket within two adjacent stretches of ten minutes with a key that the caller brought along (SSE-C) or with a KMS key of an account which is neither the event's own nor one of the case's own; or it set such a KMS key as the bucket's default; or it wrote an object whose name is that of a ransom note. step tells them apart. Only successful calls count. Writers that used such keys in the same bucket on at least habit_days days of the baseline are left out. Of each writer, bucket and day the first shown_calls writes are listed."
-- misses = "Buckets without data events. Objects encrypted before they were uploaded. A KMS key of an own account whose policy is changed or which is deleted afterwards. Notes under an ordinary name."
-- false_positives = ["An application that brings its own keys, in its first days", "A partner's key agreed by contract, or an own account that the case does not state", "A document about ransomware"]
-- next_steps = ["Stop the credential first: each further write may destroy data", "Find out whether earlier versions, replicas or backups of the objects exist", "Keep the first and last encrypted object and the note", "Look for reads and deletions of the same objects by the same credential"]
-- references = ["https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html", "https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html", "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html"]
--
-- [params]
-- objects = { type = "integer", doc = "Different objects within two adjacent stretches of ten minutes", default = 10 }
-- habit_days = { type = "integer", doc = "Days of the baseline with such writes that make them a habit", default = 3 }
-- shown_calls = { type = "integer", doc = "Writes listed for each writer, bucket and day", default = 200 }
-- ---
WITH bucket_writes AS (
  SELECT
    e.*,
    coalesce(e.actor, e.identity_type, '') AS writer,
    e.event_epoch // 600 AS stretch_no,
    CASE
      WHEN e.event_name_base = 'PutBucketEncryption'
        THEN regexp_extract(coalesce(e.request_parameters, ''), 'arn:[a-z-]*:kms:[a-z0-9-]*:([0-9]{12}):', 1)
      ELSE regexp_extract(coalesce(json_extract_string(e.request_parameters, '$."x-amz-server-side-encryption-aws-kms-key-id"'), ''),
                          '^arn:[a-z-]*:kms:[a-z0-9-]*:([0-9]{12}):', 1)
    END AS key_account,
    json_extract_string(e.request_parameters, '$."x-amz-server-side-encryption-customer-algorithm"') IS NOT NULL
      OR coalesce(json_extract_string(e.additional_event_data, '$.SSEApplied'), '') = 'SSE_C' AS caller_key,
    regexp_matches(
      lower(coalesce(e.request_object_key, '')),
      'how[ _-]?to[ _-]?(decrypt|recover|restore|get[ _-]?(back|your|files))|ransom|(decrypt|recover|restore)[ _-]?(your|my|the|all)?[ _-]?(files|data|instructions?)[^/]*$|(files|data|bucket)[ _-]?(are|is|were|have|has)?[ _-]?(been)?[ _-]?(encrypted|deleted|stolen)[^/]*[.](txt|html?|md)$|your[ _-]?files[^/]*[.](txt|html?|md)$'
    ) AS is_note
  FROM aws_event AS e
  WHERE e.event_source = 's3.amazonaws.com'
    AND e.event_name_base IN ('PutObject', 'CopyObject', 'CreateMultipartUpload', 'PutBucketEncryption')
    AND e.outcome = 'success'
    AND coalesce(e.identity_type, '') <> 'AWSService'
    AND e.event_time < $until
),
judged AS (
  SELECT
    w.*,
    w.key_account <> '' AND w.key_account <> coalesce(w.account_id, '') AND o.value IS NULL AS outside_key
  FROM bucket_writes AS w
  LEFT JOIN case_value AS o ON o.kind = 'own_account' AND o.value = w.key_account
),
encrypted AS (
  SELECT * FROM judged WHERE event_name_base <> 'PutBucketEncryption' AND (caller_key OR outside_key)
),
habits AS (
  SELECT writer, coalesce(request_bucket, '') AS bucket
  FROM encrypted
  WHERE event_time < $baseline_until
  GROUP BY writer, coalesce(request_bucket, '')
  HAVING count(DISTINCT event_epoch // 86400) >= $habit_days
),
-- Each write stands in two windows, so that no burst is cut by the turn of a stretch.
window_writes AS (
  SELECT writer, coalesce(request_bucket, '') AS bucket, stretch_no AS first_stretch, request_object_key FROM encrypted
  UNION ALL
  SELECT writer, coalesce(request_bucket, '') AS bucket, stretch_no - 1 AS first_stretch, request_object_key FROM encrypted
),
bursts AS (
  SELECT w.writer, w.bucket, w.first_stretch, count(DISTINCT w.request_object_key) AS objects
  FROM window_writes AS w
  LEFT JOIN habits AS h ON h.writer = w.writer AND h.bucket = w.bucket
  WHERE h.writer IS NULL
  GROUP BY w.writer, w.bucket, w.first_stretch
  HAVING count(DISTINCT w.request_object_key) >= $objects
),
covered_stretches AS (
  SELECT writer, bucket, first_stretch AS stretch_no, objects FROM bursts
  UNION ALL
  SELECT writer, bucket, first_stretch + 1 AS stretch_no, objects FROM bursts
),
burst_stretches AS (
  SELECT writer, bucket, stretch_no, max(objects) AS objects_in_window
  FROM covered_stretches
  GROUP BY writer, bucket, stretch_no
),
contributing AS (
  SELECT
    e.event_key,
    'encryption' AS step,
    b.objects_in_window,
    row_number() OVER (
      PARTITION BY e.writer, b.bucket, e.stretch_no // 144 ORDER BY e.event_epoch NULLS LAST, e.event_key
    ) AS place
  FROM encrypted AS e
  JOIN burst_stretches AS b
    ON b.writer = e.writer AND b.bucket = coalesce(e.request_bucket, '') AND b.stretch_no = e.stretch_no
  WHERE e.event_time >= $since
    AND NOT e.is_note
  UNION ALL
  SELECT event_key, CASE WHEN is_note THEN 'note' ELSE 'default_key' END AS step, 0 AS objects_in_window, 1 AS place
  FROM judged
  WHERE event_time >= $since
    AND (is_note OR (event_name_base = 'PutBucketEncryption' AND outside_key))
)
SELECT
  j.writer || '|' || coalesce(j.credential_id, '') || '|' || coalesce(j.request_bucket, '') AS finding_key,
  j.event_time,
  j.actor,
  j.event_name_base AS action,
  coalesce(j.request_bucket, '') || coalesce('/' || j.request_object_key, '') AS resource,
  j.source_ip,
  j.credential_id,
  j.account_id,
  j.region,
  j.outcome,
  j.event_key,
  j.evidence,
  c.step,
  j.caller_key,
  CASE WHEN j.outside_key THEN j.key_account END AS key_account,
  c.objects_in_window,
  j.session_name,
  j.user_agent
FROM contributing AS c
JOIN judged AS j ON j.event_key = c.event_key
WHERE c.place <= $shown_calls
ORDER BY j.event_time NULLS LAST, j.event_key
