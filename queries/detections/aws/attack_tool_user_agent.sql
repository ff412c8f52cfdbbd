-- ---
-- id = "aws.attack_tool_user_agent"
-- kind = "detection"
-- title = "A tool for attacks or for mass transfer named itself in the user agent"
-- severity = "medium"
-- confidence = "low"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1059.009"]
-- attack_v19 = ["T1059.009"]
-- attack_version = "18.1"
-- description = "The user agent of a call names a system made for intrusion tests, a tool that searches cloud accounts or for keys, a program that copies whole stores, or a bare HTTP library instead of an SDK. A principal that used the same tool before the end of the baseline is left out. Denied attempts count. Of each tool, credential, address and day the first call is listed; calls says how many there were. The user agent is what the caller says about itself: it proves nothing, and its absence proves nothing either."
-- misses = "Tools that name themselves like an SDK or a browser. Tools that are not on the list."
-- false_positives = ["Intrusion tests and posture scanners that were ordered", "Backups and transfers with these programs", "Without a stated T0 there is no baseline, so every such call appears"]
-- next_steps = ["Ask the security team whether they ordered a test", "List everything the credential did", "Compare the address with those of the incident"]
-- references = ["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html"]
-- ---
WITH named AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS caller,
    regexp_extract(
      lower(coalesce(e.user_agent, '')),
      '(kali|parrot|pentoo|trufflehog|pacu|cloudfox|scoutsuite|scout suite|prowler|cloudmapper|s3 browser|cyberduck|winscp|rclone|python-requests|python-urllib|go-http-client|aiohttp|libcurl|curl/|wget/)', 1
    ) AS tool
  FROM aws_event AS e
  WHERE e.outcome IN ('success', 'denied')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
tool_calls AS (
  SELECT * FROM named WHERE tool <> ''
),
habits AS (
  SELECT DISTINCT caller, tool FROM tool_calls WHERE event_time < $baseline_until
),
numbered AS (
  SELECT
    c.event_key,
    c.caller,
    c.tool,
    count(*) OVER (
      PARTITION BY c.caller, c.tool, c.credential_id, c.source_ip_raw, c.event_epoch // 86400
    ) AS calls,
    row_number() OVER (
      PARTITION BY c.caller, c.tool, c.credential_id, c.source_ip_raw, c.event_epoch // 86400
      ORDER BY c.event_epoch NULLS LAST, c.event_key
    ) AS place
  FROM tool_calls AS c
  LEFT JOIN habits AS h ON h.caller = c.caller AND h.tool = c.tool
  WHERE h.caller IS NULL
    AND c.event_time >= $since
)
SELECT
  n.caller || '|' || n.tool || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
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
  n.tool,
  n.calls,
  e.session_name,
  e.user_agent
FROM numbered AS n
JOIN aws_event AS e ON e.event_key = n.event_key
WHERE n.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
