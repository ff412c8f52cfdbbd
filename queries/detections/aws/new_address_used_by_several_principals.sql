-- ---
-- id = "aws.new_address_used_by_several_principals"
-- kind = "detection"
-- title = "Several principals acted from one address that was not seen before"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1078.004"]
-- attack_v19 = ["T1078.004"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "At least min_principals principals acted from one public address within span_seconds twice over. No principal of any account used the address in the baseline, and it is not stated as the organisation's own. Whoever holds several stolen credentials, or chains roles and makes users, is seen this way. The first call of each principal, credential and outcome is listed, with the number of such calls. Denied calls count. Where the logs reach too little back, rows carry baseline_state none."
-- misses = "An intruder who takes another address for each credential. Addresses that also appeared in the baseline. Calls that AWS services made."
-- false_positives = ["A new egress address of the organisation, of a build service or of a connector", "An employee who changes between roles at a new place: one person, several principals"]
-- next_steps = ["Find out who holds the address, and state it in the settings as own or as known to be the intruder's", "Hold all principals listed to be one actor and follow each credential back to its issue", "Search the address in the logs of the AI providers and gateways"]
-- references = ["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html"]
--
-- [params]
-- min_principals = { type = "integer", doc = "Principals from the address in neighbouring spans", default = 3 }
-- span_seconds = { type = "integer", doc = "Length of a span", default = 86400 }
-- min_baseline_events = { type = "integer", doc = "Events with a public address in the baseline", default = 20 }
-- min_baseline_days = { type = "integer", doc = "Days with such events in the baseline", default = 7 }
-- ---
WITH calls AS (
  SELECT event_key, event_time, event_epoch, source_ip, source_ip_key, coalesce(actor, '') AS principal,
    coalesce(credential_id, '') AS credential, coalesce(outcome, '') AS outcome
  FROM aws_event
  WHERE source_class = 'public'
    AND coalesce(invoked_by, '') = ''
    AND coalesce(identity_type, '') NOT IN ('AWSService', 'AWSAccount')
),
old_addresses AS (
  SELECT DISTINCT source_ip FROM calls WHERE event_time < $baseline_until
),
baselines AS (
  SELECT count(*) AS baseline_events, count(DISTINCT event_epoch // 86400) AS baseline_days
  FROM calls
  WHERE event_time < $baseline_until
),
new_calls AS (
  SELECT c.event_key, c.event_epoch, c.source_ip, c.principal, c.credential, c.outcome
  FROM calls AS c
  WHERE c.event_time >= $since
    AND c.event_time < $until
    AND NOT EXISTS (SELECT 1 FROM old_addresses AS o WHERE o.source_ip = c.source_ip)
    AND NOT EXISTS (
      SELECT 1 FROM case_network AS n
      WHERE n.kind = 'own_egress' AND c.source_ip_key >= n.low AND c.source_ip_key <= n.high)
),
-- Each call stands in its span and in the next one, so that neighbours meet.
spans AS (
  SELECT source_ip, principal, event_epoch // $span_seconds AS span FROM new_calls
  UNION
  SELECT source_ip, principal, event_epoch // $span_seconds + 1 AS span FROM new_calls
),
shared_spans AS (
  SELECT source_ip, span, count(*) AS principals
  FROM spans
  GROUP BY source_ip, span
  HAVING count(*) >= $min_principals
),
shared_calls AS (
  SELECT c.event_key, c.event_epoch, c.source_ip, c.principal, c.credential, c.outcome, max(s.principals) AS principals
  FROM new_calls AS c
  JOIN shared_spans AS s
    ON s.source_ip = c.source_ip
   AND (s.span = c.event_epoch // $span_seconds OR s.span = c.event_epoch // $span_seconds + 1)
  GROUP BY c.event_key, c.event_epoch, c.source_ip, c.principal, c.credential, c.outcome
),
listed AS (
  SELECT
    event_key,
    principals,
    count(*) OVER (PARTITION BY source_ip, principal, credential, outcome) AS calls,
    row_number() OVER (
      PARTITION BY source_ip, principal, credential, outcome ORDER BY event_epoch NULLS LAST, event_key
    ) AS place
  FROM shared_calls
)
SELECT
  e.source_ip AS finding_key,
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
  CASE
    WHEN b.baseline_events >= $min_baseline_events AND b.baseline_days >= $min_baseline_days THEN 'sufficient'
    ELSE 'none'
  END AS baseline_state,
  l.principals,
  l.calls,
  e.session_name,
  e.user_agent
FROM listed AS l
JOIN aws_event AS e ON e.event_key = l.event_key
CROSS JOIN baselines AS b
WHERE l.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
