-- ---
-- id = "aws.instance_credentials_used_outside"
-- kind = "detection"
-- title = "Credentials of a compute instance were used from outside of it"
-- severity = "critical"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1552.005", "T1078.004"]
-- attack_v19 = ["T1552.005", "T1078.004"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "A role session of an EC2 instance (session name is an instance id, or the record names the delivery of role credentials) calls from a public address that is not known for it. Known are the networks of the role in its baseline, the addresses from which the instance's own management agent reports, and stated own egress networks. Where the role has too little baseline, only a session that was used from another network before is shown, with baseline_state none. Denied calls count. The first of each distinct call and outcome per address is listed."
-- misses = "Credentials used through the same NAT address or VPC endpoint as the instance. Roles of Lambda functions and containers, whose sessions carry no instance id."
-- false_positives = ["An engineer who exported instance credentials to debug", "A changed NAT gateway or proxy"]
-- next_steps = ["Check on the instance what reached its metadata service", "List all calls of the credential by address", "Revoke the role's active sessions and require version 2 of the metadata service"]
-- references = ["https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html", "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html"]
--
-- [params]
-- min_baseline_events = { type = "integer", doc = "Events the role must have in the baseline for its networks to be known", default = 20 }
-- min_baseline_days = { type = "integer", doc = "Days on which the role must have acted in the baseline", default = 7 }
-- ---
WITH uses AS (
  SELECT
    event_key,
    event_time,
    event_epoch,
    actor,
    session_name,
    coalesce(credential_id, '') AS credential,
    event_source,
    event_name_base,
    outcome,
    source_ip_key,
    CASE
      WHEN source_ip_key LIKE '00000000000000000000ffff%' THEN substr(source_ip_key, 1, 30)
      ELSE substr(source_ip_key, 1, 12)
    END AS network
  FROM aws_event
  WHERE coalesce(identity_type, '') = 'AssumedRole'
    AND (regexp_matches(coalesce(session_name, ''), '^i-[0-9a-f]{8,17}$') OR ec2_role_delivery IS NOT NULL)
    AND source_class = 'public'
    AND source_ip_key IS NOT NULL
    AND vpc_endpoint_id IS NULL
    AND coalesce(invoked_by, '') = ''
),
baselines AS (
  SELECT actor, count(*) AS baseline_events, count(DISTINCT event_epoch // 86400) AS baseline_days
  FROM uses
  WHERE event_time < $baseline_until
  GROUP BY actor
),
known_networks AS (
  SELECT DISTINCT actor, network FROM uses WHERE event_time < $baseline_until
),
-- The management agent runs on the instance: where it reports from is the instance's own address.
agent_addresses AS (
  SELECT DISTINCT session_name, source_ip_key
  FROM uses
  WHERE event_source IN ('ssm.amazonaws.com', 'ssmmessages.amazonaws.com', 'ec2messages.amazonaws.com')
    AND event_name_base IN ('UpdateInstanceInformation', 'UpdateInstanceAssociationStatus', 'PutInventory',
                            'CreateControlChannel', 'GetMessages', 'ListInstanceAssociations')
),
first_places AS (
  SELECT credential, network AS first_network
  FROM (
    SELECT credential, network, row_number() OVER (PARTITION BY credential ORDER BY event_epoch NULLS LAST, event_key) AS place
    FROM uses
  ) AS ordered
  WHERE place = 1 AND credential <> ''
),
judged AS (
  SELECT
    u.event_key,
    u.event_epoch,
    u.credential,
    u.network,
    u.source_ip_key,
    u.event_source,
    u.event_name_base,
    u.outcome,
    coalesce(b.baseline_events, 0) >= $min_baseline_events
      AND coalesce(b.baseline_days, 0) >= $min_baseline_days AS has_baseline,
    coalesce(f.first_network, u.network) <> u.network AS moved
  FROM uses AS u
  LEFT JOIN baselines AS b ON b.actor = u.actor
  LEFT JOIN known_networks AS k ON k.actor = u.actor AND k.network = u.network
  LEFT JOIN agent_addresses AS a ON a.session_name = u.session_name AND a.source_ip_key = u.source_ip_key
  LEFT JOIN first_places AS f ON f.credential = u.credential
  WHERE k.network IS NULL
    AND a.source_ip_key IS NULL
    AND NOT EXISTS (
      SELECT 1 FROM case_network AS n
      WHERE n.kind = 'own_egress' AND u.source_ip_key >= n.low AND u.source_ip_key <= n.high
    )
    AND u.event_source NOT IN ('ssm.amazonaws.com', 'ssmmessages.amazonaws.com', 'ec2messages.amazonaws.com')
    AND u.event_time >= $baseline_until
    AND u.event_time >= $since
    AND u.event_time < $until
),
first_calls AS (
  SELECT
    event_key,
    network,
    has_baseline,
    moved,
    row_number() OVER (
      PARTITION BY credential, source_ip_key, event_source, event_name_base, outcome ORDER BY event_epoch NULLS LAST, event_key
    ) AS place
  FROM judged
  WHERE has_baseline OR moved
)
SELECT
  coalesce(e.actor, '') || '|' || coalesce(e.session_name, '') || '|' || c.network AS finding_key,
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
  CASE WHEN c.has_baseline THEN 'sufficient' ELSE 'none' END AS baseline_state,
  c.moved,
  e.session_name,
  e.ec2_role_delivery
FROM first_calls AS c
JOIN aws_event AS e ON e.event_key = c.event_key
WHERE c.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
