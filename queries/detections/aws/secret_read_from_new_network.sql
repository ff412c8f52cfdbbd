-- ---
-- id = "aws.secret_read_from_new_network"
-- kind = "detection"
-- title = "A known reader took a secret from a network it never read secrets from"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["secrets_events"]
-- attack = ["T1555.006", "T1078.004"]
-- attack_v19 = ["T1555.006", "T1078.004"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "A principal that read the secret in the baseline reads it from a VPC endpoint or network from which it read no secret there. Networks are /24 of IPv4 and /48 of IPv6. Workloads read through the same endpoint or gateway every day, so a stolen session shows here. Only successful reads count, in the baseline too; the case's own egress and reads made by a service for the caller are left out. Of each secret and network the first read is listed, reads counts them. A reader with too little baseline carries baseline_state none."
-- misses = "A thief inside the workload's own network. A reader that never read the secret before: aws.secret_read_by_new_principal. Records without an address."
-- false_positives = ["A moved workload, a new subnet gateway or a new VPC endpoint", "People whose addresses change: on the road, at home, behind a mobile network", "Serverless workloads without a network of their own, whose addresses change"]
-- next_steps = ["Find out who holds the network and whether the workload was moved", "List all calls of the same credential from that network", "Follow the credential back to the call that issued it", "Treat the secret as exposed unless the read is explained"]
-- references = ["https://docs.aws.amazon.com/secretsmanager/latest/userguide/vpc-endpoint-overview.html", "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html"]
--
-- [params]
-- min_baseline_reads = { type = "integer", doc = "Reads of secrets the principal must have in the baseline for its networks to be known", default = 20 }
-- min_baseline_days = { type = "integer", doc = "Days on which it must have read secrets in the baseline", default = 7 }
-- ---
WITH reads AS (
  SELECT
    event_key,
    event_time,
    event_epoch,
    source_ip_key,
    coalesce(actor, '') AS reader,
    coalesce(account_id, '') || '/' || coalesce(region, '') || '/' || location AS secret,
    location,
    CASE
      WHEN vpc_endpoint_id IS NOT NULL THEN vpc_endpoint_id
      WHEN source_ip_key LIKE '00000000000000000000ffff%' THEN substr(source_ip_key, 1, 30)
      ELSE substr(source_ip_key, 1, 12)
    END AS network
  FROM secret_access
  WHERE location_kind = 'secret'
    AND access = 'read'
    AND outcome = 'success'
    AND coalesce(identity_type, '') <> 'AWSService'
    AND coalesce(invoked_by, '') = ''
    AND event_time < $until
),
baselines AS (
  SELECT reader, count(*) AS baseline_reads, count(DISTINCT event_epoch // 86400) AS baseline_days,
    count(DISTINCT network) AS known_networks
  FROM reads
  WHERE event_time < $baseline_until
  GROUP BY reader
),
known_pairs AS (
  SELECT DISTINCT reader, secret FROM reads WHERE event_time < $baseline_until
),
known_networks AS (
  SELECT DISTINCT reader, network FROM reads WHERE event_time < $baseline_until
),
new_reads AS (
  SELECT
    r.event_key,
    r.reader,
    r.network,
    r.location,
    count(*) OVER (
      PARTITION BY r.reader, r.network, r.secret ORDER BY r.event_epoch NULLS LAST, r.event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS reads,
    row_number() OVER (
      PARTITION BY r.reader, r.network, r.secret ORDER BY r.event_epoch NULLS LAST, r.event_key
    ) AS place
  FROM reads AS r
  JOIN known_pairs AS p ON p.reader = r.reader AND p.secret = r.secret
  LEFT JOIN known_networks AS k ON k.reader = r.reader AND k.network = r.network
  WHERE k.network IS NULL
    AND r.network IS NOT NULL
    AND NOT EXISTS (
      SELECT 1 FROM case_network AS n
      WHERE n.kind = 'own_egress' AND r.source_ip_key >= n.low AND r.source_ip_key <= n.high
    )
    AND r.event_time >= $since
)
SELECT
  f.reader || '|' || f.network || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  f.location AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  CASE
    WHEN b.baseline_reads >= $min_baseline_reads AND b.baseline_days >= $min_baseline_days THEN 'sufficient'
    ELSE 'none'
  END AS baseline_state,
  f.reads,
  b.known_networks,
  e.vpc_endpoint_id,
  e.session_name,
  e.user_agent
FROM new_reads AS f
JOIN aws_event AS e ON e.event_key = f.event_key
JOIN baselines AS b ON b.reader = f.reader
WHERE f.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
