-- ---
-- id = "exposure.region_hours"
-- kind = "exposure"
-- title = "Hours with events, by account and region"
-- severity = "info"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- description = "Hours of the window in which CloudTrail events of an account and region are in the evidence, with the event sources whose reads matter for stored keys."
-- misses = "An hour without events may be quiet or missing."
-- ---
SELECT e.account_id, e.region, e.event_epoch // 3600 AS hour,
       count(*) AS events,
       CAST(sum(CASE WHEN e.event_source = 'secretsmanager.amazonaws.com' THEN 1 ELSE 0 END) AS BIGINT) AS secret_events,
       CAST(sum(CASE WHEN e.event_source = 'ssm.amazonaws.com' THEN 1 ELSE 0 END) AS BIGINT) AS parameter_events,
       CAST(sum(CASE WHEN e.event_source = 'lambda.amazonaws.com' THEN 1 ELSE 0 END) AS BIGINT) AS function_events
FROM aws_event AS e
WHERE e.event_time >= $since AND e.event_time < $until AND e.region IS NOT NULL
GROUP BY e.account_id, e.region, e.event_epoch // 3600
ORDER BY e.account_id NULLS LAST, e.region NULLS LAST, hour NULLS LAST, min(e.event_key)
