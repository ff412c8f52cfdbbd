-- ---
-- id = "aws.objects_read_in_bulk"
-- kind = "detection"
-- title = "One principal read very many objects of a bucket in a short time"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["s3_data_events"]
-- attack = ["T1530", "T1119"]
-- attack_v19 = ["T1530", "T1119"]
-- attack_version = "18.1"
-- description = "A principal read at least objects different objects of one bucket, or at least megabytes of data from it, within two adjacent clock hours. Only successful reads count; those a service made for the principal do not. A principal that read so much on at least habit_days days of the baseline is reported only when it reads more than twice what it ever did there. Of each principal, bucket and day the first shown_calls reads are listed; the counts are of all."
-- misses = "Buckets without data events. A slow reader who stays below both limits. Copies made by replication, batch jobs or another store's import. Sizes where the record does not state them."
-- false_positives = ["Data processing, analytics and backups, in their first days", "A person who downloads a folder", "Without a stated T0 there is no baseline, so every regular bulk reader appears"]
-- next_steps = ["Find out what the objects hold and whose data it is", "Compare address, endpoint and session with the principal's ordinary ones", "Look for keys and secrets among the objects", "Follow the credential back to the call that issued it"]
-- references = ["https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html", "https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html", "https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-understanding-s3-entries.html"]
--
-- [params]
-- objects = { type = "integer", doc = "Different objects within two adjacent hours", default = 1000 }
-- megabytes = { type = "integer", doc = "Millions of bytes sent within two adjacent hours", default = 5000 }
-- habit_days = { type = "integer", doc = "Days of the baseline with such a burst that make it a habit", default = 3 }
-- shown_calls = { type = "integer", doc = "Reads listed for each principal, bucket and day", default = 200 }
-- ---
WITH object_reads AS (
  SELECT
    e.*,
    coalesce(e.actor, e.identity_type, '') AS reader,
    coalesce(e.request_bucket, '') AS bucket,
    e.event_epoch // 3600 AS hour_no,
    greatest(coalesce(CAST(TRY_CAST(json_extract_string(e.additional_event_data, '$.bytesTransferredOut') AS DECIMAL(28, 2)) AS BIGINT), 0), 0) AS bytes_out
  FROM aws_event AS e
  WHERE e.event_source = 's3.amazonaws.com'
    AND e.event_name_base = 'GetObject'
    AND e.outcome = 'success'
    AND coalesce(e.identity_type, '') <> 'AWSService'
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
-- Each read stands in two windows, so that no burst is cut by the turn of an hour.
window_reads AS (
  SELECT reader, bucket, hour_no AS first_hour, request_object_key, bytes_out, event_time < $baseline_until AS is_earlier
  FROM object_reads
  UNION ALL
  SELECT reader, bucket, hour_no - 1 AS first_hour, request_object_key, bytes_out, event_time < $baseline_until AS is_earlier
  FROM object_reads
),
window_counts AS (
  SELECT
    reader,
    bucket,
    first_hour,
    count(DISTINCT request_object_key) AS objects,
    count(DISTINCT CASE WHEN is_earlier THEN request_object_key END) AS earlier_objects,
    CAST(sum(bytes_out) AS BIGINT) // 1000000 AS megabytes,
    CAST(sum(CASE WHEN is_earlier THEN bytes_out ELSE 0 END) AS BIGINT) // 1000000 AS earlier_megabytes
  FROM window_reads
  GROUP BY reader, bucket, first_hour
),
habits AS (
  SELECT
    reader,
    bucket,
    max(earlier_objects) AS most_objects,
    max(earlier_megabytes) AS most_megabytes,
    count(DISTINCT CASE WHEN earlier_objects >= $objects OR earlier_megabytes >= $megabytes THEN first_hour // 24 END) AS burst_days
  FROM window_counts
  GROUP BY reader, bucket
),
bursts AS (
  SELECT c.reader, c.bucket, c.first_hour, c.objects, c.megabytes
  FROM window_counts AS c
  JOIN habits AS h ON h.reader = c.reader AND h.bucket = c.bucket
  WHERE (c.objects >= $objects AND (h.burst_days < $habit_days OR c.objects > 2 * h.most_objects))
     OR (c.megabytes >= $megabytes AND (h.burst_days < $habit_days OR c.megabytes > 2 * h.most_megabytes))
),
covered_hours AS (
  SELECT reader, bucket, first_hour AS hour_no, objects, megabytes FROM bursts
  UNION ALL
  SELECT reader, bucket, first_hour + 1 AS hour_no, objects, megabytes FROM bursts
),
burst_hours AS (
  SELECT reader, bucket, hour_no, max(objects) AS objects_in_window, max(megabytes) AS megabytes_in_window
  FROM covered_hours
  GROUP BY reader, bucket, hour_no
),
contributing AS (
  SELECT
    r.event_key,
    b.objects_in_window,
    b.megabytes_in_window,
    row_number() OVER (
      PARTITION BY r.reader, r.bucket, r.hour_no // 24 ORDER BY r.event_epoch NULLS LAST, r.event_key
    ) AS place
  FROM object_reads AS r
  JOIN burst_hours AS b ON b.reader = r.reader AND b.bucket = r.bucket AND b.hour_no = r.hour_no
  WHERE r.event_time >= $since
)
SELECT
  r.reader || '|' || coalesce(r.credential_id, '') || '|' || r.bucket || '|' || strftime(r.event_time, '%Y-%m-%d') AS finding_key,
  r.event_time,
  r.actor,
  r.event_name_base AS action,
  r.bucket || coalesce('/' || r.request_object_key, '') AS resource,
  r.source_ip,
  r.credential_id,
  r.account_id,
  r.region,
  r.outcome,
  r.event_key,
  r.evidence,
  c.objects_in_window,
  c.megabytes_in_window,
  r.bytes_out,
  r.session_name,
  r.vpc_endpoint_id,
  r.user_agent
FROM contributing AS c
JOIN object_reads AS r ON r.event_key = c.event_key
WHERE c.place <= $shown_calls
ORDER BY r.event_time NULLS LAST, r.event_key
