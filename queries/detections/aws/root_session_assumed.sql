-- ---
-- id = "aws.root_session_assumed"
-- kind = "detection"
-- title = "A session as the root user of a member account was taken"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1548.005", "T1078.004"]
-- attack_v19 = ["T1548.005", "T1078.004"]
-- attack_version = "18.1"
-- description = "AssumeRoot was called for a member account, by a principal that had not made the same call before the end of the baseline. Denied attempts count, because they show the intent. Calls that a service makes for its caller are left out. Such a session may delete policies of buckets and queues and set root credentials."
-- misses = "A stolen credential of a principal that makes such calls as its work."
-- false_positives = ["Central management of root access, in its first days; without a stated T0 there is no baseline and every such call appears"]
-- next_steps = ["Ask the owner of the organisation", "List what the session did by next_credential_id", "Look for root credentials made in the member account"]
-- references = ["https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html"]
-- ---
WITH calls AS (
  SELECT e.*, coalesce(e.actor, '') AS caller
  FROM aws_event AS e
  WHERE e.event_source = 'sts.amazonaws.com'
    AND e.event_name_base = 'AssumeRoot'
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
  coalesce(
    json_extract_string(c.request_parameters, '$.targetPrincipal'),
    c.resource
  ) AS resource,
  c.source_ip,
  c.credential_id,
  c.account_id,
  c.region,
  c.outcome,
  c.event_key,
  c.evidence,
  json_extract_string(c.request_parameters, '$.taskPolicyArn.arn') AS task_policy,
  c.issued_credential_id AS next_credential_id,
  c.session_name,
  c.user_agent
FROM calls AS c
LEFT JOIN habits AS h ON h.caller = c.caller
WHERE h.caller IS NULL
  AND c.event_time >= $since
ORDER BY c.event_time NULLS LAST, c.event_key
