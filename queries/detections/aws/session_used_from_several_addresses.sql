-- ---
-- id = "aws.session_used_from_several_addresses"
-- kind = "detection"
-- title = "One temporary credential was used from several networks at the same time"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1078.004", "T1550.001"]
-- attack_v19 = ["T1078.004", "T1550.001"]
-- attack_version = "18.1"
-- description = "A credential that begins with ASIA acts within neighbouring half hours from public addresses in two different IPv4 /16 or IPv6 /48 networks, at least one of them not stated as the organisation's own. The first call from each address in each half hour is listed. Denied calls count."
-- misses = "Copies used one after another with a longer pause, or from the same provider's network. One IPv4 and one IPv6 address alone, because a host may hold both."
-- false_positives = ["Console sessions that also run a cloud shell", "Proxies with a pool of egress addresses", "Mobile networks"]
-- next_steps = ["Find the event that issued the credential and who asked for it", "Separate the calls by address: which belong to the workload?", "Revoke the role's active sessions"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp.html", "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html"]
--
-- [params]
-- bucket_seconds = { type = "integer", doc = "Width of the time bucket; neighbouring buckets count as the same time", default = 1800 }
-- min_networks = { type = "integer", doc = "Distinct networks of one address family", default = 2 }
-- ---
WITH uses AS (
  SELECT
    event_key,
    event_epoch,
    credential_id,
    source_ip,
    source_ip_key,
    CASE WHEN source_ip_key LIKE '00000000000000000000ffff%' THEN 'v4' ELSE 'v6' END AS family,
    CASE
      WHEN source_ip_key LIKE '00000000000000000000ffff%' THEN substr(source_ip_key, 1, 28)
      ELSE substr(source_ip_key, 1, 12)
    END AS network,
    event_epoch // $bucket_seconds AS bucket
  FROM aws_event
  WHERE credential_class = 'ASIA'
    AND source_ip_key IS NOT NULL
    AND source_class = 'public'
    AND coalesce(invoked_by, '') = ''
    AND event_time >= $since
    AND event_time < $until
),
places AS (
  SELECT DISTINCT credential_id, family, network, source_ip_key, bucket FROM uses
),
own_addresses AS (
  SELECT DISTINCT p.source_ip_key
  FROM places AS p
  JOIN case_network AS n ON n.kind = 'own_egress' AND p.source_ip_key >= n.low AND p.source_ip_key <= n.high
),
-- Each place stands in its bucket and in the next one, so that neighbours meet.
spans AS (
  SELECT credential_id, family, network, source_ip_key, bucket AS span, bucket FROM places
  UNION ALL
  SELECT credential_id, family, network, source_ip_key, bucket + 1 AS span, bucket FROM places
),
crowded_spans AS (
  SELECT s.credential_id, s.family, s.span, count(DISTINCT s.network) AS networks
  FROM spans AS s
  LEFT JOIN own_addresses AS o ON o.source_ip_key = s.source_ip_key
  GROUP BY s.credential_id, s.family, s.span
  HAVING count(DISTINCT s.network) >= $min_networks
    AND CAST(sum(CASE WHEN o.source_ip_key IS NULL THEN 1 ELSE 0 END) AS BIGINT) > 0
),
shared_places AS (
  SELECT s.credential_id, s.source_ip_key, s.bucket, max(c.networks) AS networks
  FROM spans AS s
  JOIN crowded_spans AS c ON c.credential_id = s.credential_id AND c.family = s.family AND c.span = s.span
  GROUP BY s.credential_id, s.source_ip_key, s.bucket
),
first_calls AS (
  SELECT
    u.event_key,
    p.networks,
    count(*) OVER (
      PARTITION BY u.credential_id, u.source_ip_key, u.bucket ORDER BY u.event_epoch NULLS LAST, u.event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS calls,
    row_number() OVER (
      PARTITION BY u.credential_id, u.source_ip_key, u.bucket ORDER BY u.event_epoch NULLS LAST, u.event_key
    ) AS place
  FROM uses AS u
  JOIN shared_places AS p
    ON p.credential_id = u.credential_id AND p.source_ip_key = u.source_ip_key AND p.bucket = u.bucket
)
SELECT
  e.credential_id AS finding_key,
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
  e.session_name,
  f.networks,
  f.calls
FROM first_calls AS f
JOIN aws_event AS e ON e.event_key = f.event_key
WHERE f.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
