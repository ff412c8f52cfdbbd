-- ---
-- id = "aws.secret_reads_denied"
-- kind = "detection"
-- title = "One principal was refused many different secrets in a short time"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["secrets_events"]
-- attack = ["T1555.006"]
-- attack_v19 = ["T1555.006"]
-- attack_version = "18.1"
-- description = "A principal asked for at least distinct_targets different secrets, parameters or decryptions within two adjacent stretches of thirty minutes and got none of them: access was denied, nothing of that name exists, or the store could not decrypt. Only such refused calls count. A refused secret is not exposed by the call; read_later tells whether a later read by the same principal succeeded. A principal that was so refused on at least habit_days days of the baseline is reported only when it asks for more than it ever did there."
-- misses = "Refused calls whose record names neither the thing nor the resource in its error message. A prober who stays below the threshold or spreads the calls over principals."
-- false_positives = ["A deployment with wrong settings or a missing right that asks for many secrets", "A new role whose policy is not complete yet", "A posture scanner without rights to read secrets"]
-- next_steps = ["Compare the names asked for with those that exist: guessed names speak for a stranger, exact ones for somebody who listed them", "List the successful reads of the same principal and credential after the first refusal", "Compare address and session with the principal's ordinary ones"]
-- references = ["https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html", "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html", "https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html"]
--
-- [params]
-- distinct_targets = { type = "integer", doc = "Different things refused within two adjacent stretches of thirty minutes", default = 5 }
-- habit_days = { type = "integer", doc = "Days of the baseline with such a burst that make it a habit", default = 3 }
-- ---
WITH refusals AS (
  SELECT e.*, coalesce(e.actor, '') AS reader, e.event_epoch // 1800 AS stretch_no
  FROM aws_event AS e
  WHERE (
      (e.event_source = 'secretsmanager.amazonaws.com' AND e.event_name_base IN ('GetSecretValue', 'BatchGetSecretValue'))
      OR (e.event_source = 'ssm.amazonaws.com'
        AND e.event_name_base IN ('GetParameter', 'GetParameters', 'GetParametersByPath', 'GetParameterHistory'))
      OR (e.event_source = 'kms.amazonaws.com' AND e.event_name_base = 'Decrypt')
    )
    AND (e.outcome = 'denied'
      OR regexp_matches(coalesce(e.error_code, ''), '(ResourceNotFound|ParameterNotFound|DecryptionFailure)'))
    AND coalesce(e.identity_type, '') <> 'AWSService'
    AND e.event_time < $until
),
named_targets AS (
  SELECT r.event_key, i.value AS target
  FROM refusals AS r
  JOIN aws_event_item AS i ON i.event_key = r.event_key
  WHERE i.kind IN ('secret', 'parameter', 'parameter_path', 'kms_secret', 'kms_parameter', 'kms_function')
),
-- A denied call often carries no parameters; its message names the resource.
all_targets AS (
  SELECT event_key, target FROM named_targets
  UNION ALL
  SELECT
    r.event_key,
    regexp_replace(regexp_extract(coalesce(r.error_message, ''), 'on resource: ([^ ]+)', 1),
                   '^arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:', '', 'g') AS target
  FROM refusals AS r
  LEFT JOIN named_targets AS n ON n.event_key = r.event_key
  WHERE n.event_key IS NULL
),
targets AS (
  SELECT
    r.event_key,
    r.reader,
    r.stretch_no,
    r.event_time < $baseline_until AS is_earlier,
    coalesce(r.account_id, '') || '/' || coalesce(r.region, '') || '/' || t.target AS target
  FROM refusals AS r
  JOIN all_targets AS t ON t.event_key = r.event_key
  WHERE t.target <> ''
),
-- Each refusal stands in two windows, so that no burst is cut by the turn of a stretch.
window_targets AS (
  SELECT reader, stretch_no AS first_stretch, target, is_earlier FROM targets
  UNION ALL
  SELECT reader, stretch_no - 1 AS first_stretch, target, is_earlier FROM targets
),
window_counts AS (
  SELECT
    reader,
    first_stretch,
    count(DISTINCT target) AS targets,
    count(DISTINCT CASE WHEN is_earlier THEN target END) AS earlier_targets
  FROM window_targets
  GROUP BY reader, first_stretch
),
habits AS (
  SELECT
    reader,
    max(earlier_targets) AS most_targets,
    count(DISTINCT CASE WHEN earlier_targets >= $distinct_targets THEN first_stretch // 48 END) AS burst_days
  FROM window_counts
  GROUP BY reader
),
bursts AS (
  SELECT c.reader, c.first_stretch, c.targets
  FROM window_counts AS c
  JOIN habits AS h ON h.reader = c.reader
  WHERE c.targets >= $distinct_targets
    AND (h.burst_days < $habit_days OR c.targets > h.most_targets)
),
covered_stretches AS (
  SELECT reader, first_stretch AS stretch_no, targets FROM bursts
  UNION ALL
  SELECT reader, first_stretch + 1 AS stretch_no, targets FROM bursts
),
burst_stretches AS (
  SELECT reader, stretch_no, max(targets) AS targets_in_window FROM covered_stretches GROUP BY reader, stretch_no
),
last_reads AS (
  SELECT coalesce(actor, '') AS reader, max(event_epoch) AS read_epoch
  FROM secret_access
  WHERE outcome = 'success'
  GROUP BY coalesce(actor, '')
),
first_targets AS (
  SELECT event_key, min(target) AS target, count(DISTINCT target) AS named FROM targets GROUP BY event_key
)
SELECT
  r.reader || '|' || coalesce(r.credential_id, '') || '|' || strftime(r.event_time, '%Y-%m-%d') AS finding_key,
  r.event_time,
  r.actor,
  r.event_name_base AS action,
  t.target AS resource,
  r.source_ip,
  r.credential_id,
  r.account_id,
  r.region,
  r.outcome,
  r.event_key,
  r.evidence,
  t.named AS names_asked,
  b.targets_in_window,
  coalesce(l.read_epoch >= r.event_epoch, FALSE) AS read_later,
  r.error_code,
  r.session_name,
  r.invoked_by,
  r.user_agent
FROM refusals AS r
JOIN first_targets AS t ON t.event_key = r.event_key
JOIN burst_stretches AS b ON b.reader = r.reader AND b.stretch_no = r.stretch_no
LEFT JOIN last_reads AS l ON l.reader = r.reader
WHERE r.event_time >= $since
ORDER BY r.event_time NULLS LAST, r.event_key
