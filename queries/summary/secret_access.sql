-- ---
-- id = "summary.secret_access"
-- kind = "summary"
-- title = "The ledger of all accesses to stored secrets, parameters and function configurations"
-- sources = ["aws_cloudtrail"]
-- description = "One row for each principal, session, credential, address, secret, kind of access and outcome, with first and last time and the number of accesses. Refused accesses stand here too. Accesses that a service made for the principal name the service."
-- ---
SELECT
  location_kind,
  location,
  access,
  outcome,
  actor,
  session_name,
  credential_id,
  source_ip,
  vpc_endpoint_id,
  invoked_by,
  account_id,
  region,
  min(event_time) AS first_time,
  max(event_time) AS last_time,
  count(*) AS accesses,
  min(event_key) AS first_event_key
FROM secret_access
WHERE event_time >= $since
  AND event_time < $until
GROUP BY location_kind, location, access, outcome, actor, session_name, credential_id, source_ip, vpc_endpoint_id,
  invoked_by, account_id, region
ORDER BY location_kind NULLS LAST, location NULLS LAST, first_time NULLS LAST, actor NULLS LAST, credential_id NULLS LAST,
  min(event_key)
