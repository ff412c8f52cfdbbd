-- ---
-- id = "exposure.vault_reads"
-- kind = "exposure"
-- title = "Reads of Vault paths"
-- severity = "info"
-- confidence = "high"
-- sources = ["vault_audit"]
-- description = "Every read of a path by Vault's audit log, one row an access however many records tell of it, refused ones too, with the reads of that path by the same principal before the baseline ended, and whether the client's address is held to be the intruder's."
-- misses = "Reads that went through an agent or proxy show its address, not the reader's. Only devices whose log was supplied are seen."
-- references = ["https://developer.hashicorp.com/vault/docs/audit"]
-- ---
WITH usual AS (
  SELECT coalesce(principal, '') AS principal, path, count(*) AS reads
  FROM vault_access
  WHERE operation = 'read' AND outcome = 'success' AND event_time < $baseline_until
  GROUP BY coalesce(principal, ''), path
)
SELECT v.event_time, v.event_key, 'read' AS access, v.operation AS action, 'vault' AS location_kind, v.path AS location,
       v.mount_point, v.owner, CAST(NULL AS VARCHAR) AS region, v.namespace AS account_id, v.principal AS actor,
       v.entity_id AS session_name, v.accessor_hmac AS credential_id, v.source_ip, CAST(NULL AS VARCHAR) AS invoked_by,
       coalesce(v.outcome, 'unanswered') AS outcome, coalesce(u.reads, 0) AS usual_reads, v.evidence,
       t.value AS tainted_address, t.root
FROM vault_access AS v
LEFT JOIN usual AS u ON u.principal = coalesce(v.principal, '') AND u.path = v.path
LEFT JOIN tainted AS t ON t.kind = 'address' AND t.value = v.source_ip AND v.event_time >= t.since
WHERE v.operation = 'read' AND v.event_time >= $since AND v.event_time < $until
ORDER BY v.event_time NULLS LAST, v.path NULLS LAST, v.event_key
