-- ---
-- id = "summary.access_keys"
-- kind = "summary"
-- title = "Every access key and session that was used or issued"
-- sources = ["aws_cloudtrail"]
-- description = "One row a credential with its class, who used it, which call issued it and to whom, first and last use, and counts. A credential that was issued but not used in the window stands here with zero events."
-- ---
WITH uses AS (
  SELECT
    credential_id,
    min(credential_class) AS credential_class,
    min(actor) AS actor,
    count(DISTINCT actor) AS actors,
    min(event_time) AS first_used,
    max(event_time) AS last_used,
    count(*) AS events,
    count(*) FILTER (WHERE outcome = 'denied') AS denied,
    count(*) FILTER (WHERE NOT coalesce(read_only, TRUE)) AS changes,
    count(DISTINCT source_ip) AS addresses,
    count(DISTINCT region) AS regions,
    min(event_key) AS first_event_key
  FROM aws_event
  WHERE credential_id IS NOT NULL
    AND event_time >= $since
    AND event_time < $until
  GROUP BY credential_id
),
issues AS (
  SELECT credential_id, issued_at, method, parent_credential_id, parent_actor, principal, event_key
  FROM credential
  WHERE issued_at < $until
  QUALIFY row_number() OVER (PARTITION BY credential_id ORDER BY issued_at NULLS LAST, event_key) = 1
)
SELECT
  coalesce(u.credential_id, i.credential_id) AS credential_id,
  coalesce(u.credential_class, substr(i.credential_id, 1, 4)) AS credential_class,
  coalesce(u.actor, i.principal) AS actor,
  coalesce(u.actors, 0) AS actors,
  i.issued_at,
  i.method AS issued_by_call,
  i.parent_credential_id,
  i.parent_actor,
  u.first_used,
  u.last_used,
  coalesce(u.events, 0) AS events,
  coalesce(u.denied, 0) AS denied,
  coalesce(u.changes, 0) AS changes,
  coalesce(u.addresses, 0) AS addresses,
  coalesce(u.regions, 0) AS regions,
  coalesce(u.first_event_key, i.event_key) AS first_event_key
FROM uses AS u
FULL JOIN issues AS i ON i.credential_id = u.credential_id
WHERE u.credential_id IS NOT NULL
   OR i.issued_at >= $since
ORDER BY u.first_used NULLS LAST, i.issued_at NULLS LAST, coalesce(u.credential_id, i.credential_id) NULLS LAST,
  first_event_key
