-- ---
-- id = "aws.bedrock_invocation_spike"
-- kind = "detection"
-- title = "A principal invoked Bedrock far more than before, or many models at once"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1496.004"]
-- attack_v19 = ["T1496.004"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "Invocations of one model by one principal in one hour, compared with the median and the median deviation of all hours of the baseline, hours without a call included. Where the baseline of the logs is too short, an absolute number of calls is the limit and baseline_state is none. Also shown: many distinct models within neighbouring ten-minute spans, which needs no baseline. Every call counts, throttled and denied ones too. The calls of the flagged hours are listed up to a limit; calls tells how many the same credential, address and outcome made in the hour."
-- misses = "Abuse that stays within the usual volume, and few very long calls: CloudTrail holds no token counts."
-- false_positives = ["A product launch", "A batch evaluation or a load test"]
-- next_steps = ["Compare addresses and credentials of the hour with those of the baseline", "Add the tokens from the model invocation logs", "Price the calls"]
-- references = ["https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html", "https://docs.aws.amazon.com/bedrock/latest/userguide/quotas.html"]
--
-- [params]
-- min_calls = { type = "integer", doc = "Least number of calls in an hour with a baseline", default = 50 }
-- min_z_thousandths = { type = "integer", doc = "Least robust z score, in thousandths", default = 5000 }
-- absolute_calls = { type = "integer", doc = "Calls in an hour that are shown without a baseline", default = 500 }
-- min_baseline_hours = { type = "integer", doc = "Hours of logs before the end of the baseline", default = 168 }
-- sweep_seconds = { type = "integer", doc = "Width of the span in which models are counted", default = 600 }
-- sweep_models = { type = "integer", doc = "Distinct models in neighbouring spans", default = 3 }
-- shown_calls = { type = "integer", doc = "Calls listed for each principal and sign", default = 2000 }
-- ---
WITH window_calls AS (
  SELECT event_key, event_epoch, used_hour, principal, model, credential, address, outcome
  FROM bedrock_call
  WHERE event_time >= $baseline_until
    AND event_time >= $since
    AND event_time < $until
),
-- The baseline begins where the logs begin, not where the principal was first seen: silence is part of it.
log_span AS (
  SELECT CAST(coalesce(max(event_epoch) // 3600 - min(event_epoch) // 3600 + 1, 0) AS BIGINT) AS baseline_hours
  FROM aws_event
  WHERE event_time < $baseline_until
),
window_counts AS (
  SELECT principal, model, used_hour, count(*) AS calls
  FROM window_calls
  GROUP BY principal, model, used_hour
),
scored_hours AS (
  SELECT
    w.principal,
    w.model,
    w.used_hour,
    w.calls,
    s.baseline_hours,
    coalesce(u.median_2, 0) AS median_2,
    -- 0.6745 * (x - median) / spread, in thousandths
    6745 * (2 * w.calls - coalesce(u.median_2, 0)) // (5 * coalesce(u.spread_4, 4)) AS z_thousandths
  FROM window_counts AS w
  CROSS JOIN log_span AS s
  LEFT JOIN usual_level AS u ON u.series = 'bedrock_calls' AND u.subject = w.principal AND u.measure = w.model
),
spiking_hours AS (
  SELECT principal, model, used_hour, z_thousandths, median_2,
    CASE WHEN baseline_hours >= $min_baseline_hours THEN 'sufficient' ELSE 'none' END AS baseline_state
  FROM scored_hours
  WHERE (baseline_hours >= $min_baseline_hours AND calls >= $min_calls AND z_thousandths >= $min_z_thousandths)
     OR (baseline_hours < $min_baseline_hours AND calls >= $absolute_calls)
),
model_spans AS (
  SELECT DISTINCT principal, model, event_epoch // $sweep_seconds AS span, event_epoch // $sweep_seconds AS bucket
  FROM window_calls
  UNION
  SELECT DISTINCT principal, model, event_epoch // $sweep_seconds + 1 AS span, event_epoch // $sweep_seconds AS bucket
  FROM window_calls
),
sweeps AS (
  SELECT principal, span FROM model_spans GROUP BY principal, span HAVING count(DISTINCT model) >= $sweep_models
),
sweep_buckets AS (
  SELECT DISTINCT m.principal, m.bucket
  FROM model_spans AS m
  JOIN sweeps AS s ON s.principal = m.principal AND s.span = m.span
),
flagged_calls AS (
  SELECT c.event_key, c.event_epoch, c.principal, c.model, c.used_hour, c.credential, c.address, c.outcome,
    'volume' AS sign, h.baseline_state, h.z_thousandths, h.median_2
  FROM window_calls AS c
  JOIN spiking_hours AS h ON h.principal = c.principal AND h.model = c.model AND h.used_hour = c.used_hour
  UNION ALL
  SELECT c.event_key, c.event_epoch, c.principal, c.model, c.used_hour, c.credential, c.address, c.outcome,
    'many_models' AS sign, 'sufficient' AS baseline_state, CAST(NULL AS BIGINT) AS z_thousandths,
    CAST(NULL AS BIGINT) AS median_2
  FROM window_calls AS c
  JOIN sweep_buckets AS b ON b.principal = c.principal AND b.bucket = c.event_epoch // $sweep_seconds
),
first_calls AS (
  SELECT
    event_key,
    principal,
    sign,
    baseline_state,
    z_thousandths,
    median_2,
    count(*) OVER (
      PARTITION BY sign, principal, model, used_hour, credential, address, outcome ORDER BY event_epoch NULLS LAST, event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS calls,
    row_number() OVER (
      PARTITION BY sign, principal, model, used_hour, credential, address, outcome ORDER BY event_epoch NULLS LAST, event_key
    ) AS place,
    row_number() OVER (PARTITION BY sign, principal ORDER BY event_epoch NULLS LAST, event_key) AS call_no
  FROM flagged_calls
)
SELECT
  f.principal || '|' || f.sign || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  e.request_model_id AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  f.baseline_state,
  f.sign,
  f.calls,
  f.z_thousandths,
  f.median_2 AS doubled_median
FROM first_calls AS f
JOIN aws_event AS e ON e.event_key = f.event_key
WHERE f.place = 1
   OR f.call_no <= $shown_calls
ORDER BY e.event_time NULLS LAST, f.sign NULLS LAST, e.event_key
