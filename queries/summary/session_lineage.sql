-- ---
-- id = "summary.session_lineage"
-- kind = "summary"
-- title = "Which credential handed out which, and what was done with it"
-- sources = ["aws_cloudtrail"]
-- description = "One row an issue of a credential (a session or an access key) with the credential and principal that asked for it, and the uses of the issued credential afterwards. issued_address and used_addresses help to see a session leave its place. Follow parent_credential_id to walk up."
-- ---
WITH uses AS (
  SELECT
    credential_id,
    count(*) AS uses,
    count(*) FILTER (WHERE outcome = 'denied') AS denied,
    count(*) FILTER (WHERE NOT coalesce(read_only, TRUE)) AS changes,
    min(event_time) AS first_used,
    max(event_time) AS last_used,
    count(DISTINCT source_ip) AS used_addresses,
    min(source_ip) AS one_used_address,
    count(DISTINCT event_source || ':' || event_name_base) AS distinct_calls
  FROM aws_event
  WHERE credential_id IS NOT NULL
    AND event_time < $until
  GROUP BY credential_id
)
SELECT
  c.issued_at,
  c.method,
  c.parent_credential_id,
  c.parent_actor,
  c.credential_id,
  c.principal,
  e.source_ip AS issued_address,
  e.request_role_session AS requested_session,
  e.account_id,
  e.region,
  coalesce(u.uses, 0) AS uses,
  coalesce(u.denied, 0) AS denied,
  coalesce(u.changes, 0) AS changes,
  u.first_used,
  u.last_used,
  coalesce(u.used_addresses, 0) AS used_addresses,
  CASE WHEN u.used_addresses = 1 THEN u.one_used_address END AS used_address,
  coalesce(u.distinct_calls, 0) AS distinct_calls,
  c.confidence,
  c.event_key,
  e.evidence
FROM credential AS c
JOIN aws_event AS e ON e.event_key = c.event_key
LEFT JOIN uses AS u ON u.credential_id = c.credential_id
WHERE c.issued_at >= $since
  AND c.issued_at < $until
ORDER BY c.issued_at NULLS LAST, c.credential_id NULLS LAST, c.event_key
