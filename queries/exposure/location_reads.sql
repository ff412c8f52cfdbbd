-- ---
-- id = "exposure.location_reads"
-- kind = "exposure"
-- title = "Reads of stored secrets, parameters and configurations"
-- severity = "info"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- description = "Every access to a stored secret, parameter, decrypt context or function configuration in the window, denied ones too, with the number of reads that the same actor made of it before the baseline ended, which version it asked for or decrypted, and whether a parameter was asked for in clear."
-- misses = "Reads of copies, and reads while logging was off."
-- ---
WITH usual AS (
  SELECT actor, location_kind, location, region, count(*) AS reads
  FROM secret_access
  WHERE event_time < $baseline_until AND outcome = 'success'
  GROUP BY actor, location_kind, location, region),
asked AS (
  SELECT e.event_key,
         json_extract_string(e.request_parameters, '$.versionStage') AS version_stage,
         coalesce(json_extract_string(e.request_parameters, '$.versionId'),
                  json_extract_string(e.request_parameters, '$.encryptionContext.SecretVersionId')) AS version_id,
         json_extract_string(e.request_parameters, '$.withDecryption') AS with_decryption,
         json_extract_string(e.request_parameters, '$.recursive') AS recursive
  FROM aws_event AS e
  WHERE e.event_source IN ('secretsmanager.amazonaws.com', 'ssm.amazonaws.com', 'kms.amazonaws.com')
    AND e.event_name_base IN ('GetSecretValue', 'GetParameter', 'GetParameters', 'GetParametersByPath', 'Decrypt'))
SELECT a.event_time, a.event_key, a.access, a.action, a.location_kind, a.location, a.region, a.account_id, a.actor,
       a.session_name, a.credential_id, a.source_ip, a.invoked_by, a.outcome, coalesce(u.reads, 0) AS usual_reads, a.evidence,
       coalesce(v.version_stage, '') AS version_stage, coalesce(v.version_id, '') AS version_id,
       coalesce(v.with_decryption, '') AS with_decryption, coalesce(v.recursive, '') AS recursive
FROM secret_access AS a
LEFT JOIN asked AS v ON v.event_key = a.event_key
LEFT JOIN usual AS u
  ON u.actor = a.actor AND u.location_kind = a.location_kind AND u.location = a.location AND u.region = a.region
WHERE a.event_time >= $since AND a.event_time < $until
ORDER BY a.event_time NULLS LAST, a.access NULLS LAST, a.location_kind NULLS LAST, a.location NULLS LAST, a.event_key
