-- ---
-- id = "aws.database_credentials_issued"
-- kind = "detection"
-- title = "Credentials for a database were issued to a principal new to it"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1555.006"]
-- attack_v19 = ["T1555.006"]
-- attack_version = "18.1"
-- description = "Temporary credentials of a Redshift cluster or workgroup were asked for, or a connection of the migration service was tried, by a principal that had not made the same call before the end of the baseline. Denied attempts count, because they show the intent. Calls that a service makes for its caller are left out."
-- misses = "Logins with IAM tokens to RDS, which CloudTrail does not record. A stolen credential of a principal that makes such calls as its work."
-- false_positives = ["Work on a database; without a stated T0 there is no baseline and every such call appears"]
-- next_steps = ["Look into the database's own log for the login and its statements"]
-- references = ["https://docs.aws.amazon.com/redshift/latest/APIReference/API_GetClusterCredentials.html", "https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_GetCredentials.html"]
-- ---
WITH calls AS (
  SELECT e.*, coalesce(e.actor, '') AS caller
  FROM aws_event AS e
  WHERE ((e.event_source = 'redshift.amazonaws.com'
        AND e.event_name_base IN ('GetClusterCredentials', 'GetClusterCredentialsWithIAM'))
      OR (e.event_source = 'redshift-serverless.amazonaws.com' AND e.event_name_base = 'GetCredentials')
      OR (e.event_source = 'dms.amazonaws.com' AND e.event_name_base = 'TestConnection'))
    AND e.outcome IN ('success', 'denied')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
habits AS (
  SELECT DISTINCT caller, event_name_base FROM calls WHERE event_time < $baseline_until
)
SELECT
  c.caller || '|' || coalesce(c.credential_id, '') || '|' || strftime(c.event_time, '%Y-%m-%d') AS finding_key,
  c.event_time,
  c.actor,
  c.event_name_base AS action,
  coalesce(
    json_extract_string(c.request_parameters, '$.clusterIdentifier'),
    json_extract_string(c.request_parameters, '$.workgroupName'),
    c.resource
  ) AS resource,
  c.source_ip,
  c.credential_id,
  c.account_id,
  c.region,
  c.outcome,
  c.event_key,
  c.evidence,
  json_extract_string(c.request_parameters, '$.dbUser') AS database_user,
  c.session_name,
  c.user_agent
FROM calls AS c
LEFT JOIN habits AS h ON h.caller = c.caller AND h.event_name_base = c.event_name_base
WHERE h.caller IS NULL
  AND c.event_time >= $since
ORDER BY c.event_time NULLS LAST, c.event_key
