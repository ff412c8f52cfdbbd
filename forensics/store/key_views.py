"""Views of the key inventory: which of its rows stand, and which successful read reached the place of which key."""

from __future__ import annotations

#: What the newest list of each owner says of a provider's keys.
_LISTED = """
  SELECT coalesce(provider, '') AS provider, coalesce(owner, '') AS owner, coalesce(key_id, '') AS key_id,
    coalesce(key_sha256, '') AS sha256, coalesce(hint, '') AS hint, coalesce(key_name, '') AS name
  FROM provider_key
  QUALIFY row_number() OVER (
    PARTITION BY provider, owner, coalesce(key_id, key_sha256, key_name, hint)
    ORDER BY received_at DESC NULLS LAST, event_key) = 1"""

#: A redacted form is cut at dots or asterisks: what stands before the first cut, and after the last.
_CUT = r"string_split_regex(trim(hint), '\.{2,}|\x{2026}|\*{2,}')"

#: Rows of the key inventory as each version has them, with the id that another name gives where a row has none: by the
#: rules of `forensics.analysis.inventory.aliases`, which a test compares. A hash names a key of the provider; hint and
#: name one of the owner, and only if both leave one; a place alone only a key that has not left it.
AI_KEY_STATED = (
    """
CREATE VIEW ai_key_stated AS
WITH told AS (
  SELECT k.event_key, k.as_of, coalesce(o.file_sha256, '') AS file, coalesce(o.member_path, '') AS member,
    coalesce(r.owner, k.owner, '') AS holder,
    coalesce(r.received_at, r.read_at, k.received_at, TIMESTAMP '1970-01-01 00:00:00') AS received,
    coalesce(k.key_provider, k.provider, 'unknown') AS provider, coalesce(k.customer, '') AS customer,
    coalesce(k.key_id, '') AS key_id, coalesce(k.key_sha256, '') AS sha256, coalesce(k.hint, '') AS hint,
    coalesce(k.key_name, '') AS name, coalesce(k.location, '') AS location,
    coalesce(k.location_kind, '') || '|' || coalesce(k.location_region, '') || '|' || coalesce(k.location, '') AS place,
    k.created_at, k.rotated_at, k.revoked_at
  FROM ai_key AS k
  LEFT JOIN occurrence AS o ON o.event_key = k.event_key AND o.table_name = 'ai_key'
    AND o.file_sha256 NOT IN (SELECT file_sha256 FROM withdrawal)
  LEFT JOIN receipt AS r ON r.receipt_id = o.receipt_id),
listed AS ("""
    + _LISTED
    + """),
named AS (
  SELECT *, """
    + f"{_CUT}[-1] AS tail, CASE WHEN len({_CUT}) > 1 THEN {_CUT}[1] ELSE '' END AS head"
    + """
  FROM (
    SELECT DISTINCT provider, customer AS owner, key_id, sha256, hint, name, location, place FROM told WHERE key_id <> ''
    UNION SELECT provider, holder, key_id, sha256, hint, name, location, place FROM told WHERE key_id <> ''
    UNION SELECT provider, owner, key_id, sha256, hint, name, '', '' FROM listed WHERE key_id <> '')),
times AS (
  SELECT provider, key_id, coalesce(list(DISTINCT created_at) FILTER (WHERE created_at IS NOT NULL), []) AS made,
    coalesce(list(DISTINCT rotated_at) FILTER (WHERE rotated_at IS NOT NULL), []) AS rotated,
    coalesce(list(DISTINCT revoked_at) FILTER (WHERE revoked_at IS NOT NULL), []) AS revoked
  FROM told WHERE key_id <> '' GROUP BY provider, key_id),
open AS (
  SELECT *, """
    + f"{_CUT}[-1] AS tail, CASE WHEN len({_CUT}) > 1 THEN {_CUT}[1] ELSE '' END AS head"
    + """
  FROM told WHERE key_id = ''),
fits AS (
  SELECT DISTINCT o.event_key, o.holder, n.key_id, 'sha256' AS how
  FROM open AS o JOIN named AS n ON n.provider = o.provider AND n.sha256 = o.sha256
  WHERE o.sha256 <> ''
  UNION
  SELECT o.event_key, o.holder, n.key_id, 'hint'
  FROM open AS o JOIN named AS n ON n.provider = o.provider AND n.owner IN (o.customer, o.holder)
  WHERE n.owner <> '' AND o.hint <> '' AND n.hint <> '' AND least(length(o.tail), length(n.tail)) >= 4
    AND CASE WHEN length(o.tail) <= length(n.tail) THEN suffix(n.tail, o.tail) ELSE suffix(o.tail, n.tail) END
    AND CASE WHEN length(o.head) <= length(n.head) THEN starts_with(n.head, o.head) ELSE starts_with(o.head, n.head) END
  UNION
  SELECT o.event_key, o.holder, n.key_id, 'name'
  FROM open AS o JOIN named AS n ON n.provider = o.provider AND n.owner IN (o.customer, o.holder) AND n.name = o.name
  WHERE n.owner <> '' AND o.name <> ''
  UNION
  SELECT o.event_key, o.holder, n.key_id, 'place'
  FROM open AS o
  JOIN named AS n ON n.provider = o.provider AND n.owner IN (o.customer, o.holder) AND n.place = o.place
  JOIN times AS t ON t.provider = n.provider AND t.key_id = n.key_id
  WHERE n.owner <> '' AND o.location <> '' AND n.location <> '' AND o.sha256 = '' AND o.hint = '' AND o.name = ''
    AND (o.created_at IS NULL OR len(t.made) = 0 OR list_contains(t.made, o.created_at))
    AND (len(t.rotated) + len(t.revoked) = 0 OR coalesce(list_contains(t.rotated, o.rotated_at), FALSE)
      OR coalesce(list_contains(t.revoked, o.revoked_at), FALSE))),
counted AS (
  SELECT event_key, holder, key_id, bool_or(how = 'sha256') AS by_hash, bool_or(how = 'hint') AS by_hint,
    bool_or(how = 'name') AS by_name
  FROM fits GROUP BY event_key, holder, key_id),
decided AS (
  SELECT event_key, holder,
    CASE
      WHEN bool_or(by_hash) THEN CASE WHEN count(*) FILTER (WHERE by_hash) = 1 THEN min(key_id) FILTER (WHERE by_hash) END
      WHEN bool_or(by_hint AND by_name)
        THEN CASE WHEN count(*) FILTER (WHERE by_hint AND by_name) = 1 THEN min(key_id) FILTER (WHERE by_hint AND by_name) END
      WHEN count(*) = 1 THEN min(key_id)
    END AS found_id
  FROM counted GROUP BY event_key, holder)
SELECT t.* REPLACE (coalesce(d.found_id, t.key_id) AS key_id)
FROM told AS t
LEFT JOIN decided AS d ON t.key_id = '' AND d.event_key = t.event_key AND d.holder = t.holder
"""
)

