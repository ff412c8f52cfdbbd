-- ---
-- id = "aws.secrets_read_in_bulk"
-- kind = "detection"
-- title = "One principal read many different secrets in a short time"
-- severity = "critical"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- needs = ["secrets_events"]
-- attack = ["T1555.006"]
-- attack_v19 = ["T1555.006"]
-- attack_version = "18.1"
-- description = "A principal read at least distinct_secrets different secrets from Secrets Manager within two adjacent clock hours. Only successful reads count: a denied secret is not exposed. A principal that did so on at least habit_days days of the baseline is reported only when it reads more secrets than it ever did there."
-- misses = "A slow reader who stays below the threshold. A stolen workload role that stays within the number of secrets it reads every day: aws.secret_read_by_new_principal and the rules on addresses look at those. Secrets copied out of memory, a cache or a replica."
-- false_positives = ["A deployment tool or an operator that synchronises secrets, in its first days", "A backup or an audit of all secrets", "Without a stated T0 there is no baseline, so every regular bulk reader appears"]
-- next_steps = ["List the secrets and name the owner of each", "Check whether address, session and time fit the principal", "Treat every secret that was read as exposed and rotate it where it is used, not only in the store", "Follow the credential back to the call that issued it"]
-- references = ["https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html", "https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html"]
--
-- [params]
-- distinct_secrets = { type = "integer", doc = "Different secrets within two adjacent hours", default = 10 }
-- habit_days = { type = "integer", doc = "Days of the baseline with such a burst that make it a habit", default = 3 }
-- ---
WITH reads AS (
  SELECT
    s.*,
    coalesce(s.actor, '') AS reader,
    s.event_epoch // 3600 AS hour_no,
    coalesce(s.account_id, '') || '/' || coalesce(s.region, '') || '/' || s.location AS secret
  FROM secret_access AS s
  WHERE s.location_kind = 'secret'
    AND s.access = 'read'
    AND s.outcome = 'success'
    AND coalesce(s.identity_type, '') <> 'AWSService'
    AND s.event_epoch IS NOT NULL
    AND s.event_time < $until
),
-- Each read stands in two windows of two hours, so that no burst is cut by the turn of an hour.
window_reads AS (
  SELECT reader, hour_no AS first_hour, secret, event_time < $baseline_until AS is_earlier FROM reads
  UNION ALL
  SELECT reader, hour_no - 1 AS first_hour, secret, event_time < $baseline_until AS is_earlier FROM reads
),
window_counts AS (
  SELECT
    reader,
    first_hour,
    count(DISTINCT secret) AS secrets,
    count(DISTINCT CASE WHEN is_earlier THEN secret END) AS earlier_secrets
  FROM window_reads
  GROUP BY reader, first_hour
),
habits AS (
  SELECT
    reader,
    max(earlier_secrets) AS most_secrets,
    count(DISTINCT CASE WHEN earlier_secrets >= $distinct_secrets THEN first_hour // 24 END) AS bulk_days
  FROM window_counts
  GROUP BY reader
),
bursts AS (
  SELECT c.reader, c.first_hour, c.secrets
  FROM window_counts AS c
  JOIN habits AS h ON h.reader = c.reader
  WHERE c.secrets >= $distinct_secrets
    AND (h.bulk_days < $habit_days OR c.secrets > h.most_secrets)
),
covered_hours AS (
  SELECT reader, first_hour AS hour_no, secrets FROM bursts
  UNION ALL
  SELECT reader, first_hour + 1 AS hour_no, secrets FROM bursts
),
burst_hours AS (
  SELECT reader, hour_no, max(secrets) AS secrets_in_window FROM covered_hours GROUP BY reader, hour_no
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
  b.secrets_in_window,
  r.session_name,
  r.vpc_endpoint_id,
  r.invoked_by,
  r.user_agent
FROM reads AS r
JOIN burst_hours AS b ON b.reader = r.reader AND b.hour_no = r.hour_no
WHERE r.event_time >= $since
  AND r.event_time < $until
ORDER BY r.event_time NULLS LAST, r.event_key
