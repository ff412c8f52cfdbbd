-- ---
-- id = "exposure.requests_from_tainted"
-- kind = "exposure"
-- title = "Model requests by the intruder"
-- severity = "info"
-- confidence = "high"
-- sources = ["litellm_spend", "bedrock_invocation"]
-- description = "Single requests that did not fail, whose caller's address, principal, user or gateway key is held to be the intruder's. A request from the organisation's own egress counts only by its session: the principal, user or gateway key."
-- misses = "Logs without a caller."
-- ---
WITH marks AS (
  SELECT r.event_key, t.value, t.root, 'address' AS marked_by
  FROM ai_request AS r
  JOIN tainted AS t ON t.kind = 'address' AND t.value = r.source_ip AND r.event_time >= t.since
  UNION ALL
  SELECT r.event_key, t.value, t.root, 'session' AS marked_by
  FROM ai_request AS r
  JOIN tainted AS t ON t.kind = 'principal' AND t.value = r.principal AND r.event_time >= t.since
  UNION ALL
  SELECT r.event_key, t.value, t.root, 'session' AS marked_by
  FROM ai_request AS r
  JOIN tainted AS t
    ON t.kind = 'provider_actor' AND r.event_time >= t.since
   AND (t.value = r.user_id OR t.value = r.principal OR t.value = r.key_id OR t.value = r.key_name OR t.value = r.key_hash)
),
marked AS (
  SELECT event_key, min(marked_by) AS marked_by, min(value) AS value, min(root) AS root FROM marks GROUP BY event_key
)
SELECT r.event_time, r.event_key, r.provider, r.owner, r.upstream_provider, r.key_id, r.key_name, r.model, r.source_ip,
       m.value AS tainted_address, m.root, r.evidence, m.marked_by
FROM ai_request AS r
JOIN marked AS m ON m.event_key = r.event_key
WHERE r.event_time >= $since AND r.event_time < $until
  AND coalesce(r.status, 'ok') <> 'error'
ORDER BY r.event_time NULLS LAST, r.event_key
