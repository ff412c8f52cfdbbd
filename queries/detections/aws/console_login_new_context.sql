-- ---
-- id = "aws.console_login_new_context"
-- kind = "detection"
-- title = "A console login came from a network never seen for that principal"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1078.004"]
-- attack_v19 = ["T1078.004"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "A successful console login, federation sign-in or role switch from an IPv4 /24 or IPv6 /48 that the same person or role session did not use in the baseline. Principals with fewer baseline logins than the threshold carry baseline_state none. Refused logins do not count."
-- misses = "An intruder in the same network as the victim, or behind one of the organisation's own stated egress networks."
-- false_positives = ["Travel", "A change of internet provider or of the corporate VPN", "A new colleague's first logins"]
-- next_steps = ["Ask the principal about time and place of the login", "List the acts of the session that followed", "Search the address in the other logs of the case"]
-- references = ["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html"]
--
-- [params]
-- min_baseline_logins = { type = "integer", doc = "Logins a principal must have in the baseline for its networks to be known", default = 5 }
-- ---
WITH logins AS (
  SELECT
    event_key,
    event_time,
    actor,
    coalesce(actor, '') || '/' || coalesce(session_name, '') AS principal,
    event_name_base,
    user_name,
    source_ip,
    source_ip_key,
    CASE
      WHEN source_ip_key LIKE '00000000000000000000ffff%' THEN substr(source_ip_key, 1, 30)
      ELSE substr(source_ip_key, 1, 12)
    END AS network,
    coalesce(user_agent, '') AS agent,
    credential_id,
    account_id,
    region,
    outcome,
    evidence
  FROM aws_event
  WHERE event_source = 'signin.amazonaws.com'
    AND event_name_base IN ('ConsoleLogin', 'GetSigninToken', 'SwitchRole')
    AND outcome = 'success'
    AND source_ip_key IS NOT NULL
),
principals AS (
  SELECT principal, count(*) AS baseline_logins
  FROM logins
  WHERE event_time < $baseline_until
  GROUP BY principal
),
known_networks AS (
  SELECT DISTINCT principal, network FROM logins WHERE event_time < $baseline_until
),
known_agents AS (
  SELECT DISTINCT principal, agent FROM logins WHERE event_time < $baseline_until
)
SELECT
  l.principal || '|' || l.network AS finding_key,
  l.event_time,
  l.actor,
  l.event_name_base AS action,
  l.user_name AS resource,
  l.source_ip,
  l.credential_id,
  l.account_id,
  l.region,
  l.outcome,
  l.event_key,
  l.evidence,
  CASE WHEN coalesce(p.baseline_logins, 0) >= $min_baseline_logins THEN 'sufficient' ELSE 'none' END AS baseline_state,
  coalesce(p.baseline_logins, 0) AS baseline_logins,
  a.agent IS NULL AS new_user_agent
FROM logins AS l
LEFT JOIN principals AS p ON p.principal = l.principal
LEFT JOIN known_networks AS k ON k.principal = l.principal AND k.network = l.network
LEFT JOIN known_agents AS a ON a.principal = l.principal AND a.agent = l.agent
WHERE k.network IS NULL
  AND NOT EXISTS (
    SELECT 1 FROM case_network AS n
    WHERE n.kind = 'own_egress' AND l.source_ip_key >= n.low AND l.source_ip_key <= n.high
  )
  AND l.event_time >= $baseline_until
  AND l.event_time >= $since
  AND l.event_time < $until
ORDER BY l.event_time NULLS LAST, l.event_key
