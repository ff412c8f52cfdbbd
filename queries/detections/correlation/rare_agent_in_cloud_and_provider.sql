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
WITH provider_acts AS (
  SELECT event_key, event_time, user_agent, coalesce(actor, '') AS principal, 'provider' AS side
  FROM activity
  WHERE table_name IN ('ai_audit_event', 'ai_request')
    AND user_agent IS NOT NULL
    AND event_time < $until
),
-- Of the many calls of AWS only those whose client is known at a provider too.
acts AS (
  SELECT event_key, event_time, user_agent, principal, side FROM provider_acts
  UNION ALL
  SELECT event_key, event_time, user_agent, coalesce(actor, '') AS principal, 'aws' AS side
  FROM aws_event
  WHERE user_agent IN (SELECT user_agent FROM provider_acts)
    AND event_time < $until
),
-- What a service does under its own name is nobody's tool.
agents AS (
  SELECT user_agent
  FROM acts
  WHERE NOT ends_with(user_agent, '.amazonaws.com')
    AND user_agent <> 'AWS Internal'
  GROUP BY user_agent
  HAVING count(DISTINCT side) = 2
    AND count(DISTINCT side || principal) <= $max_principals
    AND count(*) FILTER (WHERE event_time < $baseline_until) = 0
),
placed AS (
  SELECT a.event_key, a.side,
    row_number() OVER (PARTITION BY a.user_agent, a.side, a.principal ORDER BY a.event_time NULLS LAST, a.event_key) AS place,
    count(*) OVER (
      PARTITION BY a.user_agent, a.side, a.principal ORDER BY a.event_time NULLS LAST, a.event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS acts
  FROM acts AS a
  JOIN agents AS g ON g.user_agent = a.user_agent
  WHERE a.event_time >= $since
)
SELECT
  a.user_agent AS finding_key,
  a.event_time,
  a.actor,
  a.action,
  a.resource,
  a.source_ip,
  a.credential AS credential_id,
  a.account_id,
  a.region,
  coalesce(a.outcome, 'success') AS outcome,
  a.event_key,
  a.evidence,
  p.side,
  p.acts,
  a.owner,
  a.user_agent
FROM placed AS p
JOIN activity AS a ON a.event_key = p.event_key
WHERE p.place = 1
ORDER BY a.event_time NULLS LAST, a.event_key
