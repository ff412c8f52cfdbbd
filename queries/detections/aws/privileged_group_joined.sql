-- ---
-- id = "aws.privileged_group_joined"
-- kind = "detection"
-- title = "A user was added to a group whose name speaks of rights"
-- severity = "medium"
-- confidence = "low"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1098.003"]
-- attack_v19 = ["T1098.003"]
-- attack_version = "18.1"
-- description = "A user was added to a group whose name holds admin, power, security, root, full access or operations, by a principal that had not made the same call before the end of the baseline. Denied attempts count, because they show the intent. Calls that a service makes for its caller are left out."
-- misses = "A group of rights under a harmless name: read its policies. A stolen credential of a principal that makes such calls as its work."
-- false_positives = ["A new colleague; without a stated T0 there is no baseline and every such call appears"]
-- next_steps = ["Read the policies of the group", "Ask who ordered it"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddUserToGroup.html"]
-- ---
WITH calls AS (
  SELECT e.*, coalesce(e.actor, '') AS caller
  FROM aws_event AS e
  WHERE e.event_source = 'iam.amazonaws.com'
    AND e.event_name_base = 'AddUserToGroup'
    AND regexp_matches(lower(coalesce(json_extract_string(e.request_parameters, '$.groupName'), '')), 'admin|power|secur|root|full-?access|(^|[^a-z])ops([^a-z]|$)|operat|superuser')
    AND e.outcome IN ('success', 'denied')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
habits AS (
  SELECT DISTINCT caller FROM calls WHERE event_time < $baseline_until
)
SELECT
  c.caller || '|' || coalesce(c.credential_id, '') || '|' || strftime(c.event_time, '%Y-%m-%d') AS finding_key,
  c.event_time,
  c.actor,
  c.event_name_base AS action,
  c.request_user_name AS resource,
  c.source_ip,
  c.credential_id,
  c.account_id,
  c.region,
  c.outcome,
  c.event_key,
  c.evidence,
  json_extract_string(c.request_parameters, '$.groupName') AS group_name,
  c.session_name,
  c.user_agent
FROM calls AS c
LEFT JOIN habits AS h ON h.caller = c.caller
WHERE h.caller IS NULL
  AND c.event_time >= $since
ORDER BY c.event_time NULLS LAST, c.event_key
