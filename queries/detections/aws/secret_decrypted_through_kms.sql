-- ---
-- id = "aws.secret_decrypted_through_kms"
-- kind = "detection"
-- title = "A secret was decrypted by a principal new to it, and no read of it stands beside the decryption"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["kms_events"]
-- attack = ["T1555.006"]
-- attack_v19 = ["T1555.006"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "KMS decrypted for an encryption context that names a secret, a parameter or a function, for a principal that did not decrypt that context in the baseline; and no read of the same thing by the same credential stands within read_seconds before it. Such a decryption is the only trace of the plaintext. Contexts that an application chose itself, for instance one per customer, are judged by key: a principal that had not used that KMS key in the baseline. Only successful decryptions count."
-- misses = "Trails that exclude KMS. Data keys that an application caches. A principal that decrypts the same context every day."
-- false_positives = ["A read that is not in the logs: another region, a gap, another trail", "A new workload role of the application that owns the key", "A new function that decrypts its own environment for the first time"]
-- next_steps = ["Look for the read that belongs to the decryption in other logs of the same second", "Ask the owner of the secret whether this principal should obtain it", "Treat what the context names as exposed unless explained"]
-- references = ["https://docs.aws.amazon.com/kms/latest/developerguide/ct-decrypt.html", "https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html", "https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html"]
--
-- [params]
-- read_seconds = { type = "integer", doc = "Seconds before the decryption within which a read explains it", default = 5 }
-- ---
WITH named_contexts AS (
  SELECT event_key, kind, value AS thing
  FROM aws_event_item
  WHERE kind IN ('kms_secret', 'kms_parameter', 'kms_function')
),
-- A context of the application's own: the KMS key stands for it, because each context may be seen only once.
own_contexts AS (
  SELECT r.event_key, 'kms_key' AS kind, min(r.value) AS thing
  FROM aws_event_item AS r
  LEFT JOIN named_contexts AS n ON n.event_key = r.event_key
  WHERE r.kind = 'resource_arn'
    AND n.event_key IS NULL
    AND r.event_key IN (
      SELECT event_key
      FROM aws_event_item
      WHERE kind = 'kms_context'
        AND NOT contains(value, '"aws:')   -- disks, objects and databases are decrypted by services all day
    )
  GROUP BY r.event_key
),
decrypted_things AS (
  SELECT event_key, kind, thing FROM named_contexts
  UNION ALL
  SELECT event_key, kind, thing FROM own_contexts
),
decryptions AS (
  SELECT
    e.event_key,
    e.event_time,
    e.event_epoch,
    d.kind,
    d.thing,
    coalesce(e.actor, '') AS reader,
    coalesce(e.credential_id, '') AS used_credential,
    e.event_epoch // ($read_seconds + 1) AS stretch_no,
    coalesce(e.account_id, '') || '/' || coalesce(e.region, '') || '/' || d.kind || '/' || d.thing AS context_id
  FROM aws_event AS e
  JOIN decrypted_things AS d ON d.event_key = e.event_key
  WHERE e.event_source = 'kms.amazonaws.com'
    AND e.event_name_base = 'Decrypt'
    AND e.outcome = 'success'
    AND coalesce(e.identity_type, '') <> 'AWSService'
    AND e.event_epoch IS NOT NULL
    AND e.event_time < $until
),
known_contexts AS (
  SELECT DISTINCT context_id, reader FROM decryptions WHERE event_time < $baseline_until
),
new_decryptions AS (
  SELECT d.*
  FROM decryptions AS d
  LEFT JOIN known_contexts AS k ON k.context_id = d.context_id AND k.reader = d.reader
  WHERE k.context_id IS NULL
),
store_reads AS (
  SELECT
    coalesce(credential_id, '') AS used_credential,
    event_epoch,
    event_epoch // ($read_seconds + 1) AS stretch_no,
    CASE location_kind WHEN 'secret' THEN 'kms_secret' WHEN 'lambda' THEN 'kms_function' ELSE 'kms_parameter' END AS kind,
    location,
    location_kind = 'ssm_path' AS by_path
  FROM secret_access
  WHERE access <> 'decrypted'
    AND outcome = 'success'
    AND event_epoch IS NOT NULL
),
-- A read explains decryptions in its own stretch of seconds and in the next.
reads_in_reach AS (
  SELECT used_credential, event_epoch, kind, location, by_path, stretch_no FROM store_reads
  UNION ALL
  SELECT used_credential, event_epoch, kind, location, by_path, stretch_no + 1 AS stretch_no FROM store_reads
),
explained AS (
  SELECT DISTINCT d.event_key
  FROM new_decryptions AS d
  JOIN reads_in_reach AS r
    ON r.used_credential = d.used_credential
   AND r.kind = d.kind
   AND r.stretch_no = d.stretch_no
  WHERE d.event_epoch - r.event_epoch >= 0
    AND d.event_epoch - r.event_epoch <= $read_seconds
    AND (r.by_path OR r.location = d.thing OR '/' || r.location = d.thing)
)
SELECT
  d.reader || '|' || d.used_credential || '|' || strftime(d.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  d.thing AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  d.kind AS context_kind,
  json_extract_string(e.request_parameters, '$.encryptionContext') AS encryption_context,
  e.session_name,
  e.invoked_by,
  e.user_agent
FROM new_decryptions AS d
JOIN aws_event AS e ON e.event_key = d.event_key
LEFT JOIN explained AS x ON x.event_key = d.event_key
WHERE x.event_key IS NULL
  AND d.event_time >= $since
  AND d.event_time < $until
ORDER BY e.event_time NULLS LAST, e.event_key
