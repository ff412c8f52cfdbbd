-- ---
-- id = "aws.buckets_enumerated"
-- kind = "detection"
-- title = "One session went through many buckets of S3"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1619"]
-- attack_v19 = ["T1619"]
-- attack_version = "18.1"
-- description = "A principal, in one session, asks for the settings of, or lists, at least distinct_buckets different buckets within two adjacent blocks of five minutes. Denied attempts count, and so do buckets or settings that do not exist: somebody who guesses meets them. A principal that did so on at least habit_days days of the baseline is reported only when it asks about more buckets than it ever did there. Of each bucket the first call in five minutes is listed; alike says how many there were."
-- misses = "Somebody who uses the console, or a program that names itself like a browser. Listings of objects, unless data events of S3 were recorded. Reads of single objects."
-- false_positives = ["Backup, inventory and posture tools, in their first days", "Infrastructure tools that refresh their picture of the buckets", "Without a stated T0 there is no baseline, so every regular reader appears"]
-- next_steps = ["Ask the holder of the credential about the purpose", "Check whether data events were recorded and what was read from the buckets", "Compare with reads of objects by the same credential"]
-- references = ["https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html", "https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html"]
--
-- [params]
-- distinct_buckets = { type = "integer", doc = "Different buckets within two adjacent blocks of five minutes", default = 10 }
-- habit_days = { type = "integer", doc = "Days of the baseline with such a burst that make it a habit", default = 3 }
-- ---
WITH calls AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS caller,
    coalesce(e.session_name, '') AS caller_session,
    e.event_epoch // 300 AS block_no,
    e.request_bucket AS thing
  FROM aws_event AS e
  WHERE e.event_source = 's3.amazonaws.com'
    AND e.event_name_base IN (
      'GetBucketAcl', 'GetBucketPolicy', 'GetBucketPolicyStatus', 'GetBucketLocation',
      'GetBucketVersioning', 'GetBucketEncryption', 'GetBucketPublicAccessBlock', 'GetBucketLogging',
      'GetBucketReplication', 'GetBucketLifecycle', 'GetBucketTagging', 'GetBucketWebsite',
      'GetBucketCors', 'HeadBucket', 'ListObjects', 'ListObjectVersions'
    )
    AND e.request_bucket IS NOT NULL
    AND (e.outcome IN ('success', 'denied') OR coalesce(e.error_code, '') LIKE 'NoSuch%')
    AND NOT regexp_matches(lower(coalesce(e.user_agent, '')), 'mozilla|console|coral|^\x5b?aws[ -]internal')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
-- Each call stands in two windows of two blocks, so that no burst is cut by the turn of five minutes.
window_calls AS (
  SELECT caller, caller_session, block_no AS first_block, thing, event_time < $baseline_until AS is_earlier FROM calls
  UNION ALL
  SELECT caller, caller_session, block_no - 1 AS first_block, thing, event_time < $baseline_until AS is_earlier FROM calls
),
window_counts AS (
  SELECT
    caller,
    caller_session,
    first_block,
    count(DISTINCT thing) AS buckets,
    count(DISTINCT CASE WHEN is_earlier THEN thing END) AS earlier_buckets
  FROM window_calls
  GROUP BY caller, caller_session, first_block
),
habits AS (
  SELECT
    caller,
    max(earlier_buckets) AS most_buckets,
    count(DISTINCT CASE WHEN earlier_buckets >= $distinct_buckets THEN first_block // 288 END) AS burst_days
  FROM window_counts
  GROUP BY caller
),
bursts AS (
  SELECT c.caller, c.caller_session, c.first_block, c.buckets
  FROM window_counts AS c
  JOIN habits AS h ON h.caller = c.caller
  WHERE c.buckets >= $distinct_buckets
    AND (h.burst_days < $habit_days OR c.buckets > h.most_buckets)
),
covered_blocks AS (
  SELECT caller, caller_session, first_block AS block_no, buckets FROM bursts
  UNION ALL
  SELECT caller, caller_session, first_block + 1 AS block_no, buckets FROM bursts
),
burst_blocks AS (
  SELECT caller, caller_session, block_no, max(buckets) AS buckets_in_window
  FROM covered_blocks
  GROUP BY caller, caller_session, block_no
),
numbered AS (
  SELECT
    c.event_key,
    b.buckets_in_window,
    row_number() OVER (
      PARTITION BY c.caller, c.caller_session, c.block_no, c.thing, c.outcome ORDER BY c.event_epoch NULLS LAST, c.event_key
    ) AS place,
    count(*) OVER (
      PARTITION BY c.caller, c.caller_session, c.block_no, c.thing, c.outcome
    ) AS alike
  FROM calls AS c
  JOIN burst_blocks AS b
    ON b.caller = c.caller
   AND b.caller_session = c.caller_session
   AND b.block_no = c.block_no
  WHERE c.event_time >= $since
)
SELECT
  coalesce(e.actor, '') || '|' || coalesce(e.session_name, '') || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
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
  n.buckets_in_window,
  n.alike,
  e.session_name,
  e.user_agent
FROM numbered AS n
JOIN aws_event AS e ON e.event_key = n.event_key
WHERE n.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
