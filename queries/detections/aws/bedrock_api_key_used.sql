-- ---
-- id = "aws.bedrock_api_key_used"
-- kind = "detection"
-- title = "A Bedrock API key was used from a network where it had not been used before"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1550.001", "T1078.004"]
-- attack_v19 = ["T1550.001", "T1078.004"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "A call carries a Bedrock API key instead of a signature, and its principal made no such call from that IPv4 /24 or IPv6 /48 in the baseline. first_in_account tells that the account knew no such key before. Denied calls count. The calls are listed up to a limit. Accounts whose logs are too short carry baseline_state none, and of each distinct call, model and outcome only the first is listed."
-- misses = "A stolen key used from the network of its owner. Calls that are logged as data events which were not switched on."
-- false_positives = ["Software that was newly introduced with such a key", "A changed egress address"]
-- next_steps = ["Find who created the key: CreateServiceSpecificCredential for the user, or the session behind a short-term key", "Deactivate the key", "Count its calls and models"]
-- references = ["https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html", "https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html"]
--
-- [params]
-- min_baseline_events = { type = "integer", doc = "Events of the account in the baseline for its habits to be known", default = 20 }
-- min_baseline_days = { type = "integer", doc = "Days on which the account must have acted in the baseline", default = 7 }
-- shown_calls = { type = "integer", doc = "Calls listed for each principal and network with a sufficient baseline", default = 2000 }
-- ---
WITH baselines AS (
  SELECT
    coalesce(account_id, '') AS account,
    count(*) AS baseline_events,
    count(DISTINCT event_epoch // 86400) AS baseline_days,
    CAST(sum(CASE WHEN coalesce(bearer_token, FALSE) THEN 1 ELSE 0 END) AS BIGINT) AS baseline_bearer_calls
  FROM aws_event
  WHERE event_time < $baseline_until
  GROUP BY coalesce(account_id, '')
),
bearer_calls AS (
  SELECT
    event_key,
    event_time,
    event_epoch,
    coalesce(actor, '') AS principal,
    coalesce(account_id, '') AS account,
    CASE
      WHEN source_ip_key IS NULL THEN coalesce(source_ip_raw, '')
      WHEN source_ip_key LIKE '00000000000000000000ffff%' THEN substr(source_ip_key, 1, 30)
      ELSE substr(source_ip_key, 1, 12)
    END AS network,
    event_name_base,
    coalesce(request_model_id, '') AS model,
    outcome
  FROM aws_event
  WHERE coalesce(bearer_token, FALSE)
    AND coalesce(invoked_by, '') = ''
),
known_networks AS (
  SELECT DISTINCT principal, network FROM bearer_calls WHERE event_time < $baseline_until
),
new_calls AS (
  SELECT
    c.event_key,
    c.principal,
    c.account,
    c.network,
    count(*) OVER (
      PARTITION BY c.principal, c.network, c.event_name_base, c.model, c.outcome ORDER BY c.event_epoch NULLS LAST, c.event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS calls,
    row_number() OVER (
      PARTITION BY c.principal, c.network, c.event_name_base, c.model, c.outcome ORDER BY c.event_epoch NULLS LAST, c.event_key
    ) AS place,
    row_number() OVER (
      PARTITION BY c.principal, c.network ORDER BY c.event_epoch NULLS LAST, c.event_key
    ) AS call_no
  FROM bearer_calls AS c
  LEFT JOIN known_networks AS k ON k.principal = c.principal AND k.network = c.network
  WHERE k.network IS NULL
    AND c.event_time >= $baseline_until
    AND c.event_time >= $since
    AND c.event_time < $until
)
SELECT
  n.principal || '|' || n.network AS finding_key,
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
  CASE
    WHEN coalesce(b.baseline_events, 0) >= $min_baseline_events AND coalesce(b.baseline_days, 0) >= $min_baseline_days
      THEN 'sufficient'
    ELSE 'none'
  END AS baseline_state,
  coalesce(b.baseline_bearer_calls, 0) = 0 AS first_in_account,
  n.calls
FROM new_calls AS n
JOIN aws_event AS e ON e.event_key = n.event_key
LEFT JOIN baselines AS b ON b.account = n.account
WHERE n.place = 1
   OR (n.call_no <= $shown_calls
       AND coalesce(b.baseline_events, 0) >= $min_baseline_events
       AND coalesce(b.baseline_days, 0) >= $min_baseline_days)
ORDER BY e.event_time NULLS LAST, e.event_key
