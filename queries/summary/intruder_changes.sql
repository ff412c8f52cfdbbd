-- ---
-- id = "summary.intruder_changes"
-- kind = "summary"
-- title = "Every change the intruder made, the list to undo"
-- sources = ["aws_cloudtrail"]
-- description = "One row for each kind of change and thing changed by what is held to be the intruder's: calls that are not marked as read-only, denied ones too, with first and last time, the number of calls and one event to look at. What belongs to the intruder is what `keytrail exposure` last derived from the settings; before it ran, this is empty."
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
)
SELECT
  e.event_source,
  e.event_name_base AS action,
  e.resource,
  e.outcome,
  e.actor,
  e.credential_id,
  e.account_id,
  e.region,
  min(e.event_time) AS first_time,
  max(e.event_time) AS last_time,
  count(*) AS calls,
  min(e.event_key) AS first_event_key
FROM intruder_events AS i
JOIN aws_event AS e ON e.event_key = i.event_key
WHERE NOT coalesce(e.read_only, TRUE)
  AND e.event_time >= $since
  AND e.event_time < $until
GROUP BY e.event_source, e.event_name_base, e.resource, e.outcome, e.actor, e.credential_id, e.account_id, e.region
ORDER BY first_time NULLS LAST, e.event_source NULLS LAST, e.event_name_base NULLS LAST, e.resource NULLS LAST, min(e.event_key)
