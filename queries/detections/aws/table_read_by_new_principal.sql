-- ---
-- id = "aws.table_read_by_new_principal"
-- kind = "detection"
-- title = "A table was scanned, queried or exported by a principal that had not done so before"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1213.006"]
-- attack_v19 = ["T1213.006"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "A principal scanned a DynamoDB table, ran a statement on it, fetched items in batches, or exported it to a bucket, and made no such call on that table in the baseline. Scans, statements and batches are data events and show only where the trail records them; exports always show. Only successful calls count, in the baseline too. Of each principal, table and call the first is listed, calls counts them."
-- misses = "Tables without data events, apart from exports. A stolen credential of a workload that reads the table all day. Queries by key."
-- false_positives = ["A new version of a service", "An engineer who looks at a table in the console", "Analytics or a migration that was ordered"]
-- next_steps = ["Find out what the table holds: keys of customers, tokens, personal data", "For an export, find the bucket, its account and who can read it", "Compare address and session with the principal's ordinary ones", "Treat keys stored in the table as exposed unless the read is explained"]
-- references = ["https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html", "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html", "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/logging-using-cloudtrail.html"]
-- ---
WITH table_calls AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS reader,
    coalesce(
      json_extract_string(e.request_parameters, '$.tableName'),
      json_extract_string(e.request_parameters, '$.tableArn'),
      i.value,
      ''
    ) AS named_table
  FROM aws_event AS e
  -- A statement or a batch names its tables only among the resources.
  LEFT JOIN (
    SELECT event_key, min(value) AS value
    FROM aws_event_item
    WHERE kind = 'resource_arn'
      AND event_key IN (SELECT event_key FROM aws_event WHERE event_source = 'dynamodb.amazonaws.com')
    GROUP BY event_key
  ) AS i ON i.event_key = e.event_key
  WHERE e.event_source = 'dynamodb.amazonaws.com'
    AND e.event_name_base IN ('Scan', 'ExecuteStatement', 'BatchExecuteStatement', 'BatchGetItem', 'ExportTableToPointInTime')
    AND e.outcome = 'success'
    AND coalesce(e.identity_type, '') <> 'AWSService'
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
reads AS (
  SELECT
    event_key,
    event_time,
    event_epoch,
    reader,
    event_name_base,
    regexp_replace(named_table, '^arn:[^:]*:dynamodb:[^:]*:[^:]*:table/', '', 'g') AS table_name,
    coalesce(account_id, '') || '/' || coalesce(region, '') || '/'
      || regexp_replace(named_table, '^arn:[^:]*:dynamodb:[^:]*:[^:]*:table/', '', 'g') AS table_id
  FROM table_calls
),
known_reads AS (
  SELECT DISTINCT reader, table_id, event_name_base FROM reads WHERE event_time < $baseline_until
),
new_reads AS (
  SELECT
    r.event_key,
    r.reader,
    r.table_name,
    count(*) OVER (
      PARTITION BY r.reader, r.table_id, r.event_name_base ORDER BY r.event_epoch NULLS LAST, r.event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS calls,
    row_number() OVER (
      PARTITION BY r.reader, r.table_id, r.event_name_base ORDER BY r.event_epoch NULLS LAST, r.event_key
    ) AS place
  FROM reads AS r
  LEFT JOIN known_reads AS k
    ON k.reader = r.reader AND k.table_id = r.table_id AND k.event_name_base = r.event_name_base
  WHERE k.reader IS NULL
    AND r.event_time >= $since
)
SELECT
  n.reader || '|' || coalesce(e.credential_id, '') || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  nullif(n.table_name, '') AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  n.calls,
  json_extract_string(e.request_parameters, '$.s3Bucket') AS export_bucket,
  json_extract_string(e.request_parameters, '$.s3BucketOwner') AS export_bucket_owner,
  e.session_name,
  e.vpc_endpoint_id,
  e.user_agent
FROM new_reads AS n
JOIN aws_event AS e ON e.event_key = n.event_key
WHERE n.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
