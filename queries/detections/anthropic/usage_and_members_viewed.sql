-- ---
-- id = "anthropic.usage_and_members_viewed"
-- kind = "detection"
-- title = "Usage, cost or member lists of an Anthropic organisation were viewed by somebody new to it"
-- severity = "medium"
-- confidence = "low"
-- sources = ["anthropic_activity"]
-- needs = ["anthropic_activity"]
-- attack = ["T1526", "T1087.004"]
-- attack_v19 = ["T1526", "T1087.004"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "An actor viewed the cost report, a usage report, or the lists of members or invitations, and did not view that in the baseline. Whoever stole an administration key looks at what it is worth. The first view of each kind is listed, views counts them. Failed acts count."
-- misses = "An actor who looks at these pages every day. The same at OpenAI, whose log shows no reading."
-- false_positives = ["A finance connector", "A new administrator"]
-- next_steps = ["Ask the actor", "See what else came from that address", "Revoke the key if nobody claims it"]
-- references = ["https://platform.claude.com/docs/en/manage-claude/compliance-activity-feed"]
-- ---
WITH views AS (
  SELECT event_key, event_time, coalesce(owner, '') || '|' || coalesce(actor_email, actor_key_id, actor_id, actor_type, '') AS who, action
  FROM ai_audit_event
  WHERE provider = 'anthropic'
    AND (action IN ('platform_cost_report_viewed', 'org_users_listed', 'org_invites_listed')
      OR regexp_matches(action, '^platform_usage_report_(.*_)?viewed$'))
),
known AS (
  SELECT DISTINCT who, action FROM views WHERE event_time < $baseline_until
),
new_views AS (
  SELECT
    v.event_key,
    v.who,
    row_number() OVER (PARTITION BY v.who, v.action ORDER BY v.event_time NULLS LAST, v.event_key) AS place,
    count(*) OVER (
      PARTITION BY v.who, v.action ORDER BY v.event_time NULLS LAST, v.event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS views
  FROM views AS v
  LEFT JOIN known AS k ON k.who = v.who AND k.action = v.action
  WHERE k.who IS NULL
    AND v.event_time >= $since
    AND v.event_time < $until
)
SELECT
  n.who || '|' || strftime(a.event_time, '%Y-%m-%d') AS finding_key,
  a.event_time,
  coalesce(a.actor_email, a.actor_key_id, a.actor_id, a.actor_type) AS actor,
  a.action,
  coalesce(a.target_key_id, a.target_id) AS resource,
  a.source_ip,
  a.actor_key_id AS credential_id,
  a.organisation AS account_id,
  CAST(NULL AS VARCHAR) AS region,
  coalesce(a.outcome, 'success') AS outcome,
  a.event_key,
  a.evidence,
  n.views,
  a.user_agent
FROM new_views AS n
JOIN ai_audit_event AS a ON a.event_key = n.event_key
WHERE n.place = 1
ORDER BY a.event_time NULLS LAST, a.event_key
