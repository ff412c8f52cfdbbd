-- ---
-- id = "aws.console_and_program_together"
-- kind = "detection"
-- title = "One principal worked at the console and by program at the same time or from the same address"
-- severity = "info"
-- confidence = "low"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1021.007", "T1538"]
-- attack_v19 = ["T1021.007", "T1538"]
-- attack_version = "18.1"
-- description = "A principal that has a session of the console also makes calls with another credential: from an address of the console session, or within the same half hour or the one beside it. Both belong to whoever sits there, which says what else is to be followed when one of them is the intruder's. Denied calls count. Of each pair of credentials the first call by program is listed; link says how they belong together."
-- misses = "Somebody who changes address and waits. A role that many people share links their sessions with each other."
-- false_positives = ["Ordinary work of administrators"]
-- next_steps = ["Follow both credentials: keytrail lineage", "Compare agent and address of both"]
-- references = ["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html"]
-- ---
WITH acts AS (
  SELECT
    e.event_key,
    e.event_epoch,
    e.actor,
    e.credential_id,
    e.source_ip,
    coalesce(json_extract_string(e.further_fields, '$.sessionCredentialFromConsole') = 'true', FALSE) AS at_console
  FROM aws_event AS e
  WHERE coalesce(e.credential_id, '') <> ''
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time >= $since
    AND e.event_time < $until
),
console_acts AS (
  SELECT * FROM acts WHERE at_console
),
console_sessions AS (
  SELECT DISTINCT credential_id FROM console_acts
),
-- Of all calls only those of principals that were at the console.
programs AS (
  SELECT a.event_key, a.event_epoch, a.actor, a.credential_id, a.source_ip
  FROM acts AS a
  LEFT JOIN console_sessions AS c ON c.credential_id = a.credential_id
  WHERE c.credential_id IS NULL
    AND a.actor IN (SELECT actor FROM console_acts)
),
places AS (
  SELECT DISTINCT actor, credential_id, source_ip FROM console_acts
),
half_hours AS (
  SELECT DISTINCT actor, credential_id, event_epoch // 1800 AS half_hour FROM console_acts
  UNION
  SELECT DISTINCT actor, credential_id, event_epoch // 1800 + 1 FROM console_acts
  UNION
  SELECT DISTINCT actor, credential_id, event_epoch // 1800 - 1 FROM console_acts
),
linked AS (
  SELECT p.event_key, p.event_epoch, p.credential_id, l.credential_id AS console_credential, 'same address' AS link
  FROM programs AS p
  JOIN places AS l ON l.actor = p.actor AND l.source_ip = p.source_ip
  UNION ALL
  SELECT p.event_key, p.event_epoch, p.credential_id, h.credential_id, 'same half hour'
  FROM programs AS p
  JOIN half_hours AS h ON h.actor = p.actor AND h.half_hour = p.event_epoch // 1800
),
pairs AS (
  SELECT
    event_key,
    credential_id,
    console_credential,
    min(link) OVER (
      PARTITION BY credential_id, console_credential ORDER BY event_epoch NULLS LAST, link NULLS LAST, event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS link,
    row_number() OVER (
      PARTITION BY credential_id, console_credential ORDER BY event_epoch NULLS LAST, link NULLS LAST, event_key
    ) AS place
  FROM linked
)
SELECT
  coalesce(e.actor, '') || '|' || p.console_credential AS finding_key,
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
  p.console_credential,
  p.link,
  e.session_name,
  e.user_agent
FROM pairs AS p
JOIN aws_event AS e ON e.event_key = p.event_key
WHERE p.place = 1
ORDER BY e.event_time NULLS LAST, p.console_credential NULLS LAST, e.event_key
