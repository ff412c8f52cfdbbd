-- ---
-- id = "usage.more_than_gateway_logged"
-- kind = "detection"
-- title = "The provider counted more requests of an AI key than the customer's own gateway sent"
-- severity = "high"
-- confidence = "medium"
-- sources = ["litellm_spend"]
-- needs = ["usage_by_key"]
-- attack = ["T1496.004", "T1078.004"]
-- attack_v19 = ["T1496.004", "T1078.004"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "A key belongs to a name in the log of its owner's gateway when, in the hours of the baseline in which both logs have requests, the one counted at least match_percent of the other, in both directions, over at least min_baseline_hours such hours. From the end of the baseline on, hours are listed in which the provider counted more than max_percent over the gateway and at least min_requests more, in at least two hours in a row. The gateway's highest count of the hour, the hour before and the hour after is taken, because the clocks differ. Failed requests of the gateway count as sent. Hours outside the first and last entry of the gateway's log are left out. What is left over was sent by somebody else with the key, or past the gateway."
-- misses = "Keys whose requests passed the gateway only in part before. Providers that count no requests, such as Anthropic. Abuse that stays below the limits. Daily exports."
-- false_positives = ["A second application began to use the key directly", "The gateway lost entries or was set to log less", "Retries that the gateway logs once"]
-- next_steps = ["Ask the customer what else uses the key, and whether the gateway's log is complete", "Look at the models and hours of the remainder", "Revoke the key if nobody explains it"]
-- references = ["https://platform.openai.com/docs/api-reference/usage", "https://docs.litellm.ai/docs/proxy/cost_tracking"]
--
-- [params]
-- match_percent = { type = "integer", doc = "Least share of one log's requests that the other counts, in the baseline, in percent", default = 95 }
-- min_baseline_hours = { type = "integer", doc = "Hours of the baseline in which both logs have requests", default = 24 }
-- max_percent = { type = "integer", doc = "Requests above the gateway's that are let pass, in percent of the gateway's", default = 5 }
-- min_requests = { type = "integer", doc = "Least number of requests above the gateway's in an hour", default = 20 }
-- ---
WITH provider_hours AS (
  SELECT subject, provider, coalesce(owner, '') AS customer, start_epoch // 3600 AS hour, min(bucket_start) AS hour_start,
    max(bucket_end) AS hour_end,
    CAST(sum(requests) AS BIGINT) AS requests
  FROM key_usage
  WHERE granularity_s <= 3600
  GROUP BY subject, provider, owner, start_epoch // 3600
),
gateway_hours AS (
  SELECT coalesce(owner, '') AS customer, lower(upstream_provider) AS provider, coalesce(key_name, key_hash, '') AS name,
    epoch_ms(event_time) // 3600000 AS hour, count(*) AS requests
  FROM ai_request
  WHERE event_time < $until
  GROUP BY coalesce(owner, ''), lower(upstream_provider), coalesce(key_name, key_hash, ''), epoch_ms(event_time) // 3600000
),
pairs AS (
  SELECT p.subject, p.customer, p.provider, g.name
  FROM provider_hours AS p
  JOIN gateway_hours AS g ON g.customer = p.customer AND g.provider = p.provider AND g.hour = p.hour
  WHERE p.hour_end <= $baseline_until
  GROUP BY p.subject, p.customer, p.provider, g.name
  HAVING count(*) >= $min_baseline_hours
    AND 100 * CAST(sum(g.requests) AS BIGINT) >= $match_percent * CAST(sum(p.requests) AS BIGINT)
    AND 100 * CAST(sum(p.requests) AS BIGINT) >= $match_percent * CAST(sum(g.requests) AS BIGINT)
),
-- Only what one name explains is compared: two names that fit would say nothing.
only_pairs AS (
  SELECT subject, customer, provider, min(name) AS name
  FROM pairs
  GROUP BY subject, customer, provider
  HAVING count(*) = 1
),
log_spans AS (
  SELECT customer, provider, name, min(hour) AS first_hour, max(hour) AS last_hour
  FROM gateway_hours
  GROUP BY customer, provider, name
),
-- Each hour of the gateway stands for its neighbours too.
near_hours AS (
  SELECT customer, provider, name, hour, requests FROM gateway_hours
  UNION ALL
  SELECT customer, provider, name, hour + 1 AS hour, requests FROM gateway_hours
  UNION ALL
  SELECT customer, provider, name, hour - 1 AS hour, requests FROM gateway_hours
),
near_counts AS (
  SELECT customer, provider, name, hour, max(requests) AS requests
  FROM near_hours
  GROUP BY customer, provider, name, hour
),
remainders AS (
  SELECT p.subject, p.hour, p.requests, coalesce(n.requests, 0) AS gateway_requests, o.name
  FROM provider_hours AS p
  JOIN only_pairs AS o ON o.subject = p.subject
  JOIN log_spans AS l ON l.customer = o.customer AND l.provider = o.provider AND l.name = o.name
  LEFT JOIN near_counts AS n
    ON n.customer = o.customer AND n.provider = o.provider AND n.name = o.name AND n.hour = p.hour
  WHERE p.hour BETWEEN l.first_hour AND l.last_hour
    AND p.hour_start >= $baseline_until
    AND p.requests - coalesce(n.requests, 0) >= $min_requests
    AND 100 * p.requests > (100 + $max_percent) * coalesce(n.requests, 0)
),
lasting AS (
  SELECT r.subject, r.hour, r.requests, r.gateway_requests, r.name
  FROM remainders AS r
  WHERE EXISTS (SELECT 1 FROM remainders AS b WHERE b.subject = r.subject AND b.hour = r.hour - 1)
     OR EXISTS (SELECT 1 FROM remainders AS a WHERE a.subject = r.subject AND a.hour = r.hour + 1)
)
SELECT
  k.subject AS finding_key,
  u.bucket_start AS event_time,
  u.key_id AS actor,
  u.provider || ':usage' AS action,
  u.model AS resource,
  CAST(NULL AS VARCHAR) AS source_ip,
  u.key_id AS credential_id,
  u.organisation AS account_id,
  CAST(NULL AS VARCHAR) AS region,
  'success' AS outcome,
  u.event_key,
  u.evidence,
  l.requests AS provider_requests,
  l.gateway_requests,
  l.requests - l.gateway_requests AS requests_left_over,
  l.name AS gateway_key_name
FROM lasting AS l
JOIN key_usage AS k ON k.subject = l.subject AND k.start_epoch // 3600 = l.hour
JOIN ai_usage_current AS u ON u.event_key = k.event_key
WHERE u.bucket_start >= $since
  AND u.bucket_start < $until
ORDER BY u.bucket_start NULLS LAST, u.event_key
