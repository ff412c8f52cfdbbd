-- ---
-- id = "correlation.rare_agent_in_cloud_and_provider"
-- kind = "detection"
-- title = "A rare user agent acted in AWS and at an AI provider"
-- severity = "medium"
-- confidence = "low"
-- sources = ["openai_audit", "anthropic_activity", "litellm_spend"]
-- needs = ["aws_events"]
-- attack = ["T1078.004"]
-- attack_v19 = ["T1078.004"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "A user agent that neither side showed in the baseline stands in the logs of AWS and of a provider or gateway, with at most max_principals principals on both sides together. Browsers and the agents of common kits are often shared, so the text must be whole and the same. Of each principal and side the first act is listed, acts counts them. Denied and failed acts count."
-- misses = "Tools that use an agent of their own on each side, or a common one."
-- false_positives = ["An employee with a new computer who works on both sides", "A release of a tool that the organisation uses on both sides"]
-- next_steps = ["Compare addresses and hours of both sides", "Ask the principals which tool they used", "State the agent as known to be the intruder's, if it is"]
-- references = ["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html", "https://platform.openai.com/docs/api-reference/audit-logs"]
--
-- [params]
-- max_principals = { type = "integer", doc = "Principals that use the agent, on both sides together", default = 2 }
-- ---
WITH provider_users AS (
  SELECT user_agent, 'provider' AS side, coalesce(actor, '') AS principal, min(event_time) AS first_time
  FROM activity
  WHERE table_name IN ('ai_audit_event', 'ai_request')
    AND event_time < $until
  GROUP BY user_agent, coalesce(actor, '')
),
-- Of the many calls of AWS only those whose client is known at a provider too.
users AS (
  SELECT user_agent, side, principal, first_time FROM provider_users
  UNION ALL
  SELECT user_agent, 'aws' AS side, coalesce(actor, '') AS principal, min(event_time) AS first_time
  FROM aws_event
  WHERE user_agent IN (SELECT user_agent FROM provider_users)
    AND event_time < $until
  GROUP BY user_agent, coalesce(actor, '')
),
-- What a service does under its own name is nobody's tool.
agents AS (
  SELECT user_agent
  FROM users
  WHERE NOT ends_with(user_agent, '.amazonaws.com')
    AND user_agent <> 'AWS Internal'
  GROUP BY user_agent
  HAVING count(DISTINCT side) = 2
    AND count(*) <= $max_principals
    AND min(first_time) >= $baseline_until
),
-- All that is listed comes from here: to join the few first acts to all activity again costs more than all else.
acts AS (
  SELECT
    event_time,
    actor,
    action,
    resource,
    source_ip,
    credential AS credential_id,
    account_id,
    region,
    coalesce(outcome, 'success') AS outcome,
    event_key,
    evidence,
    CASE table_name WHEN 'aws_event' THEN 'aws' ELSE 'provider' END AS side,
    coalesce(actor, '') AS principal,
    owner,
    user_agent
  FROM activity
  WHERE table_name IN ('aws_event', 'ai_audit_event', 'ai_request')
    AND user_agent IN (SELECT user_agent FROM agents)
    AND event_time >= $since
    AND event_time < $until
),
placed AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY user_agent, side, principal ORDER BY event_time NULLS LAST, event_key) AS place,
    count(*) OVER (
      PARTITION BY user_agent, side, principal ORDER BY event_time NULLS LAST, event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS acts
  FROM acts
)
SELECT
  user_agent AS finding_key,
  event_time,
  actor,
  action,
  resource,
  source_ip,
  credential_id,
  account_id,
  region,
  outcome,
  event_key,
  evidence,
  side,
  acts,
  owner,
  user_agent
FROM placed
WHERE place = 1
ORDER BY event_time NULLS LAST, event_key
