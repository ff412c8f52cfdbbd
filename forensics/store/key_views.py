"""Views of the key inventory: which of its rows stand, and which successful read reached the place of which key."""

from __future__ import annotations

#: Rows of the key inventory that stand: of each key those of the newest version that names it, by the time it speaks of,
#: then its receipt. A version is a received file; what a later one leaves out stays known. Two rows are of one key by
#: id, else by hash, else by name or hint within a customer, else by place; what only an alias tells is not joined here.
AI_KEY_STANDING = """
CREATE VIEW ai_key_standing AS
WITH stated AS (
  SELECT k.event_key, k.as_of, coalesce(o.file_sha256, '') AS file, coalesce(o.member_path, '') AS member,
    coalesce(r.owner, k.owner, '') AS holder,
    coalesce(r.received_at, r.read_at, k.received_at, TIMESTAMP '1970-01-01 00:00:00') AS received,
    coalesce(k.key_provider, k.provider, 'unknown') || '|' || CASE
      WHEN coalesce(k.key_id, '') <> '' THEN 'id|' || k.key_id
      WHEN coalesce(k.key_sha256, '') <> '' THEN 'sha256|' || k.key_sha256
      WHEN coalesce(k.key_name, '') <> '' THEN 'name|' || coalesce(k.customer, '') || '|' || k.key_name
      WHEN coalesce(k.hint, '') <> '' THEN 'hint|' || coalesce(k.customer, '') || '|' || k.hint
      ELSE 'place|' || coalesce(k.location_kind, '') || '|' || coalesce(k.location_region, '') || '|' || coalesce(k.location, '')
    END AS identity
  FROM ai_key AS k
  LEFT JOIN occurrence AS o ON o.event_key = k.event_key AND o.table_name = 'ai_key'
    AND o.file_sha256 NOT IN (SELECT file_sha256 FROM withdrawal)
  LEFT JOIN receipt AS r ON r.receipt_id = o.receipt_id),
version AS (
  SELECT file, member, holder, max(as_of) AS as_of, min(received) AS received FROM stated GROUP BY file, member, holder),
newest AS (
  SELECT s.identity, s.file, s.member, s.holder
  FROM stated AS s
  JOIN version AS v ON v.file = s.file AND v.member = s.member AND v.holder = s.holder
  QUALIFY row_number() OVER (
    PARTITION BY s.identity
    ORDER BY coalesce(s.as_of, v.as_of, v.received) DESC, coalesce(v.as_of, v.received) DESC, v.received DESC, s.file DESC,
      s.member DESC, s.holder DESC, s.event_key) = 1)
SELECT k.*
FROM ai_key AS k
WHERE k.event_key IN (
  SELECT s.event_key FROM stated AS s
  JOIN newest AS n ON n.identity = s.identity AND n.file = s.file AND n.member = s.member AND n.holder = s.holder)
"""

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
  FROM ai_key_standing
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
