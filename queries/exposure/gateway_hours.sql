-- ---
-- id = "exposure.gateway_hours"
-- kind = "exposure"
-- title = "Requests that gateways, applications and the product logged, by hour and key"
-- severity = "info"
-- confidence = "high"
-- sources = ["litellm_spend"]
-- description = "What gateways and applications of the customers, and the organisation's own product, logged per hour for each key or its alias: the expected part of a key's usage."
-- misses = "Applications that bypass the gateway."
-- ---
SELECT r.provider, r.owner, r.upstream_provider, r.key_id, r.key_name, date_trunc('hour', r.event_time) AS hour, r.model,
       count(*) AS requests,
       CAST(sum(coalesce(r.input_tokens_total, 0) + coalesce(r.output_tokens, 0)) AS BIGINT) AS tokens,
       min(r.event_key) AS event_key
FROM ai_request AS r
WHERE (r.key_name IS NOT NULL OR r.key_id IS NOT NULL) AND r.event_time >= $since AND r.event_time < $until
GROUP BY r.provider, r.owner, r.upstream_provider, r.key_id, r.key_name, date_trunc('hour', r.event_time), r.model
ORDER BY r.provider NULLS LAST, r.owner NULLS LAST, r.upstream_provider NULLS LAST, r.key_id NULLS LAST, r.key_name NULLS LAST, hour NULLS LAST, r.model NULLS LAST, min(r.event_key)
