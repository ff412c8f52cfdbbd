-- ---
-- id = "correlation.key_in_evidence"
-- kind = "detection"
-- title = "A key or secret stands in clear in the records"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail", "bedrock_invocation", "litellm_spend", "litellm_audit", "portkey_audit"]
-- attack = ["T1552.001"]
-- attack_v19 = ["T1552.001"]
-- attack_version = "18.1"
-- atlas = ["AML.T0055"]
-- description = "The bytes of a record hold the form of a provider's key or of an AWS secret key: in a request, a message of an error, a prompt or a gateway's metadata. Whoever can read the log can use it. masked shows the form and digest the first digits of its hash, never the key; places of one key share the finding. Whether it is a real key, the form alone does not tell. Session tokens, which CloudTrail itself writes for some calls, are not listed here: keytrail status counts all."
-- misses = "Keys without a recognisable form, keys in files that are not records, and keys that were encoded."
-- false_positives = ["Examples of a documentation", "Placeholders in tests"]
-- next_steps = ["Find whose key it is by its digest and revoke it", "Treat the log, and every copy of it, as a place of the key", "Hand on only redacted packages"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html", "https://platform.openai.com/docs/api-reference/authentication"]
-- ---
WITH places AS (
  SELECT o.event_key, m.digest, min(m.masked) AS masked, min(m.kind) AS kind
  FROM key_material AS m
  JOIN occurrence AS o ON o.file_sha256 = m.file_sha256 AND o.member_path = m.member_path AND o.record_no = m.record_no
  WHERE m.kind IN ('provider_key', 'aws_secret_key')
    AND m.digest IS NOT NULL
  GROUP BY o.event_key, m.digest
)
SELECT
  p.digest AS finding_key,
  a.event_time,
  a.actor,
  a.action,
  p.masked AS resource,
  a.source_ip,
  a.credential AS credential_id,
  a.account_id,
  a.region,
  coalesce(a.outcome, 'success') AS outcome,
  a.event_key,
  a.evidence,
  p.kind,
  p.digest,
  a.source
FROM places AS p
JOIN activity AS a ON a.event_key = p.event_key
WHERE a.event_time >= $since
  AND a.event_time < $until
ORDER BY a.event_time NULLS LAST, p.digest NULLS LAST, a.event_key
