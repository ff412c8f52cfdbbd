-- ---
-- id = "aws.impossible_travel"
-- kind = "detection"
-- title = "One credential acted in two places too far apart for the time between"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["address_places"]
-- attack = ["T1078.004", "T1550.001"]
-- attack_v19 = ["T1078.004", "T1550.001"]
-- attack_version = "18.1"
-- description = "Two acts of one credential, one after the other, came from public addresses that lie further apart than anything travels in the time between: further than max_km_per_hour allows, at least min_km, and the radii by which both places may be off come on top. At least one of the two addresses was not used by the principal in the baseline. Places are those of the city database given to keytrail enrich. The distance compared is the straight line through the earth in whole kilometres, which is never longer than the way over the ground. Both acts are listed, once for each pair of addresses. Denied attempts count, because they show who holds the credential."
-- misses = "Two holders of a credential near each other, or behind one proxy. An address whose place the database does not know. An intruder who waits."
-- false_positives = ["A proxy, VPN or cloud shell switched on or off between the acts", "Mobile networks, whose addresses come out far away", "A place that the database has wrong: accuracy varies"]
-- next_steps = ["Ask the holder of the credential where they were and which networks they used", "Separate the acts by address: which belong to the holder?", "End the sessions of the principal and rotate the credential"]
-- references = ["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html", "https://maxmind.github.io/MaxMind-DB/"]
--
-- [params]
-- max_km_per_hour = { type = "integer", doc = "Fastest travel that is believed", default = 900 }
-- min_km = { type = "integer", doc = "Least distance, whatever the time", default = 500 }
-- ---
WITH chosen_files AS (
  SELECT source_ip, min(file_sha256) AS file_sha256 FROM address_fact WHERE fact = 'earth_x_km' GROUP BY source_ip
),
places AS (
  SELECT
    f.source_ip,
    max(CASE WHEN f.fact = 'earth_x_km' THEN CAST(f.value AS BIGINT) END) AS x,
    max(CASE WHEN f.fact = 'earth_y_km' THEN CAST(f.value AS BIGINT) END) AS y,
    max(CASE WHEN f.fact = 'earth_z_km' THEN CAST(f.value AS BIGINT) END) AS z,
    max(CASE WHEN f.fact = 'radius_km' THEN CAST(f.value AS BIGINT) END) AS radius
  FROM address_fact AS f
  JOIN chosen_files AS c ON c.source_ip = f.source_ip AND c.file_sha256 = f.file_sha256
  GROUP BY f.source_ip
),
acts AS (
  SELECT
    e.event_key,
    e.event_time,
    e.event_epoch,
    e.source_ip,
    coalesce(e.actor, '') AS principal,
    coalesce(e.credential_id, e.actor) AS credential
  FROM aws_event AS e
  WHERE e.source_ip IN (SELECT source_ip FROM places)
    AND coalesce(e.invoked_by, '') = ''
    AND coalesce(e.identity_type, '') <> 'AWSService'
    AND e.event_time < $until
),
known AS (
  SELECT DISTINCT principal, source_ip FROM acts WHERE event_time < $baseline_until
),
-- Only who acted from several addresses can have travelled: most credentials need not be put in order.
travellers AS (
  SELECT credential
  FROM (SELECT DISTINCT credential, source_ip FROM acts) AS seen
  GROUP BY credential
  HAVING count(*) >= 2
),
steps AS (
  SELECT
    a.event_key,
    a.event_epoch,
    a.principal,
    a.credential,
    a.source_ip,
    lag(a.event_key) OVER (PARTITION BY a.credential ORDER BY a.event_epoch NULLS LAST, a.event_key) AS other_key,
    lag(a.event_epoch) OVER (PARTITION BY a.credential ORDER BY a.event_epoch NULLS LAST, a.event_key) AS other_epoch,
    lag(a.source_ip) OVER (PARTITION BY a.credential ORDER BY a.event_epoch NULLS LAST, a.event_key) AS other_ip
  FROM acts AS a
  WHERE a.event_time >= $since
    AND a.credential IN (SELECT credential FROM travellers)
),
distances AS (
  SELECT
    s.event_key,
    s.other_key,
    s.event_epoch,
    s.principal,
    s.credential,
    s.source_ip,
    s.other_ip,
    s.event_epoch - s.other_epoch AS seconds_between,
    (h.x - t.x) * (h.x - t.x) + (h.y - t.y) * (h.y - t.y) + (h.z - t.z) * (h.z - t.z) AS km_squared,
    -- The next full kilometre, so that nothing is found by rounding.
    ((s.event_epoch - s.other_epoch) * $max_km_per_hour + 3599) // 3600 + h.radius + t.radius AS reach_km
  FROM steps AS s
  JOIN places AS h ON h.source_ip = s.source_ip
  JOIN places AS t ON t.source_ip = s.other_ip
),
journeys AS (
  SELECT
    d.event_key,
    d.other_key,
    d.credential,
    d.source_ip,
    d.other_ip,
    d.seconds_between,
    d.km_squared,
    row_number() OVER (
      PARTITION BY d.credential, least(d.source_ip, d.other_ip), greatest(d.source_ip, d.other_ip)
      ORDER BY d.event_epoch NULLS LAST, d.event_key
    ) AS place
  FROM distances AS d
  LEFT JOIN known AS k ON k.principal = d.principal AND k.source_ip = d.source_ip
  LEFT JOIN known AS o ON o.principal = d.principal AND o.source_ip = d.other_ip
  WHERE d.km_squared > d.reach_km * d.reach_km
    AND d.km_squared >= $min_km * $min_km
    AND (k.source_ip IS NULL OR o.source_ip IS NULL)
),
ends AS (
  SELECT event_key, credential, other_ip AS other_address, seconds_between, km_squared FROM journeys WHERE place = 1
  UNION ALL
  SELECT other_key AS event_key, credential, source_ip AS other_address, seconds_between, km_squared FROM journeys WHERE place = 1
),
-- An act may end one journey and begin the next.
listed AS (
  SELECT event_key, credential, min(other_address) AS other_address, min(seconds_between) AS seconds_between,
    max(km_squared) AS km_squared
  FROM ends
  GROUP BY event_key, credential
)
SELECT
  l.credential AS finding_key,
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
  l.other_address,
  l.seconds_between,
  l.km_squared,
  e.session_name,
  e.user_agent
FROM listed AS l
JOIN aws_event AS e ON e.event_key = l.event_key
ORDER BY e.event_time NULLS LAST, e.event_key
