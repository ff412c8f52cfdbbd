-- ---
-- id = "aws.leaked_key_validated"
-- kind = "detection"
-- title = "A long-term key was tried out from an address new to its user"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1078.004", "T1087.004"]
-- attack_v19 = ["T1078.004", "T1087.004"]
-- attack_version = "18.1"
-- description = "The first call that the long-term keys of a user made from an address asks who the key belongs to or what it may send, and within follow_seconds the same key looks around from there: at least discovery_calls different read calls, or a denied call. An address is new to the user when its keys were used from others before, or when the key was silent, or not yet in the logs of its account, for quiet_seconds. Denied calls count, because they are what a stranger meets. Users whose keys came from more than max_addresses addresses before count only after a silence of quiet_seconds. The probing call and the calls after it are listed."
-- misses = "Temporary credentials. A thief who tries the key through an address that its owner used. A thief who waits longer than follow_seconds between the probe and the first look, or who skips the probe."
-- false_positives = ["A tool that checks its identity at the start, run from a new machine", "An engineer at home with an own key"]
-- next_steps = ["Ask the key's owner about the address", "List everything the key did from this address on", "Deactivate the key and look for where it was published"]
-- references = ["https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html", "https://docs.aws.amazon.com/IAM/latest/UserGuide/security-creds-programmatic-access.html"]
--
-- [params]
-- follow_seconds = { type = "integer", doc = "Seconds after the probe in which the key looks around", default = 300 }
-- discovery_calls = { type = "integer", doc = "Different read calls that make a look around", default = 3 }
-- quiet_seconds = { type = "integer", doc = "Seconds of silence, or of logs before the first use", default = 86400 }
-- max_addresses = { type = "integer", doc = "Most addresses the user's keys may have been used from before", default = 5 }
-- ---
WITH key_uses AS (
  SELECT
    event_key,
    event_epoch,
    credential_id,
    coalesce(actor, '') AS holder,
    coalesce(account_id, '') AS account,
    coalesce(source_ip_key, '') AS address,
    coalesce(event_source, '') || ':' || coalesce(event_name_base, '') AS call,
    coalesce(is_denied, FALSE) AS is_denied,
    coalesce(read_only, FALSE) OR regexp_matches(coalesce(event_name_base, ''), '^(List|Describe|Get)') AS is_read
  FROM aws_event
  WHERE credential_class = 'AKIA'
    AND coalesce(invoked_by, '') = ''
    AND event_epoch IS NOT NULL
    AND event_time < $until
),
probes AS (
  SELECT *
  FROM key_uses
  WHERE call IN (
    'sts.amazonaws.com:GetCallerIdentity',
    'sts.amazonaws.com:GetAccessKeyInfo',
    'ses.amazonaws.com:GetSendQuota',
    'ses.amazonaws.com:GetAccount',
    'sns.amazonaws.com:GetSMSAttributes'
  )
),
-- By user, not by key: a new key at the user's old address is a rotation.
addresses AS (
  SELECT
    holder,
    address,
    min(event_epoch) AS first_epoch,
    min(event_key) AS first_event_key
  FROM key_uses
  GROUP BY holder, address
),
numbered_addresses AS (
  SELECT
    holder,
    address,
    first_epoch,
    row_number() OVER (
      PARTITION BY holder ORDER BY first_epoch NULLS LAST, first_event_key
    ) - 1 AS addresses_before
  FROM addresses
),
-- By the bare column first: an engine knows how few accounts it holds, and so how few probes the join leaves.
account_starts AS (
  SELECT account_id, min(event_epoch) AS start_epoch
  FROM aws_event
  GROUP BY account_id
),
log_starts AS (
  SELECT coalesce(account_id, '') AS account, min(start_epoch) AS start_epoch
  FROM account_starts
  GROUP BY coalesce(account_id, '')
),
key_seconds AS (
  SELECT credential_id, event_epoch, min(event_key) AS first_event_key
  FROM key_uses
  GROUP BY credential_id, event_epoch
),
silences AS (
  SELECT
    credential_id,
    event_epoch,
    lag(event_epoch) OVER (
      PARTITION BY credential_id ORDER BY event_epoch NULLS LAST, first_event_key
    ) AS last_epoch_before
  FROM key_seconds
),
fresh_probes AS (
  SELECT
    p.event_key AS probe_key,
    p.credential_id,
    p.address,
    p.event_epoch AS probe_epoch,
    a.addresses_before,
    s.start_epoch,
    q.last_epoch_before
  FROM probes AS p
  JOIN numbered_addresses AS a
    ON a.holder = p.holder
   AND a.address = p.address
   AND a.first_epoch = p.event_epoch
  JOIN log_starts AS s ON s.account = p.account
  JOIN silences AS q
    ON q.credential_id = p.credential_id
   AND q.event_epoch = p.event_epoch
),
strange_probes AS (
  SELECT *
  FROM fresh_probes
  WHERE (addresses_before > 0 AND addresses_before <= $max_addresses)
     OR probe_epoch - coalesce(last_epoch_before, start_epoch) >= $quiet_seconds
),
looks AS (
  SELECT p.probe_key, u.event_key, u.call, u.is_denied
  FROM strange_probes AS p
  JOIN key_uses AS u
    ON u.credential_id = p.credential_id
   AND u.address = p.address
  LEFT JOIN probes AS q ON q.event_key = u.event_key
  WHERE q.event_key IS NULL
    AND (u.is_read OR u.is_denied)
    AND u.event_epoch >= p.probe_epoch
    AND u.event_epoch <= p.probe_epoch + $follow_seconds
),
confirmed AS (
  SELECT
    probe_key,
    count(DISTINCT call) AS calls,
    CAST(sum(CASE WHEN is_denied THEN 1 ELSE 0 END) AS BIGINT) AS denied_calls
  FROM looks
  GROUP BY probe_key
  HAVING count(DISTINCT call) >= $discovery_calls
      OR max(CASE WHEN is_denied THEN 1 ELSE 0 END) = 1
),
contributing AS (
  SELECT probe_key AS event_key, probe_key FROM confirmed
  UNION ALL
  SELECT l.event_key, l.probe_key FROM looks AS l JOIN confirmed AS c ON c.probe_key = l.probe_key
),
-- Two probes of one second lead to the same calls; each call is listed once.
listed AS (
  SELECT event_key, min(probe_key) AS probe_key FROM contributing GROUP BY event_key
),
-- Read by IN, not joined: the few that are listed are looked for among all events, never the other way round.
picked AS (
  SELECT
    event_key,
    event_time,
    actor,
    event_name_base AS action,
    resource,
    source_ip,
    coalesce(source_ip, source_ip_raw, '') AS address,
    credential_id,
    account_id,
    region,
    outcome,
    evidence,
    user_agent
  FROM aws_event
  WHERE event_key IN (SELECT event_key FROM listed)
)
SELECT
  coalesce(e.credential_id, '') || '|' || p.address || '|' || strftime(p.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.action,
  e.resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  e.event_key = l.probe_key AS is_probe,
  c.calls AS calls_after_probe,
  c.denied_calls,
  e.user_agent
FROM listed AS l
JOIN confirmed AS c ON c.probe_key = l.probe_key
JOIN picked AS p ON p.event_key = l.probe_key
JOIN picked AS e ON e.event_key = l.event_key
WHERE e.event_time >= $since
ORDER BY e.event_time NULLS LAST, e.event_key
