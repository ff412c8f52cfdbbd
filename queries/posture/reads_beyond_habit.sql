-- ---
-- id = "posture.reads_beyond_habit"
-- kind = "exposure"
-- title = "Stored secrets read by principals that never had before"
-- severity = "info"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = []
-- description = "Successful reads of secrets and parameters since the end of the baseline by an actor that had read that one never before: what its rights allowed beyond its work."
-- misses = "Without a baseline nothing is compared."
-- ---
WITH usual AS (
  SELECT actor, location_kind, location FROM secret_access
  WHERE outcome = 'success' AND event_time < $baseline_until
  GROUP BY actor, location_kind, location)
SELECT a.actor, count(DISTINCT a.location) AS secrets, count(*) AS reads, min(a.event_time) AS first_read, min(a.event_key) AS event_key
FROM secret_access AS a
LEFT JOIN usual AS u ON u.actor = a.actor AND u.location_kind = a.location_kind AND u.location = a.location
WHERE a.outcome = 'success' AND u.actor IS NULL AND a.invoked_by IS NULL
  AND a.event_time >= $baseline_until AND a.event_time >= $since AND a.event_time < $until
GROUP BY a.actor
ORDER BY a.actor NULLS LAST, min(a.event_key)
