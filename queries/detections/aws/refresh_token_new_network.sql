-- ---
-- id = "aws.refresh_token_new_network"
-- kind = "detection"
-- title = "A refresh token of Cognito was used from a network new to its user"
-- severity = "medium"
-- confidence = "low"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1528", "T1550.001"]
-- attack_v19 = ["T1528", "T1550.001"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "Tokens were renewed with a refresh token from an IPv4 /24 or IPv6 /48 from which the same user of the same client neither signed in nor renewed tokens in the baseline. A refresh token lives for days to years and needs no password. Users with less than the least baseline carry baseline_state none. Refused renewals are left out. Of each user and network the first call is listed, calls counts them."
-- misses = "A token used in the network of its user. Renewals whose record does not tell the user."
-- false_positives = ["A phone that moves between networks"]
-- next_steps = ["Ask the user", "Revoke the user's refresh tokens", "See what the session was given: roles and identity pools"]
-- references = ["https://docs.aws.amazon.com/cognito/latest/developerguide/logging-using-cloudtrail.html", "https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_GetTokensFromRefreshToken.html"]
--
-- [params]
-- min_baseline_calls = { type = "integer", doc = "Sign-ins and renewals of a user in the baseline for the user's networks to be known", default = 3 }
-- ---
WITH sign_ins AS (
  SELECT
    event_key,
    event_time,
    event_epoch,
    json_extract_string(additional_event_data, '$.sub') AS pool_user,
    coalesce(json_extract_string(request_parameters, '$.clientId'), '') AS client,
    CASE
      WHEN source_ip_key LIKE '00000000000000000000ffff%' THEN substr(source_ip_key, 1, 30)
      ELSE substr(source_ip_key, 1, 12)
    END AS network,
    event_name_base = 'GetTokensFromRefreshToken'
      OR coalesce(json_extract_string(request_parameters, '$.authFlow'), '') IN ('REFRESH_TOKEN_AUTH', 'REFRESH_TOKEN') AS renews
  FROM aws_event
  WHERE event_source = 'cognito-idp.amazonaws.com'
    AND event_name_base IN ('InitiateAuth', 'AdminInitiateAuth', 'RespondToAuthChallenge', 'GetTokensFromRefreshToken')
    AND outcome = 'success'
    AND source_class = 'public'
    AND json_extract_string(additional_event_data, '$.sub') IS NOT NULL
    AND event_time < $until
),
baselines AS (
  SELECT pool_user, client, count(*) AS baseline_calls FROM sign_ins WHERE event_time < $baseline_until GROUP BY pool_user, client
),
known_networks AS (
  SELECT DISTINCT pool_user, client, network FROM sign_ins WHERE event_time < $baseline_until
),
moved AS (
  SELECT
    s.event_key,
    s.pool_user,
    s.client,
    count(*) OVER (
      PARTITION BY s.pool_user, s.client, s.network ORDER BY s.event_epoch NULLS LAST, s.event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS calls,
    row_number() OVER (
      PARTITION BY s.pool_user, s.client, s.network ORDER BY s.event_epoch NULLS LAST, s.event_key
    ) AS place
  FROM sign_ins AS s
  LEFT JOIN known_networks AS k ON k.pool_user = s.pool_user AND k.client = s.client AND k.network = s.network
  WHERE s.renews
    AND k.pool_user IS NULL
    AND s.event_time >= $since
)
SELECT
  m.pool_user || '|' || m.client AS finding_key,
  e.event_time,
  coalesce(e.actor, m.pool_user) AS actor,
  e.event_name_base AS action,
  m.client AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  CASE WHEN coalesce(b.baseline_calls, 0) >= $min_baseline_calls THEN 'sufficient' ELSE 'none' END AS baseline_state,
  m.pool_user,
  m.calls,
  e.user_agent
FROM moved AS m
JOIN aws_event AS e ON e.event_key = m.event_key
LEFT JOIN baselines AS b ON b.pool_user = m.pool_user AND b.client = m.client
WHERE m.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
