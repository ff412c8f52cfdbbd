-- ---
-- id = "exposure.requests_from_tainted"
-- kind = "exposure"
-- title = "Model requests from the intruder's addresses"
-- severity = "info"
-- confidence = "high"
-- sources = ["litellm_spend", "bedrock_invocation"]
-- description = "Single requests that did not fail, at gateways whose caller has an address held to be the intruder's."
-- misses = "Logs without a caller address."
-- ---
SELECT r.event_time, r.event_key, r.provider, r.owner, r.upstream_provider, r.key_id, r.key_name, r.model, r.source_ip,
       t.value AS tainted_address, t.root, r.evidence
FROM ai_request AS r
JOIN tainted AS t ON t.kind = 'address' AND t.value = r.source_ip AND r.event_time >= t.since
WHERE r.event_time >= $since AND r.event_time < $until
  AND coalesce(r.status, 'ok') <> 'error'
ORDER BY r.event_time NULLS LAST, r.event_key
