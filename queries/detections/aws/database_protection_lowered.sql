-- ---
-- id = "aws.database_protection_lowered"
-- kind = "detection"
-- title = "The protection of a database was lowered or its master password was set"
-- severity = "medium"
-- confidence = "low"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1485", "T1098", "T1555.006"]
-- attack_v19 = ["T1485", "T1098", "T1555.006"]
-- attack_version = "18.1"
-- description = "A database instance or cluster of RDS was changed so that it can be deleted, keeps no backups or lets nobody in by IAM, or its master password was set, by a principal that had not made the same change before the end of the baseline; or a security group of the old kind was opened. change says which. Denied attempts count, because they show the intent. Calls that a service makes for its caller are left out. Databases opened to the internet: aws.network_opened_to_all."
-- misses = "Changes inside the database. A stolen credential of those who run the databases as their work."
-- false_positives = ["An environment that is about to be taken down", "A rotation of the password by hand"]
-- next_steps = ["Ask who ordered the change", "Look for logins to the database from new addresses", "Turn the protection on again and take a snapshot"]
-- references = ["https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html", "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html"]
-- ---
WITH changes AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS caller,
    CASE
      WHEN e.event_name_base = 'AuthorizeDBSecurityGroupIngress' THEN 'group opened'
      WHEN coalesce(json_extract_string(e.request_parameters, '$.deletionProtection'), '') = 'false' THEN 'deletion allowed'
      WHEN coalesce(json_extract_string(e.request_parameters, '$.backupRetentionPeriod'), '') = '0' THEN 'no backups'
      WHEN json_extract_string(e.request_parameters, '$.masterUserPassword') IS NOT NULL THEN 'master password'
      WHEN coalesce(json_extract_string(e.request_parameters, '$.enableIAMDatabaseAuthentication'), '') = 'false' THEN 'no IAM login'
    END AS change
  FROM aws_event AS e
  WHERE e.event_source = 'rds.amazonaws.com'
    AND e.event_name_base IN ('ModifyDBInstance', 'ModifyDBCluster', 'AuthorizeDBSecurityGroupIngress')
    AND e.outcome IN ('success', 'denied')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
habits AS (
  SELECT DISTINCT caller, change FROM changes WHERE event_time < $baseline_until
)
SELECT
  c.caller || '|' || coalesce(c.credential_id, '') || '|' || strftime(c.event_time, '%Y-%m-%d') AS finding_key,
  c.event_time,
  c.actor,
  c.event_name_base AS action,
  coalesce(
    json_extract_string(c.request_parameters, '$.dBInstanceIdentifier'),
    json_extract_string(c.request_parameters, '$.dBClusterIdentifier'),
    json_extract_string(c.request_parameters, '$.dBSecurityGroupName'),
    c.resource
  ) AS resource,
  c.source_ip,
  c.credential_id,
  c.account_id,
  c.region,
  c.outcome,
  c.event_key,
  c.evidence,
  c.change,
  json_extract_string(c.request_parameters, '$.cIDRIP') AS opened_to,
  c.session_name,
  c.user_agent
FROM changes AS c
LEFT JOIN habits AS h ON h.caller = c.caller AND h.change = c.change
WHERE h.caller IS NULL
  AND c.change IS NOT NULL
  AND c.event_time >= $since
ORDER BY c.event_time NULLS LAST, c.event_key
