-- ---
-- id = "correlation.inventory_key_read"
-- kind = "detection"
-- title = "A key of the inventory was read by a principal that did not read it before"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["key_inventory", "aws_events"]
-- attack = ["T1555.006"]
-- attack_v19 = ["T1555.006"]
-- attack_version = "18.1"
-- atlas = ["AML.T0055"]
-- baseline_days = 7
-- description = "The place where the inventory says that a provider's key stands (a secret, a parameter, a path above it, the settings of a function, or an object) was read, or decrypted, by a principal that did not read that key in the baseline. One finding a key, so that the list is the exposure of each key by strangers: access tells the class of evidence, reads and readers count all such reads of the key. Denied attempts expose nothing and do not count."
-- misses = "Reads with the stolen credential of a usual reader. Copies of the store, and places that are not logged or not in the inventory."
-- false_positives = ["A new version of a service that reads the key", "People on duty who look a key up"]
-- next_steps = ["Run keytrail exposure for the verdict of the key", "Ask who stood behind the reader at that time", "Rotate and revoke the key unless the read is explained"]
-- references = ["https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieve-ct-entries.html", "https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html"]
-- ---
WITH known_readers AS (
  SELECT DISTINCT key_ref, reader FROM key_read WHERE event_time < $baseline_until
),
new_reads AS (
  SELECT
    r.*,
    count(*) OVER (
      PARTITION BY r.provider, r.key ORDER BY r.event_time NULLS LAST, r.access NULLS LAST, r.event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS reads,
    row_number() OVER (
      PARTITION BY r.provider, r.key, r.event_key ORDER BY r.access DESC NULLS LAST, r.location NULLS LAST, r.event_key
    ) AS place
  FROM key_read AS r
  LEFT JOIN known_readers AS k ON k.key_ref = r.key_ref AND k.reader = r.reader
  WHERE k.reader IS NULL
    AND r.event_time >= $since
    AND r.event_time < $until
)
SELECT
  r.provider || '|' || r.key AS finding_key,
  r.event_time,
  r.actor,
  r.action,
  r.key AS resource,
  r.source_ip,
  r.credential_id,
  r.account_id,
  r.region,
  'success' AS outcome,
  r.event_key,
  r.evidence,
  r.customer,
  r.access,
  r.location_kind || ':' || r.location AS read_place,
  r.reads,
  r.session_name
FROM new_reads AS r
WHERE r.place = 1
ORDER BY r.event_time NULLS LAST, r.provider NULLS LAST, r.key NULLS LAST, r.event_key
