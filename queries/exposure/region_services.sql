-- ---
-- id = "exposure.region_services"
-- kind = "exposure"
-- title = "Which services of a region are in the evidence"
-- severity = "info"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- description = "Events of each service by account and region, data events apart, and of S3 and DynamoDB data events by bucket or table: whether reads of a place could show at all."
-- misses = "A service without events may be unused or not logged."
-- ---
SELECT e.account_id, e.region, e.event_source, coalesce(e.event_category, '') = 'Data' AS is_data,
       CASE WHEN coalesce(e.event_category, '') = 'Data'
         THEN coalesce(e.request_bucket, json_extract_string(e.request_parameters, '$.tableName'), '') ELSE '' END AS store,
       count(*) AS events, min(e.event_key) AS event_key
FROM aws_event AS e
WHERE e.event_time >= $since AND e.event_time < $until AND e.region IS NOT NULL
GROUP BY e.account_id, e.region, e.event_source, coalesce(e.event_category, '') = 'Data',
         CASE WHEN coalesce(e.event_category, '') = 'Data'
           THEN coalesce(e.request_bucket, json_extract_string(e.request_parameters, '$.tableName'), '') ELSE '' END
ORDER BY e.account_id NULLS LAST, e.region NULLS LAST, e.event_source NULLS LAST, is_data NULLS LAST, store NULLS LAST, min(e.event_key)
