-- ---
-- id = "summary.intruder_resources"
-- kind = "summary"
-- title = "Every resource the intruder touched"
-- sources = ["aws_cloudtrail"]
-- description = "One row a resource that what is held to be the intruder's named in a call, or that AWS recorded with the call: how often it was read, changed and refused, and by how many credentials. What belongs to the intruder is what `keytrail exposure` last derived from the settings; before it ran, this is empty."
-- ---
WITH intruder_events AS (
  SELECT e.event_key FROM aws_event AS e JOIN tainted AS t ON t.kind = 'credential' AND t.value = e.credential_id
  WHERE e.event_time >= t.since
  UNION
  SELECT e.event_key FROM aws_event AS e JOIN tainted AS t ON t.kind = 'address' AND t.value = e.source_ip
  WHERE e.event_time >= t.since
  UNION
  SELECT e.event_key FROM aws_event AS e JOIN tainted AS t ON t.kind = 'principal' AND t.value = e.actor
  WHERE e.event_time >= t.since
),
touched AS (
  SELECT i.event_key, e.resource AS touched FROM intruder_events AS i JOIN aws_event AS e ON e.event_key = i.event_key
  WHERE e.resource IS NOT NULL
  UNION
  SELECT i.event_key, n.value AS touched FROM intruder_events AS i JOIN aws_event_item AS n ON n.event_key = i.event_key
  WHERE n.kind IN ('secret', 'parameter', 'parameter_path', 'function', 'instance', 'resource_arn')
)
SELECT
  t.touched AS resource,
  e.event_source,
  count(*) FILTER (WHERE e.outcome = 'success' AND coalesce(e.read_only, TRUE)) AS reads,
  count(*) FILTER (WHERE e.outcome = 'success' AND NOT coalesce(e.read_only, TRUE)) AS changes,
  count(*) FILTER (WHERE e.outcome <> 'success') AS refused,
  count(DISTINCT e.credential_id) AS credentials,
  min(e.event_time) AS first_time,
  max(e.event_time) AS last_time,
  min(e.event_key) AS first_event_key
FROM touched AS t
JOIN aws_event AS e ON e.event_key = t.event_key
WHERE e.event_time >= $since
  AND e.event_time < $until
GROUP BY t.touched, e.event_source
ORDER BY first_time NULLS LAST, t.touched NULLS LAST, e.event_source NULLS LAST, min(e.event_key)
