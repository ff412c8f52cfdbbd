-- ---
-- id = "exposure.wrapping_decrypts"
-- kind = "exposure"
-- title = "Decryptions with keys that are stated to wrap others"
-- severity = "info"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- description = "Successful decryptions with a KMS key that the settings state to protect stored keys, with the encryption context that the application gave. A context that names a customer or key says which one was decrypted; without it every key below counts as possibly exposed."
-- misses = "Data keys that an application keeps in memory. Trails that leave out KMS."
-- references = ["https://docs.aws.amazon.com/kms/latest/developerguide/ct-decrypt.html"]
-- ---
WITH used AS (
  SELECT DISTINCT i.event_key, v.value AS wrapping_key
  FROM aws_event_item AS i
  JOIN case_value AS v ON v.kind = 'wrapping_key' AND v.value = split_part(i.value, ':key/', 2)
  WHERE i.kind = 'resource_arn'
)
SELECT e.event_time, e.event_key, 'possibly' AS access, e.event_name_base AS action, 'kms' AS location_kind,
       u.wrapping_key AS location, e.region, e.account_id, e.actor, e.session_name, e.credential_id, e.source_ip,
       e.invoked_by, e.outcome, CAST(0 AS BIGINT) AS usual_reads, e.evidence,
       coalesce(json_extract_string(e.request_parameters, '$.encryptionContext'), '') AS context
FROM used AS u
JOIN aws_event AS e ON e.event_key = u.event_key
WHERE e.event_source IN ('kms.amazonaws.com', 'kms.amazonaws.com.cn')
  AND e.event_name_base IN ('Decrypt', 'ReEncrypt', 'CreateGrant')
  AND e.outcome = 'success'
  AND e.event_time >= $since AND e.event_time < $until
ORDER BY e.event_time NULLS LAST, u.wrapping_key NULLS LAST, e.event_key
