-- ---
-- id = "aws.secrets_read_in_batch"
-- kind = "detection"
-- title = "Secrets were fetched in batches"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["secrets_events"]
-- attack = ["T1555.006"]
-- attack_v19 = ["T1555.006"]
-- attack_version = "18.1"
-- description = "A principal asked for secrets in batches in a way that workloads seldom do: at least batch_calls calls within two adjacent clock hours, calls in at least two regions within two adjacent stretches of ten minutes, a filter that fits nearly every secret (a negated or an empty value), or a first such call of a principal in an account whose logs hold at least known_days days of baseline. Denied calls count: the request itself shows what was wanted; outcome says what came of it."
-- misses = "A single call that names its secrets: the records of the single reads that follow it are judged by aws.secrets_read_in_bulk and aws.secret_read_by_new_principal. A principal that fetches in batches as a rule and stays below the limits."
-- false_positives = ["A library that caches secrets and refreshes them in batches", "An inventory of all secrets by the platform team"]
-- next_steps = ["List the GetSecretValue records of the same credential in the same seconds: they name each secret that was returned", "Compare address and session with the principal's ordinary ones", "Treat the secrets returned as exposed"]
-- references = ["https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html", "https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html"]
--
-- [params]
-- batch_calls = { type = "integer", doc = "Batch calls within two adjacent hours", default = 5 }
-- known_days = { type = "integer", doc = "Days of baseline in the account that make a first call telling", default = 7 }
-- regions = { type = "integer", doc = "Regions within two adjacent stretches of ten minutes", default = 2 }
-- ---
WITH batch_calls_made AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS reader,
    e.event_epoch // 3600 AS hour_no,
    e.event_epoch // 600 AS stretch_no,
    coalesce(json_extract_string(e.request_parameters, '$.filters'), '') AS filters,
    json_extract_string(e.request_parameters, '$.secretIdList') AS named_secrets
  FROM aws_event AS e
  WHERE e.event_source = 'secretsmanager.amazonaws.com'
    AND e.event_name_base = 'BatchGetSecretValue'
    AND e.outcome IN ('success', 'denied')
    AND coalesce(e.identity_type, '') <> 'AWSService'
    AND e.event_epoch IS NOT NULL
    AND e.event_time < $until
),
hour_windows AS (
  SELECT reader, hour_no AS first_hour, event_key FROM batch_calls_made
  UNION ALL
  SELECT reader, hour_no - 1 AS first_hour, event_key FROM batch_calls_made
),
repeated_windows AS (
  SELECT reader, first_hour, count(DISTINCT event_key) AS calls
  FROM hour_windows
  GROUP BY reader, first_hour
  HAVING count(DISTINCT event_key) >= $batch_calls
),
repeated_hours AS (
  SELECT reader, first_hour AS hour_no, calls FROM repeated_windows
  UNION ALL
  SELECT reader, first_hour + 1 AS hour_no, calls FROM repeated_windows
),
busiest_hours AS (
  SELECT reader, hour_no, max(calls) AS calls FROM repeated_hours GROUP BY reader, hour_no
),
stretch_windows AS (
  SELECT reader, stretch_no AS first_stretch, region FROM batch_calls_made
  UNION ALL
  SELECT reader, stretch_no - 1 AS first_stretch, region FROM batch_calls_made
),
wide_windows AS (
  SELECT reader, first_stretch, count(DISTINCT region) AS regions
  FROM stretch_windows
  GROUP BY reader, first_stretch
  HAVING count(DISTINCT region) >= $regions
),
wide_stretches AS (
  SELECT reader, first_stretch AS stretch_no, regions FROM wide_windows
  UNION ALL
  SELECT reader, first_stretch + 1 AS stretch_no, regions FROM wide_windows
),
widest_stretches AS (
  SELECT reader, stretch_no, max(regions) AS regions FROM wide_stretches GROUP BY reader, stretch_no
),
known_callers AS (
  SELECT DISTINCT reader FROM batch_calls_made WHERE event_time < $baseline_until AND outcome = 'success'
),
known_accounts AS (
  SELECT coalesce(account_id, '') AS account
  FROM aws_event
  WHERE event_time < $baseline_until
    AND event_epoch IS NOT NULL
  GROUP BY coalesce(account_id, '')
  HAVING max(event_epoch) - min(event_epoch) >= $known_days * 86400
),
judged AS (
  SELECT
    c.*,
    k.reader IS NULL AND a.account IS NOT NULL AND c.event_time >= $baseline_until AS first_by_reader,
    coalesce(h.calls, 0) AS calls_in_window,
    coalesce(w.regions, 0) AS regions_in_window,
    contains(c.filters, '"!') OR contains(c.filters, '[""]') AS catches_all
  FROM batch_calls_made AS c
  LEFT JOIN busiest_hours AS h ON h.reader = c.reader AND h.hour_no = c.hour_no
  LEFT JOIN widest_stretches AS w ON w.reader = c.reader AND w.stretch_no = c.stretch_no
  LEFT JOIN known_callers AS k ON k.reader = c.reader
  LEFT JOIN known_accounts AS a ON a.account = coalesce(c.account_id, '')
)
SELECT
  reader || '|' || coalesce(credential_id, '') || '|' || strftime(event_time, '%Y-%m-%d') AS finding_key,
  event_time,
  actor,
  event_name_base AS action,
  coalesce(named_secrets, nullif(filters, ''), resource) AS resource,
  source_ip,
  credential_id,
  account_id,
  region,
  outcome,
  event_key,
  evidence,
  calls_in_window,
  regions_in_window,
  catches_all,
  first_by_reader,
  session_name,
  user_agent
FROM judged
WHERE (calls_in_window > 0 OR regions_in_window > 0 OR catches_all OR first_by_reader)
  AND event_time >= $since
  AND event_time < $until
ORDER BY event_time NULLS LAST, event_key
