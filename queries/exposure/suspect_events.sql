-- ---
-- id = "exposure.suspect_events"
-- kind = "exposure"
-- title = "Acts attributed to the intruder"
-- severity = "info"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- description = "Events by a tainted credential, principal or address since it was tainted. A credential stated as leaked, or a user the intruder gave a credential, is shared with its owner: acts from the organisation's own egress are not counted."
-- misses = "Acts by a credential whose issue is not in the evidence."
-- ---
WITH own AS (
  SELECT e.event_key
  FROM aws_event AS e
  JOIN case_network AS n ON n.kind = 'own_egress' AND e.source_ip_key >= n.low AND e.source_ip_key <= n.high),
marked AS (
  SELECT e.event_key, t.kind, t.value, t.method, t.root
  FROM aws_event AS e
  JOIN tainted AS t ON t.kind = 'credential' AND t.value = e.credential_id AND e.event_time >= t.since
  WHERE t.method <> 'known' OR NOT EXISTS (SELECT 1 FROM own AS o WHERE o.event_key = e.event_key)
  UNION ALL
  SELECT e.event_key, t.kind, t.value, t.method, t.root
  FROM aws_event AS e
  JOIN tainted AS t ON t.kind = 'principal' AND t.value = e.actor AND e.event_time >= t.since
  WHERE NOT EXISTS (SELECT 1 FROM own AS o WHERE o.event_key = e.event_key)
  UNION ALL
  SELECT e.event_key, t.kind, t.value, t.method, t.root
  FROM aws_event AS e
  JOIN tainted AS t ON t.kind = 'address' AND t.value = e.source_ip AND e.event_time >= t.since)
SELECT e.event_time, e.event_key, e.actor, e.session_name, e.credential_id, e.source_ip, e.event_source,
       e.event_name_base AS action, e.resource, e.outcome, e.account_id, e.region,
       m.kind AS taint_kind, m.value AS taint_value, m.method AS taint_method, m.root, e.evidence
FROM aws_event AS e
JOIN (SELECT event_key, min(kind) AS kind, min(value) AS value, min(method) AS method, min(root) AS root
      FROM marked GROUP BY event_key) AS m ON m.event_key = e.event_key
WHERE e.event_time >= $since AND e.event_time < $until
ORDER BY e.event_time NULLS LAST, e.event_key
