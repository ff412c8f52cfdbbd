-- ---
-- id = "usage.request_from_new_address"
-- kind = "detection"
-- title = "Model requests came from a network never seen for that key"
-- severity = "high"
-- confidence = "medium"
-- sources = ["litellm_spend"]
-- needs = ["request_addresses"]
-- attack = ["T1078.004", "T1090"]
-- attack_v19 = ["T1078.004", "T1090"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "Logged requests with a key from an IPv4 /24 or IPv6 /48 that the key did not use in its baseline. Refused and failed requests count. The requests are listed up to a limit. Keys with too little baseline carry baseline_state none, and of each model and status only the first request is listed."
-- misses = "Requests that bypass the gateway. The usage exports of OpenAI and Anthropic hold no addresses."
-- false_positives = ["A new egress address of the application", "A developer at another place"]
-- next_steps = ["Search the address in CloudTrail and in the audit logs of the providers", "Ask the owner of the key", "Revoke the key"]
-- references = ["https://docs.litellm.ai/docs/proxy/cost_tracking", "https://docs.litellm.ai/docs/proxy/virtual_keys"]
--
-- [params]
-- min_baseline_requests = { type = "integer", doc = "Requests a key must have in the baseline for its networks to be known", default = 20 }
-- min_baseline_days = { type = "integer", doc = "Days on which the key must have been used in the baseline", default = 7 }
-- shown_requests = { type = "integer", doc = "Requests listed for each key and network with a sufficient baseline", default = 2000 }
-- ---
WITH requests AS (
  SELECT
    event_key,
    event_time,
    provider || '|' || coalesce(owner, '') || '|' || coalesce(organisation, '') || '|'
      || coalesce(key_id, key_hash, key_name) AS subject,
    CASE
      WHEN source_ip_key LIKE '00000000000000000000ffff%' THEN substr(source_ip_key, 1, 30)
      ELSE substr(source_ip_key, 1, 12)
    END AS network,
    coalesce(model, '') AS model,
    coalesce(status, '') AS status
  FROM ai_request
  WHERE source_ip_key IS NOT NULL
    AND event_time IS NOT NULL
    AND coalesce(key_id, key_hash, key_name) IS NOT NULL
),
baselines AS (
  SELECT subject, count(*) AS requests, count(DISTINCT strftime(event_time, '%Y-%m-%d')) AS active_days
  FROM requests
  WHERE event_time < $baseline_until
  GROUP BY subject
),
known_networks AS (
  SELECT DISTINCT subject, network FROM requests WHERE event_time < $baseline_until
),
new_requests AS (
  SELECT
    r.event_key,
    r.subject,
    r.network,
    count(*) OVER (
      PARTITION BY r.subject, r.network, r.model, r.status ORDER BY r.event_time NULLS LAST, r.event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS requests,
    row_number() OVER (
      PARTITION BY r.subject, r.network, r.model, r.status ORDER BY r.event_time NULLS LAST, r.event_key
    ) AS place,
    row_number() OVER (PARTITION BY r.subject, r.network ORDER BY r.event_time NULLS LAST, r.event_key) AS request_no
  FROM requests AS r
  LEFT JOIN known_networks AS k ON k.subject = r.subject AND k.network = r.network
  WHERE k.network IS NULL
    AND r.event_time >= $baseline_until
    AND r.event_time >= $since
    AND r.event_time < $until
)
SELECT
  n.subject || '|' || n.network AS finding_key,
  q.event_time,
  coalesce(q.key_id, q.key_name, q.key_hash) AS actor,
  q.provider || ':' || coalesce(q.operation, 'request') AS action,
  q.model AS resource,
  q.source_ip,
  coalesce(q.key_id, q.key_hash) AS credential_id,
  q.organisation AS account_id,
  q.region,
  CASE WHEN q.status = 'ok' THEN 'success' ELSE 'failure' END AS outcome,
  q.event_key,
  q.evidence,
  CASE
    WHEN coalesce(b.requests, 0) >= $min_baseline_requests AND coalesce(b.active_days, 0) >= $min_baseline_days
      THEN 'sufficient'
    ELSE 'none'
  END AS baseline_state,
  n.requests,
  q.key_name
FROM new_requests AS n
JOIN ai_request AS q ON q.event_key = n.event_key
LEFT JOIN baselines AS b ON b.subject = n.subject
WHERE n.place = 1
   OR (n.request_no <= $shown_requests
       AND coalesce(b.requests, 0) >= $min_baseline_requests
       AND coalesce(b.active_days, 0) >= $min_baseline_days)
ORDER BY q.event_time NULLS LAST, q.event_key
