-- ---
-- id = "aws.objects_deleted_in_bulk"
-- kind = "detection"
-- title = "Many objects of a bucket were deleted in a short time"
-- severity = "critical"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["s3_data_events"]
-- attack = ["T1485", "T1490"]
-- attack_v19 = ["T1485", "T1490"]
-- attack_version = "18.1"
-- description = "A principal deleted at least objects objects of one bucket one by one, or made at least batches calls that delete up to a thousand each, within two adjacent stretches of ten minutes. What the same principal did to the bucket's protection within a day of it (versioning suspended, protected deletion switched off, bucket deleted) is listed beside it; step tells them apart. Only successful deletions count, and none that a service made, such as a lifecycle rule. A principal that emptied the bucket so on at least habit_days days of the baseline is reported only when it deletes more than twice what it ever did there. Of each principal, bucket and day the first shown_calls deletions are listed."
-- misses = "Buckets without data events. Objects left to expire by a lifecycle rule. A slow deletion. With versioning on, a deletion leaves the object's versions: the logs do not tell whether they were there."
-- false_positives = ["An application that clears temporary objects, in its first days", "A planned clean-up before a bucket is given up", "Without a stated T0 there is no baseline, so every regular clean-up appears"]
-- next_steps = ["Find out whether versions, replicas or backups of the objects exist, and protect them", "Look for reads of the same objects before: copies may be held for ransom", "Search for an object written after the deletion that holds a demand", "Follow the credential back to the call that issued it"]
-- references = ["https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html", "https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html", "https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html"]
--
-- [params]
-- objects = { type = "integer", doc = "Single deletions within two adjacent stretches of ten minutes", default = 100 }
-- batches = { type = "integer", doc = "Calls that delete many objects, within two adjacent stretches of ten minutes", default = 5 }
-- habit_days = { type = "integer", doc = "Days of the baseline with such a burst that make it a habit", default = 3 }
-- shown_calls = { type = "integer", doc = "Deletions listed for each principal, bucket and day", default = 200 }
-- ---
WITH bucket_acts AS (
  SELECT
    e.*,
    coalesce(e.actor, e.identity_type, '') AS deleter,
    e.event_epoch // 600 AS stretch_no,
    CASE
      WHEN e.event_name_base = 'DeleteBucket' THEN 'bucket_deleted'
      WHEN e.event_name_base = 'PutBucketVersioning' THEN 'protection_removed'
      ELSE 'deletion'
    END AS step
  FROM aws_event AS e
  WHERE e.event_source = 's3.amazonaws.com'
    AND (e.event_name_base IN ('DeleteObject', 'DeleteObjects', 'DeleteBucket')
      OR (e.event_name_base = 'PutBucketVersioning'
        AND (coalesce(json_extract_string(e.request_parameters, '$.VersioningConfiguration.Status'), '') = 'Suspended'
          OR coalesce(json_extract_string(e.request_parameters, '$.VersioningConfiguration.MfaDelete'), '') = 'Disabled')))
    AND e.outcome = 'success'
    AND coalesce(e.identity_type, '') <> 'AWSService'
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
deletions AS (
  SELECT deleter, request_bucket, stretch_no, event_key, event_name_base = 'DeleteObjects' AS is_batch,
    event_time < $baseline_until AS is_earlier
  FROM bucket_acts
  WHERE step = 'deletion'
),
-- Each deletion stands in two windows, so that no burst is cut by the turn of a stretch.
window_deletions AS (
  SELECT deleter, request_bucket, stretch_no AS first_stretch, is_batch, is_earlier FROM deletions
  UNION ALL
  SELECT deleter, request_bucket, stretch_no - 1 AS first_stretch, is_batch, is_earlier FROM deletions
),
window_counts AS (
  SELECT
    deleter,
    request_bucket,
    first_stretch,
    count(CASE WHEN NOT is_batch THEN 1 END) AS singles,
    count(CASE WHEN is_batch THEN 1 END) AS batch_calls,
    count(CASE WHEN is_earlier AND NOT is_batch THEN 1 END) AS earlier_singles,
    count(CASE WHEN is_earlier AND is_batch THEN 1 END) AS earlier_batches
  FROM window_deletions
  GROUP BY deleter, request_bucket, first_stretch
),
habits AS (
  SELECT
    deleter,
    request_bucket,
    max(earlier_singles) AS most_singles,
    max(earlier_batches) AS most_batches,
    count(DISTINCT CASE WHEN earlier_singles >= $objects OR earlier_batches >= $batches THEN first_stretch // 144 END) AS burst_days
  FROM window_counts
  GROUP BY deleter, request_bucket
),
bursts AS (
  SELECT c.deleter, c.request_bucket, c.first_stretch, c.singles, c.batch_calls
  FROM window_counts AS c
  JOIN habits AS h ON h.deleter = c.deleter AND h.request_bucket = c.request_bucket
  WHERE (c.singles >= $objects AND (h.burst_days < $habit_days OR c.singles > 2 * h.most_singles))
     OR (c.batch_calls >= $batches AND (h.burst_days < $habit_days OR c.batch_calls > 2 * h.most_batches))
),
covered_stretches AS (
  SELECT deleter, request_bucket, first_stretch AS stretch_no, singles, batch_calls FROM bursts
  UNION ALL
  SELECT deleter, request_bucket, first_stretch + 1 AS stretch_no, singles, batch_calls FROM bursts
),
burst_stretches AS (
  SELECT deleter, request_bucket, stretch_no, max(singles) AS singles, max(batch_calls) AS batch_calls
  FROM covered_stretches
  GROUP BY deleter, request_bucket, stretch_no
),
burst_days AS (
  SELECT deleter, request_bucket, stretch_no // 144 AS day_no FROM burst_stretches
  UNION ALL
  SELECT deleter, request_bucket, stretch_no // 144 + 1 AS day_no FROM burst_stretches
  UNION ALL
  SELECT deleter, request_bucket, stretch_no // 144 - 1 AS day_no FROM burst_stretches
),
near_days AS (
  SELECT DISTINCT deleter, request_bucket, day_no FROM burst_days
),
contributing AS (
  SELECT
    a.event_key,
    b.singles,
    b.batch_calls,
    row_number() OVER (
      PARTITION BY a.deleter, a.request_bucket, a.stretch_no // 144 ORDER BY a.event_epoch NULLS LAST, a.event_key
    ) AS place
  FROM bucket_acts AS a
  JOIN burst_stretches AS b
    ON b.deleter = a.deleter AND b.request_bucket = a.request_bucket AND b.stretch_no = a.stretch_no
  WHERE a.step = 'deletion'
    AND a.event_time >= $since
  UNION ALL
  SELECT a.event_key, 0 AS singles, 0 AS batch_calls, 1 AS place
  FROM bucket_acts AS a
  JOIN near_days AS n ON n.deleter = a.deleter AND n.request_bucket = a.request_bucket AND n.day_no = a.stretch_no // 144
  WHERE a.step <> 'deletion'
    AND a.event_time >= $since
)
SELECT
  a.deleter || '|' || coalesce(a.credential_id, '') || '|' || a.request_bucket AS finding_key,
  a.event_time,
  a.actor,
  a.event_name_base AS action,
  a.request_bucket || coalesce('/' || a.request_object_key, '') AS resource,
  a.source_ip,
  a.credential_id,
  a.account_id,
  a.region,
  a.outcome,
  a.event_key,
  a.evidence,
  a.step,
  c.singles AS single_deletions_in_window,
  c.batch_calls AS batch_calls_in_window,
  a.session_name,
  a.user_agent
FROM contributing AS c
JOIN bucket_acts AS a ON a.event_key = c.event_key
WHERE c.place <= $shown_calls
ORDER BY a.event_time NULLS LAST, a.event_key
