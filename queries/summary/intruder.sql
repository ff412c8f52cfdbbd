-- ---
-- id = "summary.intruder"
-- kind = "summary"
-- title = "Credentials, addresses and principals held to be the intruder's, and what they did"
-- sources = ["aws_cloudtrail"]
-- description = "One row a credential, address or principal that the case knows or derived, with how (stated, issued by, created by, used from), from what, and the independent root it rests on, and its acts from then on: calls, denied ones, changes, services, secrets read. principals counts who else used it: a shared address ties little. What belongs to the intruder is what `keytrail exposure` last derived from the settings; before it ran, this is empty."
-- ---
SELECT
  t.kind,
  t.value,
  t.since,
  t.method,
  t.parent,
  t.root,
  count(e.event_key) AS events,
  count(e.event_key) FILTER (WHERE e.outcome = 'denied') AS denied,
  count(e.event_key) FILTER (WHERE NOT coalesce(e.read_only, TRUE)) AS changes,
  count(DISTINCT e.event_source) AS services,
  count(DISTINCT e.actor) AS principals,
  count(DISTINCT e.source_ip) AS addresses,
  min(e.event_time) AS first_seen,
  max(e.event_time) AS last_seen,
  min(e.event_key) AS first_event_key
FROM tainted AS t
LEFT JOIN aws_event AS e
  ON t.value = CASE t.kind WHEN 'address' THEN e.source_ip WHEN 'principal' THEN e.actor ELSE e.credential_id END
 AND e.event_time >= t.since
 AND e.event_time >= $since
 AND e.event_time < $until
GROUP BY t.kind, t.value, t.since, t.method, t.parent, t.root
ORDER BY t.since NULLS LAST, t.kind NULLS LAST, t.value NULLS LAST, min(e.event_key)
