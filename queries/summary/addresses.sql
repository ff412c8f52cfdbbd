-- ---
-- id = "summary.addresses"
-- kind = "summary"
-- title = "Every address of the evidence, over all sources"
-- sources = ["aws_cloudtrail", "openai_audit", "anthropic_activity", "litellm_spend"]
-- description = "One row an IP address with the sources in which it stands, first and last event, outcomes, and how many principals and credentials used it. own_egress tells that the case states it as the organisation's own."
-- ---
WITH seen AS (
  SELECT event_time, 'aws' AS kind, source_ip, source_ip_key, actor, credential_id AS credential, outcome, event_key FROM aws_event
  UNION ALL
  SELECT event_time, 'provider_audit' AS kind, source_ip, source_ip_key,
    coalesce(actor_email, actor_key_id, actor_id, actor_type) AS actor, actor_key_id AS credential, outcome, event_key
  FROM ai_audit_event
  UNION ALL
  SELECT event_time, 'request' AS kind, source_ip, source_ip_key, coalesce(principal, key_name, user_id, key_hash) AS actor,
    coalesce(key_id, key_hash) AS credential, CASE status WHEN 'ok' THEN 'success' ELSE 'failure' END AS outcome, event_key
  FROM ai_request
)
SELECT
  s.source_ip,
  min(s.event_time) AS first_seen,
  max(s.event_time) AS last_seen,
  count(*) AS events,
  count(*) FILTER (WHERE s.kind = 'aws') AS aws_events,
  count(*) FILTER (WHERE s.kind = 'provider_audit') AS provider_events,
  count(*) FILTER (WHERE s.kind = 'request') AS requests,
  count(*) FILTER (WHERE s.outcome = 'denied') AS denied,
  count(*) FILTER (WHERE s.outcome = 'failure') AS failed,
  count(DISTINCT s.actor) AS principals,
  count(DISTINCT s.credential) AS credentials,
  EXISTS (
    SELECT 1 FROM case_network AS n
    WHERE n.kind = 'own_egress' AND s.source_ip_key >= n.low AND s.source_ip_key <= n.high
  ) AS own_egress,
  min(s.event_key) AS first_event_key
FROM seen AS s
WHERE s.source_ip IS NOT NULL
  AND s.event_time >= $since
  AND s.event_time < $until
GROUP BY s.source_ip, s.source_ip_key
ORDER BY events DESC NULLS LAST, s.source_ip NULLS LAST, min(s.event_key)
