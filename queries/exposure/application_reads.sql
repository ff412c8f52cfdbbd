-- ---
-- id = "exposure.application_reads"
-- kind = "exposure"
-- title = "Reads of keys that applications and databases logged"
-- severity = "info"
-- confidence = "medium"
-- sources = []
-- description = "Events that a column map declares to be reads of a key, with every name by which they tell the key (id, SHA-256, hint, name, place) and whose it is, the reads of the same thing by the same actor before the baseline ended, and whether the address, actor or credential is held to be the intruder's."
-- misses = "Reads that the application does not log. What a map calls a read is the statement of whoever wrote the map."
-- ---
WITH usual AS (
  SELECT coalesce(actor, actor_email, '') AS reader,
    coalesce(key_id, key_sha256, location, customer || '|' || key_name, key_name, hint, resource, '') AS thing, count(*) AS reads
  FROM other_event
  WHERE kind = 'key_read' AND coalesce(outcome, 'success') = 'success' AND event_time < $baseline_until
  GROUP BY coalesce(actor, actor_email, ''),
    coalesce(key_id, key_sha256, location, customer || '|' || key_name, key_name, hint, resource, '')
),
marked AS (
  SELECT o.event_key, min(t.value) AS tainted_value, min(t.root) AS root
  FROM other_event AS o
  JOIN tainted AS t
    ON o.event_time >= t.since
   AND t.value = CASE t.kind WHEN 'address' THEN o.source_ip WHEN 'principal' THEN o.actor
                             WHEN 'credential' THEN o.credential ELSE o.actor END
  WHERE o.kind = 'key_read'
  GROUP BY o.event_key
)
SELECT o.event_time, o.event_key, 'read' AS access, coalesce(o.action, 'key_read') AS action, 'application' AS location_kind,
       coalesce(o.location, o.resource) AS location, o.key_id, o.key_sha256, o.hint, o.key_name, o.key_provider, o.customer,
       o.provider AS system, o.owner, o.region, o.account AS account_id,
       coalesce(o.actor, o.actor_email) AS actor, CAST(NULL AS VARCHAR) AS session_name, o.credential AS credential_id,
       o.source_ip, CAST(NULL AS VARCHAR) AS invoked_by, coalesce(o.outcome, 'success') AS outcome,
       coalesce(u.reads, 0) AS usual_reads, o.evidence, m.tainted_value AS tainted_address, m.root
FROM other_event AS o
LEFT JOIN usual AS u
  ON u.reader = coalesce(o.actor, o.actor_email, '') AND u.thing = coalesce(o.key_id, o.key_sha256, o.location, o.customer || '|' || o.key_name, o.key_name, o.hint, o.resource, '')
LEFT JOIN marked AS m ON m.event_key = o.event_key
WHERE o.kind = 'key_read' AND o.event_time >= $since AND o.event_time < $until
ORDER BY o.event_time NULLS LAST, location NULLS LAST, o.event_key
