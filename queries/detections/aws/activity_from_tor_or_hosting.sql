-- ---
-- id = "aws.activity_from_tor_or_hosting"
-- kind = "detection"
-- title = "A principal acted from a Tor exit or a hosting network that it had not used before"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["address_lists"]
-- attack = ["T1090.003", "T1078.004"]
-- attack_v19 = ["T1090.003", "T1078.004"]
-- attack_version = "18.1"
-- description = "A principal called AWS from a public address that a list given to keytrail enrich names as a Tor exit or a hosting network, and that it did not use in the baseline. tor and hosting give the entry of the list that holds the address. The first call of each kind from each address and hour is listed. Denied attempts count, because they show who tries; calls of services do not."
-- misses = "Exits and networks that the list does not hold, or did not hold at that time: it has one date. Residential proxies."
-- false_positives = ["Runners of a build service, monitoring and software vendors act from hosting networks: add theirs to the own networks of the case", "A VPN that leaves through a hosting network"]
-- next_steps = ["Ask the holder of the credential whether the network is theirs", "List all that the credential did from there", "Look for the same address at the providers with keytrail search"]
-- references = ["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html"]
-- ---
WITH listed_addresses AS (
  SELECT
    source_ip,
    min(CASE WHEN fact = 'tor' THEN value END) AS tor,
    min(CASE WHEN fact = 'hosting' THEN value END) AS hosting
  FROM address_fact
  WHERE fact IN ('tor', 'hosting')
  GROUP BY source_ip
),
acts AS (
  SELECT
    e.event_key,
    e.event_time,
    e.event_epoch,
    e.source_ip,
    e.event_source,
    e.event_name_base,
    e.outcome,
    coalesce(e.actor, '') AS principal,
    a.tor,
    a.hosting
  FROM aws_event AS e
  JOIN listed_addresses AS a ON a.source_ip = e.source_ip
  WHERE coalesce(e.invoked_by, '') = ''
    AND coalesce(e.identity_type, '') <> 'AWSService'
    AND e.event_time < $until
    AND NOT EXISTS (SELECT 1 FROM case_network AS n WHERE e.source_ip_key >= n.low AND e.source_ip_key <= n.high)
),
known AS (
  SELECT DISTINCT principal, source_ip FROM acts WHERE event_time < $baseline_until
),
placed AS (
  SELECT
    a.event_key,
    a.principal,
    a.tor,
    a.hosting,
    row_number() OVER (
      PARTITION BY a.principal, a.source_ip, a.event_epoch // 3600, a.event_source, a.event_name_base, a.outcome
      ORDER BY a.event_epoch NULLS LAST, a.event_key
    ) AS place
  FROM acts AS a
  LEFT JOIN known AS k ON k.principal = a.principal AND k.source_ip = a.source_ip
  WHERE k.source_ip IS NULL
    AND a.event_time >= $since
)
SELECT
  p.principal || '|' || coalesce(e.source_ip, '') || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
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
  p.tor,
  p.hosting,
  e.session_name,
  e.user_agent
FROM placed AS p
JOIN aws_event AS e ON e.event_key = p.event_key
WHERE p.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
