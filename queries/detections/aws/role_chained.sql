-- ---
-- id = "aws.role_chained"
-- kind = "detection"
-- title = "A role session changed into a role it had not used before"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1548.005", "T1550.001"]
-- attack_v19 = ["T1548.005", "T1550.001"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "A session of one role assumes another role, and no session of the first had assumed the second before the end of the baseline. Role chains are how an intruder moves on from a stolen session. Each row leads to the next session by next_credential_id. Denied attempts do not count: they give no session; aws.assume_role_denied_sweep shows them. Where the first role has too little baseline, baseline_state is none. Of each pair of roles and each session the first change is listed."
-- misses = "Chains along pairs of roles that were used before. The change from a user into a role. Roles assumed by SAML or web identity."
-- false_positives = ["A pipeline that gets a new target", "Hub roles of build systems and of clusters, in their first days"]
-- next_steps = ["Follow next_credential_id to what the second session did", "Ask the holder of the first session about the purpose", "Trace the first session back to the call that issued it"]
-- references = ["https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html", "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html"]
--
-- [params]
-- min_baseline_events = { type = "integer", doc = "Events the first role must have in the baseline for its pairs to be known", default = 20 }
-- min_baseline_days = { type = "integer", doc = "Days on which the first role must have acted in the baseline", default = 7 }
-- ---
WITH changes AS (
  SELECT e.*, coalesce(e.actor, '') AS first_role
  FROM aws_event AS e
  WHERE e.event_source = 'sts.amazonaws.com'
    AND e.event_name_base = 'AssumeRole'
    AND e.outcome = 'success'
    AND coalesce(e.identity_type, '') = 'AssumedRole'
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
    -- A role that renews its own session goes nowhere.
    AND coalesce(e.issuer_arn, '') <> e.request_role_arn
),
known_pairs AS (
  SELECT DISTINCT first_role, request_role_arn FROM changes WHERE event_time < $baseline_until
),
baselines AS (
  SELECT coalesce(actor, '') AS first_role, count(*) AS baseline_events, count(DISTINCT event_epoch // 86400) AS baseline_days
  FROM aws_event
  WHERE event_time < $baseline_until
  GROUP BY coalesce(actor, '')
),
new_pairs AS (
  SELECT
    c.event_key,
    c.first_role,
    row_number() OVER (
      PARTITION BY c.first_role, c.request_role_arn, c.session_name ORDER BY c.event_epoch NULLS LAST, c.event_key
    ) AS place
  FROM changes AS c
  LEFT JOIN known_pairs AS k ON k.first_role = c.first_role AND k.request_role_arn = c.request_role_arn
  WHERE k.first_role IS NULL
    AND c.event_time >= $since
)
SELECT
  n.first_role || '|' || e.request_role_arn || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  e.request_role_arn AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  CASE
    WHEN coalesce(b.baseline_events, 0) >= $min_baseline_events AND coalesce(b.baseline_days, 0) >= $min_baseline_days
      THEN 'sufficient'
    ELSE 'none'
  END AS baseline_state,
  e.issued_credential_id AS next_credential_id,
  e.session_name,
  e.request_role_session AS next_session_name,
  e.user_agent
FROM new_pairs AS n
JOIN aws_event AS e ON e.event_key = n.event_key
LEFT JOIN baselines AS b ON b.first_role = n.first_role
WHERE n.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
