"""View that joins the key inventory with the logs: which successful read reached the place of which key."""

from __future__ import annotations

_SHARED = """event_key, event_time, event_epoch, coalesce(actor, '') AS reader, actor, session_name, credential_id, source_ip,
    source_class, account_id, region, action, evidence, owner"""

#: One row a successful read of a place where, by the inventory, a key stands. A read of a path reaches all below it.
#: Services that read for themselves are no readers. `key` is the key's id, else its name, else its place,
#: `key_ref` that with its provider.
KEY_READ = f"""
CREATE VIEW key_read AS
WITH places AS (
  SELECT key_provider AS provider, coalesce(key_id, key_name, location) AS key, min(customer) AS customer, location_kind,
    location_region, location
  FROM ai_key
  WHERE location IS NOT NULL
  GROUP BY key_provider, coalesce(key_id, key_name, location), location_kind, location_region, location),
reads AS (
  SELECT {_SHARED}, access, location_kind, location
  FROM secret_access
  WHERE outcome = 'success' AND coalesce(identity_type, '') <> 'AWSService'
  UNION ALL
  SELECT {_SHARED.replace("action,", "event_name_base AS action,")}, 'read', 's3',
    request_bucket || '/' || request_object_key
  FROM aws_event
  WHERE event_source = 's3.amazonaws.com' AND event_name_base = 'GetObject' AND outcome = 'success'
    AND coalesce(identity_type, '') <> 'AWSService')
SELECT p.provider || '|' || p.key AS key_ref, p.provider, p.key, p.customer, r.*
FROM places AS p
JOIN reads AS r ON r.location_kind = p.location_kind AND r.location = p.location
WHERE p.location_region IS NULL OR p.location_region = r.region
UNION ALL
SELECT p.provider || '|' || p.key AS key_ref, p.provider, p.key, p.customer, r.*
FROM places AS p
JOIN reads AS r ON p.location_kind = 'ssm' AND r.location_kind = 'ssm_path'
  AND starts_with(p.location, rtrim(r.location, '/') || '/')
WHERE p.location_region IS NULL OR p.location_region = r.region
"""
