-- ---
-- id = "aws.secret_object_read"
-- kind = "detection"
-- title = "An object that usually holds credentials was read from S3"
-- severity = "critical"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["s3_data_events"]
-- attack = ["T1552.001", "T1530"]
-- attack_v19 = ["T1552.001", "T1530"]
-- attack_version = "18.1"
-- description = "A principal read or copied an object whose name is that of an environment file, a credentials or secrets file, a private key, the state of an infrastructure tool, a client's login file or a database dump. Objects that the same principal read before the end of the baseline are left out. Only successful calls count: a denied read shows nothing of the object. Readers without a login count like any other."
-- misses = "Buckets without data events. Objects whose names say nothing. A stolen credential of a principal that reads the same object every day. Copies made by replication or batch jobs."
-- false_positives = ["A deployment pipeline reading its state for the first time in the logs", "A restore of a dump", "Without a stated T0 there is no baseline, so every regular reader appears"]
-- next_steps = ["Find out what the object held at that time; keep the version", "Treat every credential in it as exposed", "List what else the same credential read from the bucket"]
-- references = ["https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html", "https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html", "https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html"]
-- ---
WITH object_reads AS (
  SELECT
    e.*,
    coalesce(e.actor, e.identity_type, '') AS reader,
    CASE WHEN e.event_name_base = 'CopyObject'
         THEN coalesce(json_extract_string(e.request_parameters, '$."x-amz-copy-source"'), '')
         ELSE coalesce(e.request_bucket, '') || '/' || coalesce(e.request_object_key, '') END AS object_name
  FROM aws_event AS e
  WHERE e.event_source = 's3.amazonaws.com'
    AND e.event_name_base IN ('GetObject', 'SelectObjectContent', 'CopyObject')
    AND e.outcome = 'success'
    AND coalesce(e.identity_type, '') <> 'AWSService'
    AND e.event_time < $until
),
credential_objects AS (
  SELECT *
  FROM object_reads
  WHERE regexp_matches(lower(object_name), '/\.env($|[./_-])|/credentials($|\.)|secrets?[^/]*\.(ya?ml|json|toml|env|ini)$|/id_(rsa|dsa|ecdsa|ed25519)$')
     OR regexp_matches(lower(object_name), '\.(pem|ppk|p12|pfx|jks|kdbx|key)$|\.tfstate(\.backup)?$|/\.(npmrc|pypirc|netrc|pgpass)$|docker/config\.json$|litellm[^/]*\.ya?ml$')
     OR regexp_matches(lower(object_name), '(dump|backup)[^/]*\.(sql|bak|dump|tar)(\.(gz|bz2|xz|zst))?$|\.sql(\.(gz|bz2|xz|zst))?$')
),
known_reads AS (
  SELECT DISTINCT reader, object_name FROM credential_objects WHERE event_time < $baseline_until
)
SELECT
  c.reader || '|' || coalesce(c.credential_id, '') || '|' || strftime(c.event_time, '%Y-%m-%d') AS finding_key,
  c.event_time,
  c.actor,
  c.event_name_base AS action,
  c.object_name AS resource,
  c.source_ip,
  c.credential_id,
  c.account_id,
  c.region,
  c.outcome,
  c.event_key,
  c.evidence,
  coalesce(c.actor_account_id, '') = 'ANONYMOUS_PRINCIPAL' AS without_login,
  c.session_name,
  c.invoked_by,
  c.user_agent
FROM credential_objects AS c
LEFT JOIN known_reads AS k ON k.reader = c.reader AND k.object_name = c.object_name
WHERE k.reader IS NULL
  AND c.event_time >= $since
  AND c.event_time < $until
ORDER BY c.event_time NULLS LAST, c.event_key
