-- ---
-- id = "timeline.activity"
-- kind = "timeline"
-- title = "Everything that happened in the window, over all sources"
-- sources = ["aws_cloudtrail", "openai_usage", "openai_audit", "anthropic_usage", "anthropic_activity", "bedrock_invocation", "litellm_spend"]
-- description = "One row an event, request, control-plane act or usage bucket, in the order of time. A usage bucket stands at its start."
-- ---
SELECT
  event_time,
  source,
  owner,
  actor,
  action,
  outcome,
  resource,
  credential,
  source_ip,
  user_agent,
  account_id,
  region,
  table_name,
  event_id,
  event_key,
  evidence
FROM activity
WHERE event_time >= $since
  AND event_time < $until
ORDER BY event_time NULLS LAST, event_key
