-- ---
-- id = "aws.bedrock_region_first_used"
-- kind = "detection"
-- title = "Models were invoked in a region where the account never used Bedrock"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["bedrock_events"]
-- attack = ["T1535", "T1496.004"]
-- attack_v19 = ["T1535", "T1496.004"]
-- attack_version = "18.1"
-- atlas = ["AML.T0040"]
-- baseline_days = 7
-- description = "A principal invoked a model in a region, or through a profile that served it in a region, in which nobody of the account invoked one in the baseline. Thieves of credentials go through the regions for quota and for missing logs. Denied and failed invocations count in the incident, only successful ones make a region known. Of each principal, region and outcome the first invocation is listed, invocations counts them. An account that invoked too little in the baseline carries baseline_state none."
-- misses = "A region the account used at least once. Regions whose logs were not supplied."
-- false_positives = ["A move for capacity or failover", "A new model that is offered in one region only"]
-- next_steps = ["Ask the team that runs the models whether it uses the region", "Look at the setting of invocation logging in that region", "List models and credentials of the region"]
-- references = ["https://docs.aws.amazon.com/bedrock/latest/userguide/models-regions.html", "https://docs.aws.amazon.com/bedrock/latest/userguide/cross-region-inference.html"]
--
-- [params]
-- min_baseline_invocations = { type = "integer", doc = "Invocations the account must have in the baseline for its regions to be known", default = 20 }
-- ---
WITH invocations AS (
  SELECT
    event_key,
    event_time,
    coalesce(account_id, '') AS account,
    coalesce(actor, '') AS principal,
    outcome,
    coalesce(json_extract_string(additional_event_data, '$.inferenceRegion'), region, '') AS used_region
  FROM aws_event
  WHERE event_source = 'bedrock.amazonaws.com'
    AND event_name_base IN ('InvokeModel', 'InvokeModelWithResponseStream', 'InvokeModelWithBidirectionalStream', 'Converse', 'ConverseStream')
),
baselines AS (
  SELECT account, count(*) AS invocations FROM invocations WHERE event_time < $baseline_until GROUP BY account
),
known_regions AS (
  SELECT DISTINCT account, used_region FROM invocations WHERE event_time < $baseline_until AND outcome = 'success'
),
new_invocations AS (
  SELECT
    i.event_key,
    i.account,
    i.used_region,
    row_number() OVER (
      PARTITION BY i.account, i.used_region, i.principal, i.outcome ORDER BY i.event_time NULLS LAST, i.event_key
    ) AS place,
    count(*) OVER (
      PARTITION BY i.account, i.used_region, i.principal, i.outcome ORDER BY i.event_time NULLS LAST, i.event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS invocations
  FROM invocations AS i
  LEFT JOIN known_regions AS k ON k.account = i.account AND k.used_region = i.used_region
  WHERE k.account IS NULL
    AND i.event_time >= $since
    AND i.event_time < $until
    AND i.event_time >= $baseline_until
)
SELECT
  n.account || '|' || n.used_region AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  e.resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  CASE WHEN coalesce(b.invocations, 0) >= $min_baseline_invocations THEN 'sufficient' ELSE 'none' END AS baseline_state,
  n.used_region,
  n.invocations,
  e.user_agent
FROM new_invocations AS n
JOIN aws_event AS e ON e.event_key = n.event_key
LEFT JOIN baselines AS b ON b.account = n.account
WHERE n.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
