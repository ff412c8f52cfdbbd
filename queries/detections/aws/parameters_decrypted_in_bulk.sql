-- ---
-- id = "aws.parameters_decrypted_in_bulk"
-- kind = "detection"
-- title = "One principal read many decrypted parameters in a short time"
-- severity = "critical"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- needs = ["secrets_events"]
-- attack = ["T1555.006"]
-- attack_v19 = ["T1555.006"]
-- attack_version = "18.1"
-- description = "A principal had at least distinct_parameters parameters of Parameter Store decrypted within two adjacent clock hours, or read the whole store by one recursive call on the path /. Names come from the requests and, for reads by path, from the KMS records that Parameter Store leaves; a read by path that went on to a further page counts as ten names. Only successful calls count. A principal that did so on at least habit_days days of the baseline is reported only when it takes more than it ever did there."
-- misses = "Reads without decryption, also of parameters kept in clear. A path read of one page where the trail excludes KMS: its names stand nowhere. A slow reader who stays below the threshold."
-- false_positives = ["Container agents and start-up scripts in their first days", "A deployment that reads a whole tree of settings", "Without a stated T0 there is no baseline, so every regular bulk reader appears"]
-- next_steps = ["List the parameters, also from the KMS records, and name the owner of each", "Check whether address, session and time fit the principal", "Treat every parameter that was decrypted as exposed"]
-- references = ["https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParametersByPath.html", "https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html"]
--
-- [params]
-- distinct_parameters = { type = "integer", doc = "Different parameters within two adjacent hours", default = 10 }
-- habit_days = { type = "integer", doc = "Days of the baseline with such a burst that make it a habit", default = 3 }
-- ---
WITH accesses AS (
  SELECT
    s.event_key,
    s.event_time,
    coalesce(s.actor, '') AS reader,
    s.event_epoch // 3600 AS hour_no,
    s.location_kind,
    -- A name is written with or without its leading slash.
    coalesce(s.account_id, '') || '/' || coalesce(s.region, '') || '/'
      || CASE WHEN starts_with(s.location, '/') THEN substring(s.location, 2) ELSE s.location END AS parameter,
    CASE WHEN s.location_kind = 'ssm_path'
         THEN CASE WHEN json_extract_string(e.request_parameters, '$.nextToken') IS NOT NULL THEN 10 ELSE 1 END
         ELSE 0 END AS page_names,
    s.location_kind = 'ssm_path' AND s.location = '/'
      AND coalesce(json_extract_string(e.request_parameters, '$.recursive'), '') = 'true' AS whole_store
  FROM secret_access AS s
  JOIN aws_event AS e ON e.event_key = s.event_key
  WHERE s.location_kind IN ('ssm', 'ssm_path')
    AND (s.access = 'decrypted' OR coalesce(json_extract_string(e.request_parameters, '$.withDecryption'), '') = 'true')
    AND s.outcome = 'success'
    AND coalesce(s.identity_type, '') <> 'AWSService'
    AND s.event_epoch IS NOT NULL
    AND s.event_time < $until
),
-- Each access stands in two windows of two hours, so that no burst is cut by the turn of an hour.
window_accesses AS (
  SELECT reader, hour_no AS first_hour, location_kind, parameter, page_names, event_time < $baseline_until AS is_earlier
  FROM accesses
  UNION ALL
  SELECT reader, hour_no - 1 AS first_hour, location_kind, parameter, page_names, event_time < $baseline_until AS is_earlier
  FROM accesses
),
window_names AS (
  SELECT
    reader,
    first_hour,
    count(DISTINCT CASE WHEN location_kind = 'ssm' THEN parameter END) AS names,
    count(DISTINCT CASE WHEN location_kind = 'ssm' AND is_earlier THEN parameter END) AS earlier_names,
    CAST(sum(page_names) AS BIGINT) AS paged,
    CAST(sum(CASE WHEN is_earlier THEN page_names ELSE 0 END) AS BIGINT) AS earlier_paged
  FROM window_accesses
  GROUP BY reader, first_hour
),
window_counts AS (
  SELECT
    reader,
    first_hour,
    greatest(names, paged) AS parameters,
    greatest(earlier_names, earlier_paged) AS earlier_parameters
  FROM window_names
),
habits AS (
  SELECT
    reader,
    max(earlier_parameters) AS most_parameters,
    count(DISTINCT CASE WHEN earlier_parameters >= $distinct_parameters THEN first_hour // 24 END) AS bulk_days
  FROM window_counts
  GROUP BY reader
),
bursts AS (
  SELECT c.reader, c.first_hour, c.parameters
  FROM window_counts AS c
  JOIN habits AS h ON h.reader = c.reader
  WHERE c.parameters >= $distinct_parameters
    AND (h.bulk_days < $habit_days OR c.parameters > h.most_parameters)
),
covered_hours AS (
  SELECT reader, first_hour AS hour_no, parameters FROM bursts
  UNION ALL
  SELECT reader, first_hour + 1 AS hour_no, parameters FROM bursts
),
burst_hours AS (
  SELECT reader, hour_no, max(parameters) AS parameters_in_window FROM covered_hours GROUP BY reader, hour_no
),
contributing AS (
  SELECT
    a.event_key,
    max(coalesce(b.parameters_in_window, 0)) AS parameters_in_window,
    max(CASE WHEN a.whole_store THEN 1 ELSE 0 END) = 1 AS whole_store
  FROM accesses AS a
  LEFT JOIN burst_hours AS b ON b.reader = a.reader AND b.hour_no = a.hour_no
  WHERE b.reader IS NOT NULL OR a.whole_store
  GROUP BY a.event_key
)
SELECT
  coalesce(e.actor, '') || '|' || coalesce(e.credential_id, '') || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  coalesce(
    json_extract_string(e.request_parameters, '$.names'),
    json_extract_string(e.request_parameters, '$.path'),
    e.request_name,
    json_extract_string(e.request_parameters, '$.encryptionContext.PARAMETER_ARN')
  ) AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  c.parameters_in_window,
  c.whole_store,
  e.session_name,
  e.invoked_by,
  e.user_agent
FROM contributing AS c
JOIN aws_event AS e ON e.event_key = c.event_key
WHERE e.event_time >= $since
  AND e.event_time < $until
ORDER BY e.event_time NULLS LAST, e.event_key