#: Rows of the key inventory that stand: of each key those of the newest version that names it, by the time it speaks of,
#: then its receipt. A version is a received file; what a later one leaves out stays known. Two rows are of one key by
#: id (also one that another name gives), else by hash, else by name or hint within a customer, else by place.
AI_KEY_STANDING = """
CREATE VIEW ai_key_standing AS
WITH stated AS (
  SELECT event_key, as_of, file, member, holder, received, key_id,
    provider || '|' || CASE
      WHEN key_id <> '' THEN 'id|' || key_id
      WHEN sha256 <> '' THEN 'sha256|' || sha256
      WHEN name <> '' THEN 'name|' || customer || '|' || name
      WHEN hint <> '' THEN 'hint|' || customer || '|' || hint
      ELSE 'place|' || place
    END AS identity
  FROM ai_key_stated),
version AS (
  SELECT file, member, holder, max(as_of) AS as_of, min(received) AS received FROM stated GROUP BY file, member, holder),
newest AS (
  SELECT s.identity, s.file, s.member, s.holder
  FROM stated AS s
  JOIN version AS v ON v.file = s.file AND v.member = s.member AND v.holder = s.holder
  QUALIFY row_number() OVER (
    PARTITION BY s.identity
    ORDER BY coalesce(s.as_of, v.as_of, v.received) DESC, coalesce(v.as_of, v.received) DESC, v.received DESC, s.file DESC,
      s.member DESC, s.holder DESC, s.event_key) = 1),
stands AS (
  SELECT s.event_key, max(s.key_id) AS found_id
  FROM stated AS s
  JOIN newest AS n ON n.identity = s.identity AND n.file = s.file AND n.member = s.member AND n.holder = s.holder
  GROUP BY s.event_key)
SELECT k.* REPLACE (coalesce(k.key_id, nullif(s.found_id, '')) AS key_id)
FROM ai_key AS k
JOIN stands AS s ON s.event_key = k.event_key
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
