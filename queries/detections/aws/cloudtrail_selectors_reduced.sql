-- ---
-- id = "aws.cloudtrail_selectors_reduced"
-- kind = "detection"
-- title = "A trail was set to record less, or to write elsewhere"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1562.008"]
-- attack_v19 = ["T1685.002"]
-- attack_version = "18.1"
-- description = "A trail or event data store was set to leave out management events, reads or writes, or the events of KMS or the RDS data service; its insights were switched off; it was narrowed to one region, cut off from global services or left without digests; or its bucket was set to one that no earlier change in the logs names for it. What is absent afterwards proves nothing. Denied attempts count, because they show the intent."
-- misses = "Data events taken out of the selectors, because the former selectors are not in the request. A key or a bucket policy that locks the owner out. Rules of the bucket that delete log files."
-- false_positives = ["Saving of costs by the platform team", "The first change of a trail's bucket within the logs"]
-- next_steps = ["Compare with the settings before, for instance in an inventory or a template", "Mark what the trail no longer recorded as unknown from this time on", "List what the same credential did next"]
-- references = ["https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html", "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_UpdateTrail.html", "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_UpdateEventDataStore.html"]
-- ---
WITH trail_changes AS (
  SELECT
    e.*,
    coalesce(
      e.request_name,
      json_extract_string(e.request_parameters, '$.trailName'),
      json_extract_string(e.request_parameters, '$.eventDataStore'),
      e.resource,
      ''
    ) AS trail,
    json_extract_string(e.request_parameters, '$.s3BucketName') AS bucket,
    coalesce(json_extract_string(e.request_parameters, '$.isMultiRegionTrail'),
      json_extract_string(e.request_parameters, '$.multiRegionEnabled'), '') AS multi_region,
    coalesce(json_extract_string(e.request_parameters, '$.includeGlobalServiceEvents'), '') AS global_services,
    coalesce(json_extract_string(e.request_parameters, '$.enableLogFileValidation'), '') AS validation,
    coalesce(json_extract_string(e.request_parameters, '$.insightSelectors'), '') AS insights,
    -- Without blanks and in lower case, so that the texts of different tools can be compared.
    lower(regexp_replace(coalesce(json_extract_string(e.request_parameters, '$.eventSelectors'), ''), '\s', '', 'g')) AS selectors,
    lower(regexp_replace(coalesce(json_extract_string(e.request_parameters, '$.advancedEventSelectors'), ''), '\s', '', 'g')) AS advanced
  FROM aws_event AS e
  WHERE e.event_source = 'cloudtrail.amazonaws.com'
    AND e.event_name_base IN (
      'CreateTrail', 'UpdateTrail', 'PutEventSelectors', 'PutInsightSelectors', 'UpdateEventDataStore'
    )
    AND e.outcome IN ('success', 'denied')
    AND e.event_time < $until
),
named_changes AS (
  SELECT
    *,
    coalesce(account_id, '') || '/' || regexp_replace(trail, '^.*/', '', 'g') AS trail_id
  FROM trail_changes
),
earlier_buckets AS (
  SELECT DISTINCT c.event_key
  FROM named_changes AS c
  JOIN named_changes AS b
    ON b.trail_id = c.trail_id
   AND b.bucket = c.bucket
   AND b.event_time < c.event_time
  WHERE b.outcome = 'success'
),
judged AS (
  SELECT
    c.*,
    CASE
      WHEN c.event_name_base IN ('CreateTrail') THEN ''   -- a new trail takes nothing away
      WHEN contains(c.selectors, '"includemanagementevents":false') THEN 'management events left out'
      WHEN regexp_matches(c.selectors, '"readwritetype":"(readonly|writeonly)"') THEN 'reads or writes left out'
      WHEN regexp_matches(c.selectors, '"excludemanagementeventsources":\x5b[^\]]*"(kms|rdsdata)\.amazonaws\.com"')
        THEN 'a service left out'
      WHEN c.advanced <> '' AND NOT contains(c.advanced, '"management"') THEN 'management events left out'
      -- The field must stand in the selector of management events: data and network events have it as a rule.
      WHEN regexp_matches(c.advanced, '"management"(\]\},|\],|[^\]])*"field":"readonly"|"field":"readonly"(\]\},|\],|[^\]])*"management"')
        THEN 'reads or writes left out'
      WHEN regexp_matches(c.advanced, '"management"(\]\},|\],|[^\]])*"field":"eventsource"|"field":"eventsource"(\]\},|\],|[^\]])*"management"')
        THEN 'a service left out'
      WHEN c.event_name_base = 'PutInsightSelectors' AND regexp_matches(c.insights, '^\[\s*\]$') THEN 'insights switched off'
      WHEN c.multi_region = 'false' THEN 'one region only'
      WHEN c.global_services = 'false' THEN 'global services left out'
      WHEN c.validation = 'false' THEN 'no digests'
      WHEN c.event_name_base = 'UpdateTrail' AND c.bucket IS NOT NULL AND b.event_key IS NULL THEN 'another bucket'
      ELSE ''
    END AS reduction
  FROM named_changes AS c
  LEFT JOIN earlier_buckets AS b ON b.event_key = c.event_key
)
SELECT
  coalesce(actor, '') || '|' || coalesce(credential_id, '') || '|' || strftime(event_time, '%Y-%m-%d') AS finding_key,
  event_time,
  actor,
  event_name_base AS action,
  nullif(trail, '') AS resource,
  source_ip,
  credential_id,
  account_id,
  region,
  outcome,
  event_key,
  evidence,
  reduction,
  bucket,
  session_name,
  invoked_by,
  user_agent
FROM judged
WHERE reduction <> ''
  AND event_time >= $since
  AND event_time < $until
ORDER BY event_time NULLS LAST, event_key
