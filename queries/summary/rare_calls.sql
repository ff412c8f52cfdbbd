-- ---
-- id = "summary.rare_calls"
-- kind = "summary"
-- title = "The rarest calls, for a look by eye"
-- sources = ["aws_cloudtrail"]
-- description = "One row a call of AWS that a single principal made, at most three times in all the evidence, and at least once in the window. What an intruder does only once hides here, and so do many harmless things."
-- ---
SELECT
  event_source,
  event_name_base AS action,
  min(actor) AS actor,
  count(*) AS calls,
  count(*) FILTER (WHERE outcome <> 'success') AS refused,
  count(DISTINCT source_ip) AS addresses,
  min(event_time) AS first_time,
  max(event_time) AS last_time,
  min(event_key) AS first_event_key
FROM aws_event
WHERE coalesce(identity_type, '') <> 'AWSService'
GROUP BY event_source, event_name_base
HAVING count(DISTINCT actor) <= 1
  AND count(*) <= 3
  AND count(*) FILTER (WHERE event_time >= $since AND event_time < $until) > 0
ORDER BY calls NULLS LAST, first_time NULLS LAST, event_source NULLS LAST, event_name_base NULLS LAST, min(event_key)
