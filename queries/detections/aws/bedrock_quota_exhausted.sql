-- ---
-- id = "aws.bedrock_quota_exhausted"
-- kind = "detection"
-- title = "Bedrock refused many invocations for quota while their number rose"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["bedrock_events"]
-- attack = ["T1496.004", "T1499.003"]
-- attack_v19 = ["T1496.004", "T1499.003"]
-- attack_version = "18.1"
-- atlas = ["AML.T0034"]
-- baseline_days = 7
-- description = "In an hour at least min_refused invocations of an account failed for throttling, quota or a model that was not ready, the hour had more invocations than any hour of the baseline, and the share of such failures was at least times_share times that of the baseline. It is what the victim's own workload feels of somebody else's use. Of each credential, model and error of the hour the first is listed, with their number. An account without invocations in the baseline carries baseline_state none."
-- misses = "Abuse below the quota. Other regions' quotas are not told apart."
-- false_positives = ["Organic growth, a launch or a load test", "A client that repeats without pause"]
-- next_steps = ["See whose credentials made the invocations of that hour", "Compare models and addresses with the baseline", "Ask whether the own workload failed at that time"]
-- references = ["https://docs.aws.amazon.com/bedrock/latest/userguide/quotas.html", "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html"]
--
-- [params]
-- min_refused = { type = "integer", doc = "Least number of refused invocations in an hour", default = 20 }
-- times_share = { type = "integer", doc = "Least multiple of the share of refused invocations in the baseline", default = 5 }
-- ---
WITH invocations AS (
  SELECT
    event_key,
    event_time,
    event_epoch,
    event_epoch // 3600 AS hour,
    coalesce(account_id, '') AS account,
    coalesce(credential_id, actor, '') AS credential,
    coalesce(request_model_id, '') AS model,
    error_code,
    coalesce(regexp_matches(error_code, '(Throttling|ServiceQuotaExceeded|ModelNotReady)(Exception)?$'), FALSE) AS refused
  FROM aws_event
  WHERE event_source = 'bedrock.amazonaws.com'
    AND event_name_base IN ('InvokeModel', 'InvokeModelWithResponseStream', 'InvokeModelWithBidirectionalStream', 'Converse', 'ConverseStream')
),
hours AS (
  SELECT account, hour, max(event_time) AS last_time, min(event_time) AS first_time, count(*) AS calls,
    count(*) FILTER (WHERE refused) AS refused
  FROM invocations
  GROUP BY account, hour
),
baselines AS (
  SELECT account, max(calls) AS most_calls, CAST(sum(calls) AS BIGINT) AS calls, CAST(sum(refused) AS BIGINT) AS refused
  FROM hours
  WHERE last_time < $baseline_until
  GROUP BY account
),
full_hours AS (
  SELECT h.account, h.hour, h.calls, h.refused, b.account IS NOT NULL AS has_baseline
  FROM hours AS h
  LEFT JOIN baselines AS b ON b.account = h.account
  WHERE h.refused >= $min_refused
    AND h.first_time >= $baseline_until
    AND h.calls > coalesce(b.most_calls, 0)
    AND h.refused * coalesce(b.calls, 0) >= $times_share * coalesce(b.refused, 0) * h.calls
),
refusals AS (
  SELECT
    i.event_key,
    f.account,
    f.hour,
    f.calls,
    f.refused,
    f.has_baseline,
    row_number() OVER (
      PARTITION BY i.account, i.hour, i.credential, i.model, i.error_code ORDER BY i.event_epoch NULLS LAST, i.event_key
    ) AS place
  FROM invocations AS i
  JOIN full_hours AS f ON f.account = i.account AND f.hour = i.hour
  WHERE i.refused
)
SELECT
  r.account || '|' || strftime(epoch_ms(r.hour * 3600000), '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  e.resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  CASE WHEN r.has_baseline THEN 'sufficient' ELSE 'none' END AS baseline_state,
  r.calls AS invocations_in_hour,
  r.refused AS refused_in_hour,
  e.error_code,
  e.user_agent
FROM refusals AS r
JOIN aws_event AS e ON e.event_key = r.event_key
WHERE r.place = 1
  AND e.event_time >= $since
  AND e.event_time < $until
ORDER BY e.event_time NULLS LAST, e.event_key
