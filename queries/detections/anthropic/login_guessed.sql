-- ---
-- id = "anthropic.login_guessed"
-- kind = "detection"
-- title = "Logins of an Anthropic organisation failed in a row and then succeeded, or failed for many users from one address"
-- severity = "high"
-- confidence = "medium"
-- sources = ["anthropic_activity"]
-- needs = ["anthropic_activity"]
-- attack = ["T1078.004", "T1110.004"]
-- attack_v19 = ["T1078.004", "T1110.004"]
-- attack_version = "18.1"
-- description = "A login, by single sign-on or by a link sent by mail, that succeeded after at least min_failures failed ones of the same user within half an hour, with those failures; or an address from which the logins of at least spray_users different users failed within two adjacent stretches of thirty minutes. kind says which."
-- misses = "One right guess, a stolen session, and guessing spread over addresses and days. New addresses of a user are not judged here."
-- false_positives = ["Somebody who forgot a password", "A shared address with an outage of the single sign-on"]
-- next_steps = ["Ask the user about the time and the address", "End the user's sessions", "List what the user changed afterwards"]
-- references = ["https://platform.claude.com/docs/en/manage-claude/compliance-activity-feed"]
--
-- [params]
-- min_failures = { type = "integer", doc = "Failed logins of a user before the success", default = 5 }
-- spray_users = { type = "integer", doc = "Users whose logins failed from one address", default = 5 }
-- ---
WITH logins AS (
  SELECT
    event_key,
    coalesce(owner, '') || '|' || coalesce(actor_email, actor_id, event_key) AS who,
    coalesce(owner, '') || '|' || coalesce(source_ip, event_key) AS address,
    epoch_ms(event_time) // 1000 AS epoch,
    ends_with(action, '_login_failed') AS failed
  FROM ai_audit_event
  WHERE provider = 'anthropic'
    AND (ends_with(action, '_login_failed') OR ends_with(action, '_login_succeeded'))
    AND event_time < $until
),
counted AS (
  SELECT
    event_key,
    who,
    epoch,
    failed,
    count(*) FILTER (WHERE failed) OVER (
      PARTITION BY who ORDER BY epoch NULLS LAST RANGE BETWEEN 1800 PRECEDING AND CURRENT ROW
    ) AS failures
  FROM logins
),
entered AS (
  SELECT who, epoch, failures FROM counted WHERE NOT failed AND failures >= $min_failures
),
guessed AS (
  SELECT c.event_key, max(n.failures) AS failures
  FROM counted AS c
  JOIN entered AS n ON n.who = c.who
  WHERE c.epoch <= n.epoch
    AND c.epoch >= n.epoch - 1800
    AND (c.failed OR c.epoch = n.epoch)
  GROUP BY c.event_key
),
stretch_windows AS (
  SELECT address, epoch // 1800 AS first_stretch, who FROM logins WHERE failed
  UNION ALL
  SELECT address, epoch // 1800 - 1 AS first_stretch, who FROM logins WHERE failed
),
sprays AS (
  SELECT address, first_stretch, count(DISTINCT who) AS users
  FROM stretch_windows
  GROUP BY address, first_stretch
  HAVING count(DISTINCT who) >= $spray_users
),
sprayed AS (
  SELECT l.event_key, max(s.users) AS users
  FROM logins AS l
  JOIN sprays AS s ON s.address = l.address
  WHERE l.failed
    AND (l.epoch // 1800 = s.first_stretch OR l.epoch // 1800 = s.first_stretch + 1)
  GROUP BY l.event_key
)
SELECT
  coalesce(a.owner, '') || '|' || CASE WHEN g.event_key IS NULL THEN coalesce(a.source_ip, '') ELSE coalesce(a.actor_email, a.actor_id, '') END
    || '|' || strftime(a.event_time, '%Y-%m-%d') AS finding_key,
  a.event_time,
  coalesce(a.actor_email, a.actor_key_id, a.actor_id, a.actor_type) AS actor,
  a.action,
  coalesce(a.target_key_id, a.target_id) AS resource,
  a.source_ip,
  a.actor_key_id AS credential_id,
  a.organisation AS account_id,
  CAST(NULL AS VARCHAR) AS region,
  coalesce(a.outcome, 'success') AS outcome,
  a.event_key,
  a.evidence,
  CASE WHEN g.event_key IS NULL THEN 'spraying' ELSE 'guessing' END AS kind,
  g.failures,
  s.users,
  a.user_agent
FROM ai_audit_event AS a
LEFT JOIN guessed AS g ON g.event_key = a.event_key
LEFT JOIN sprayed AS s ON s.event_key = a.event_key
WHERE (g.event_key IS NOT NULL OR s.event_key IS NOT NULL)
  AND a.event_time >= $since
ORDER BY a.event_time NULLS LAST, a.event_key
