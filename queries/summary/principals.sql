-- ---
-- id = "summary.principals"
-- kind = "summary"
-- title = "Every principal of the CloudTrail events: when, where from, what"
-- sources = ["aws_cloudtrail"]
-- description = "One row a principal and account with first and last event, counts of events, refusals, changes and secret reads, and how many addresses, regions, services and credentials were used. Calls that a service made for the principal are counted apart."
-- ---
WITH reads AS (
  SELECT actor, account_id, count(DISTINCT location_kind || ':' || location) AS secrets_read
  FROM secret_access
  WHERE outcome = 'success' AND event_time >= $since AND event_time < $until
  GROUP BY actor, account_id
)
SELECT
  e.actor,
  e.account_id,
  min(e.identity_type) AS identity_type,
  min(e.event_time) AS first_seen,
  max(e.event_time) AS last_seen,
  count(*) AS events,
  count(*) FILTER (WHERE e.outcome = 'denied') AS denied,
  count(*) FILTER (WHERE e.outcome = 'failure') AS failed,
  count(*) FILTER (WHERE NOT coalesce(e.read_only, TRUE)) AS changes,
  count(*) FILTER (WHERE coalesce(e.invoked_by, '') <> '') AS by_service,
  coalesce(max(r.secrets_read), 0) AS secrets_read,
  count(DISTINCT e.source_ip) AS addresses,
  count(DISTINCT e.region) AS regions,
  count(DISTINCT e.event_source) AS services,
  count(DISTINCT e.event_source || ':' || e.event_name_base) AS calls,
  count(DISTINCT e.credential_id) AS credentials,
  min(e.event_key) AS first_event_key
FROM aws_event AS e
LEFT JOIN reads AS r ON r.actor = e.actor AND coalesce(r.account_id, '') = coalesce(e.account_id, '')
WHERE e.event_time >= $since
  AND e.event_time < $until
GROUP BY e.actor, e.account_id
ORDER BY events DESC NULLS LAST, e.actor NULLS LAST, e.account_id NULLS LAST, min(e.event_key)
