-- ---
-- id = "aws.user_created"
-- kind = "detection"
-- title = "An IAM user was created by a principal that does not usually do so"
-- severity = "medium"
-- confidence = "low"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1136.003"]
-- attack_v19 = ["T1136.003"]
-- attack_version = "18.1"
-- description = "An IAM user was created, or it was tried, by a principal that created none before the end of the baseline. Denied attempts count, because they show the intent. Users that a service creates for its caller are left out. credentials_given counts what the user got within a day in keys, passwords, service credentials, policies and groups."
-- misses = "Users that CloudFormation creates for an intruder. A stolen credential of a principal that creates users as its work."
-- false_positives = ["A new colleague or machine user", "Infrastructure tools in their first days; without a stated T0 there is no baseline and every creation appears"]
-- next_steps = ["Ask who ordered the user", "List what the user was given and what it did", "Disable the user's keys and password if nobody claims it"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html", "https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html"]
-- ---
WITH creations AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS caller,
    coalesce(e.account_id, '') AS account
  FROM aws_event AS e
  WHERE e.event_source = 'iam.amazonaws.com'
    AND e.event_name_base = 'CreateUser'
    AND e.outcome IN ('success', 'denied')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
habits AS (
  SELECT DISTINCT caller FROM creations WHERE event_time < $baseline_until
),
gifts AS (
  SELECT event_key, event_epoch, coalesce(account_id, '') AS account, request_user_name AS new_user
  FROM aws_event
  WHERE event_source = 'iam.amazonaws.com'
    AND event_name_base IN ('CreateAccessKey', 'CreateLoginProfile', 'CreateServiceSpecificCredential',
                            'AttachUserPolicy', 'PutUserPolicy', 'AddUserToGroup')
    AND outcome = 'success'
),
armed AS (
  SELECT c.event_key, count(DISTINCT g.event_key) AS credentials_given
  FROM creations AS c
  JOIN gifts AS g ON g.account = c.account AND g.new_user = c.request_user_name
  WHERE g.event_epoch >= c.event_epoch
    AND g.event_epoch <= c.event_epoch + 86400
  GROUP BY c.event_key
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
  coalesce(a.credentials_given, 0) AS credentials_given,
  c.session_name,
  c.user_agent
FROM creations AS c
LEFT JOIN habits AS h ON h.caller = c.caller
LEFT JOIN armed AS a ON a.event_key = c.event_key
WHERE h.caller IS NULL
  AND c.event_time >= $since
ORDER BY c.event_time NULLS LAST, c.event_key
