-- ---
-- id = "aws.secret_read_by_new_principal"
-- kind = "detection"
-- title = "A secret was read by a principal that had not read it before"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["secrets_events"]
-- attack = ["T1555.006"]
-- attack_v19 = ["T1555.006"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "A role or user read a secret from Secrets Manager that it did not read in the baseline, and the secret had at most max_readers readers there. Only successful reads count, in the baseline too: a denied secret is not exposed, and a denied attempt makes nobody a known reader. A read that a service made in the principal's name counts, because a template can be made to read."
-- misses = "A stolen credential of a known reader. Secrets with more readers than max_readers. A principal that the intruder already used in the baseline."
-- false_positives = ["A new version of a service that needs one more secret", "A secret that was created after the baseline, read by its own workload", "An engineer who looks after an outage"]
-- next_steps = ["Ask the owner of the secret whether this principal should read it", "Compare address, endpoint and session with those of the known readers", "Follow the credential back to the call that issued it", "Rotate the secret unless the read is explained"]
-- references = ["https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html", "https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access.html"]
--
-- [params]
-- max_readers = { type = "integer", doc = "Most readers a secret may have had in the baseline", default = 5 }
-- ---
WITH reads AS (
  SELECT
    s.*,
    coalesce(s.actor, '') AS reader,
    coalesce(s.account_id, '') || '/' || coalesce(s.region, '') || '/' || s.location AS secret
  FROM secret_access AS s
  WHERE s.location_kind = 'secret'
    AND s.access = 'read'
    AND s.outcome = 'success'
    AND coalesce(s.identity_type, '') <> 'AWSService'
    AND s.event_time < $until
),
known_pairs AS (
  SELECT DISTINCT secret, reader FROM reads WHERE event_time < $baseline_until
),
known_readers AS (
  SELECT secret, count(DISTINCT reader) AS readers FROM known_pairs GROUP BY secret
)
SELECT
  r.reader || '|' || coalesce(r.credential_id, '') || '|' || strftime(r.event_time, '%Y-%m-%d') AS finding_key,
  r.event_time,
  r.actor,
  r.action,
  r.location AS resource,
  r.source_ip,
  r.credential_id,
  r.account_id,
  r.region,
  r.outcome,
  r.event_key,
  r.evidence,
  coalesce(k.readers, 0) AS readers_before,
  r.identity_type,
  r.credential_class,
  r.session_name,
  r.vpc_endpoint_id,
  r.invoked_by,
  r.user_agent
FROM reads AS r
LEFT JOIN known_readers AS k ON k.secret = r.secret
LEFT JOIN known_pairs AS p ON p.secret = r.secret AND p.reader = r.reader
WHERE p.secret IS NULL
  AND coalesce(k.readers, 0) <= $max_readers
  AND r.event_time >= $since
  AND r.event_time < $until
ORDER BY r.event_time NULLS LAST, r.event_key
