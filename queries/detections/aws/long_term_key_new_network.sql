-- ---
-- id = "aws.long_term_key_new_network"
-- kind = "detection"
-- title = "A long-term access key was used from a network never seen for it"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1078.004"]
-- attack_v19 = ["T1078.004"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "A key that begins with AKIA acts from a public IPv4 /24 or IPv6 /48 that it did not use in its baseline. The calls from there are listed up to a limit, with the number of such calls; denied ones count. Keys with too little baseline carry baseline_state none, and of each of their distinct calls only the first is listed."
-- misses = "An intruder inside a network the key always used, or inside a stated own egress network. Temporary credentials."
-- false_positives = ["Build runners with changing egress addresses: see known_networks", "A new NAT gateway or internet provider"]
-- next_steps = ["Ask the owner of the key about the address", "List everything done from this address, by any credential", "Deactivate the key if nobody claims the address"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html", "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html"]
--
-- [params]
-- min_baseline_events = { type = "integer", doc = "Events a key must have in the baseline for its networks to be known", default = 20 }
-- min_baseline_days = { type = "integer", doc = "Days on which the key must have acted in the baseline", default = 7 }
-- shown_calls = { type = "integer", doc = "Calls listed for each key and network with a sufficient baseline", default = 2000 }
-- ---
WITH uses AS (
  SELECT
    event_key,
    event_time,
    event_epoch,
    credential_id,
    source_ip_key,
    CASE
      WHEN source_ip_key LIKE '00000000000000000000ffff%' THEN substr(source_ip_key, 1, 30)
      ELSE substr(source_ip_key, 1, 12)
    END AS network,
    event_source,
    event_name_base,
    outcome
  FROM aws_event
  WHERE credential_class = 'AKIA'
    AND source_ip_key IS NOT NULL
    AND source_class = 'public'
    AND coalesce(invoked_by, '') = ''
),
baselines AS (
  SELECT
    credential_id,
    count(*) AS baseline_events,
    count(DISTINCT event_epoch // 86400) AS baseline_days,
    count(DISTINCT network) AS known_networks
  FROM uses
  WHERE event_time < $baseline_until
  GROUP BY credential_id
),
known_networks AS (
  SELECT DISTINCT credential_id, network FROM uses WHERE event_time < $baseline_until
),
new_uses AS (
  SELECT
    u.event_key,
    u.credential_id,
    u.network,
    count(*) OVER (
      PARTITION BY u.credential_id, u.network, u.event_source, u.event_name_base, u.outcome
      ORDER BY u.event_epoch NULLS LAST, u.event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS calls,
    row_number() OVER (
      PARTITION BY u.credential_id, u.network, u.event_source, u.event_name_base, u.outcome
      ORDER BY u.event_epoch NULLS LAST, u.event_key
    ) AS place,
    row_number() OVER (
      PARTITION BY u.credential_id, u.network ORDER BY u.event_epoch NULLS LAST, u.event_key
    ) AS call_no
  FROM uses AS u
  LEFT JOIN known_networks AS k ON k.credential_id = u.credential_id AND k.network = u.network
  WHERE k.network IS NULL
    AND NOT EXISTS (
      SELECT 1 FROM case_network AS n
      WHERE n.kind = 'own_egress' AND u.source_ip_key >= n.low AND u.source_ip_key <= n.high
    )
    AND u.event_time >= $baseline_until
    AND u.event_time >= $since
    AND u.event_time < $until
)
SELECT
  f.credential_id || '|' || f.network AS finding_key,
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
    WHEN coalesce(b.baseline_events, 0) >= $min_baseline_events AND coalesce(b.baseline_days, 0) >= $min_baseline_days
      THEN 'sufficient'
    ELSE 'none'
  END AS baseline_state,
  f.calls,
  coalesce(b.known_networks, 0) AS known_networks
FROM new_uses AS f
JOIN aws_event AS e ON e.event_key = f.event_key
LEFT JOIN baselines AS b ON b.credential_id = f.credential_id
WHERE f.place = 1
   OR (f.call_no <= $shown_calls
       AND coalesce(b.baseline_events, 0) >= $min_baseline_events
       AND coalesce(b.baseline_days, 0) >= $min_baseline_days)
ORDER BY e.event_time NULLS LAST, e.event_key
