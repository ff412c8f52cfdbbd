-- ---
-- id = "exposure.request_sources"
-- kind = "exposure"
-- title = "Addresses and user agents that each key was used from"
-- severity = "info"
-- confidence = "medium"
-- sources = ["litellm_spend", "bedrock_invocation"]
-- description = "Of each key, address and user agent in logs of single requests: first and last time, requests, failures, whether the address is the organisation's own egress, and its autonomous system where a file of the case tells it."
-- misses = "Usage exports of OpenAI and Anthropic carry neither. Logs that mask part of the address make several callers look like one."
-- ---
WITH own AS (
  SELECT DISTINCT r.source_ip
  FROM ai_request AS r
  JOIN case_network AS n ON n.kind = 'own_egress' AND r.source_ip_key >= n.low AND r.source_ip_key <= n.high
),
-- Files that differ about an address tell nothing.
systems AS (
  SELECT source_ip, CASE WHEN count(DISTINCT value) FILTER (WHERE fact = 'asn') = 1 THEN min(CASE WHEN fact = 'asn' THEN value END) END AS asn,
    min(CASE WHEN fact = 'as_name' THEN value END) AS as_name
  FROM address_fact
  WHERE fact IN ('asn', 'as_name')
  GROUP BY source_ip
)
SELECT r.provider, r.owner, r.upstream_provider, r.key_id, r.key_name, r.source_ip, r.user_agent,
       o.source_ip IS NOT NULL AS is_own, min(r.event_time) AS first_at, max(r.event_time) AS last_at, count(*) AS requests,
       CAST(sum(CASE WHEN r.status = 'error' THEN 1 ELSE 0 END) AS BIGINT) AS failures,
       max(CASE WHEN r.status = 'error' THEN r.event_time END) AS last_failure, min(r.event_key) AS event_key,
       min(s.asn) AS asn, min(s.as_name) AS as_name
FROM ai_request AS r
LEFT JOIN own AS o ON o.source_ip = r.source_ip
LEFT JOIN systems AS s ON s.source_ip = r.source_ip
WHERE (r.key_id IS NOT NULL OR r.key_name IS NOT NULL) AND r.event_time >= $since AND r.event_time < $until
GROUP BY r.provider, r.owner, r.upstream_provider, r.key_id, r.key_name, r.source_ip, r.user_agent, o.source_ip IS NOT NULL
ORDER BY first_at NULLS LAST, r.source_ip NULLS LAST, r.user_agent NULLS LAST, min(r.event_key)
