-- ---
-- id = "aws.device_code_session_moved"
-- kind = "detection"
-- title = "A sign-in by device code was used from another address than it was asked for"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1528", "T1078.004"]
-- attack_v19 = ["T1528", "T1078.004"]
-- attack_version = "18.1"
-- description = "A token of IAM Identity Center was made with a device code, and within used_within_seconds the same person's accounts, roles or role credentials were asked for from an address of another IPv4 /24 or IPv6 /48. This is what is left when somebody confirms a code that an intruder sent. The token and the later calls are listed; step says which is which. Only successful calls count. Of each person, call and address the first is listed."
-- misses = "A victim and an intruder in one network. Tokens made by a browser sign-in. Records that do not name the person."
-- false_positives = ["A developer who signs in from a remote machine", "A change of network in between, such as a VPN"]
-- next_steps = ["Ask the person whether they confirmed a code, and who sent it", "End the person's sessions in IAM Identity Center", "List what the role sessions did that were opened"]
-- references = ["https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/API_CreateToken.html", "https://docs.aws.amazon.com/singlesignon/latest/userguide/logging-using-cloudtrail.html"]
--
-- [params]
-- used_within_seconds = { type = "integer", doc = "Seconds after the token in which its use from elsewhere counts", default = 3600 }
-- ---
WITH calls AS (
  SELECT
    event_key,
    event_time,
    event_epoch,
    event_name_base,
    coalesce(
      json_extract_string(user_identity, '$.onBehalfOf.userId'),
      principal_id,
      user_name
    ) AS person,
    CASE
      WHEN source_ip_key LIKE '00000000000000000000ffff%' THEN substr(source_ip_key, 1, 30)
      ELSE substr(source_ip_key, 1, 12)
    END AS network,
    json_extract_string(request_parameters, '$.grantType') AS grant_type
  FROM aws_event
  WHERE event_source IN ('sso.amazonaws.com', 'sso-oauth.amazonaws.com')
    AND event_name_base IN ('CreateToken', 'GetRoleCredentials', 'ListAccounts', 'ListAccountRoles', 'Federate')
    AND outcome = 'success'
    AND event_time < $until
),
tokens AS (
  SELECT event_key, event_epoch, person, network
  FROM calls
  WHERE event_name_base = 'CreateToken'
    AND coalesce(grant_type, '') = 'urn:ietf:params:oauth:grant-type:device_code'
),
moves AS (
  SELECT t.event_key AS token_key, c.event_key AS use_key, t.person
  FROM tokens AS t
  JOIN calls AS c ON c.person = t.person
  WHERE c.event_name_base <> 'CreateToken'
    AND c.network <> t.network
    AND c.event_epoch >= t.event_epoch
    AND c.event_epoch <= t.event_epoch + $used_within_seconds
),
steps AS (
  SELECT token_key AS event_key, person, 'token' AS step FROM moves
  UNION
  SELECT use_key AS event_key, person, 'use elsewhere' AS step FROM moves
),
numbered AS (
  SELECT
    s.event_key,
    s.person,
    s.step,
    row_number() OVER (
      PARTITION BY s.person, s.step, c.event_name_base, c.network ORDER BY c.event_epoch NULLS LAST, c.event_key
    ) AS place
  FROM steps AS s
  JOIN calls AS c ON c.event_key = s.event_key
  WHERE c.event_time >= $since
)
SELECT
  n.person || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
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
  n.step,
  n.person,
  e.user_agent
FROM numbered AS n
JOIN aws_event AS e ON e.event_key = n.event_key
WHERE n.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
