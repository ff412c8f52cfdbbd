-- ---
-- id = "usage.key_used_from_many_networks"
-- kind = "detection"
-- title = "One AI key was used from many networks on one day"
-- severity = "high"
-- confidence = "medium"
-- sources = ["litellm_spend", "bedrock_invocation", "azure_openai"]
-- needs = ["request_addresses"]
-- attack = ["T1090.003", "T1496.004"]
-- attack_v19 = ["T1090.003", "T1496.004"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "On one day the requests of a key came from at least min_networks networks (/16 of IPv4, /32 of IPv6), and from more than max_baseline on no day of the baseline. A sold key is used from everywhere at once. Of each network the first request is listed, requests counts them. Refused requests count. A key with too few days before carries baseline_state none. Without a file of networks and countries, neighbouring providers are told apart only by their addresses."
-- misses = "A reseller's own gateway, which uses one address. Formats without addresses."
-- false_positives = ["An application that holds the key in its users' hands", "A new content network in front of the gateway"]
-- next_steps = ["Ask the owner of the key where it is used", "Look at agents and models by network", "Revoke the key"]
-- references = ["https://docs.litellm.ai/docs/proxy/cost_tracking"]
--
-- [params]
-- min_networks = { type = "integer", doc = "Networks of a key on one day", default = 5 }
-- max_baseline = { type = "integer", doc = "Networks of a key on a day of the baseline, at most", default = 2 }
-- min_baseline_days = { type = "integer", doc = "Days with requests that the key must have in the baseline", default = 7 }
-- ---
WITH requests AS (
  SELECT
    event_key,
    event_time,
    provider || '|' || coalesce(owner, '') || '|' || coalesce(organisation, '') || '|' || coalesce(key_id, key_hash, key_name, principal) AS subject,
    epoch_ms(event_time) // 86400000 AS day,
    CASE WHEN source_ip_key LIKE '00000000000000000000ffff%' THEN substr(source_ip_key, 1, 28) ELSE substr(source_ip_key, 1, 8) END AS network
  FROM ai_request
  WHERE source_ip_key IS NOT NULL
),
days AS (
  SELECT subject, day, max(event_time) AS last_time, min(event_time) AS first_time, count(DISTINCT network) AS networks
  FROM requests
  GROUP BY subject, day
),
habits AS (
  SELECT subject, count(*) AS days, max(networks) AS networks FROM days WHERE last_time < $baseline_until GROUP BY subject
),
many AS (
  SELECT d.subject, d.day, d.networks, coalesce(h.days, 0) >= $min_baseline_days AS has_baseline
  FROM days AS d
  LEFT JOIN habits AS h ON h.subject = d.subject
  WHERE d.networks >= $min_networks
    AND d.first_time >= $baseline_until
    AND coalesce(h.networks, 0) <= $max_baseline
),
placed AS (
  SELECT r.event_key, r.subject, m.networks, m.has_baseline,
    row_number() OVER (PARTITION BY r.subject, r.day, r.network ORDER BY r.event_time NULLS LAST, r.event_key) AS place,
    count(*) OVER (
      PARTITION BY r.subject, r.day, r.network ORDER BY r.event_time NULLS LAST, r.event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS requests
  FROM requests AS r
  JOIN many AS m ON m.subject = r.subject AND m.day = r.day
)
SELECT
  p.subject || '|' || strftime(q.event_time, '%Y-%m-%d') AS finding_key,
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
  CASE WHEN p.has_baseline THEN 'sufficient' ELSE 'none' END AS baseline_state,
  p.networks,
  p.requests,
  q.user_agent
FROM placed AS p
JOIN ai_request AS q ON q.event_key = p.event_key
WHERE p.place = 1
  AND q.event_time >= $since
  AND q.event_time < $until
ORDER BY q.event_time NULLS LAST, q.event_key
