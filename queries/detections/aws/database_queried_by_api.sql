-- ---
-- id = "aws.database_queried_by_api"
-- kind = "detection"
-- title = "SQL was run through a data API by a principal new to it"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1213.006"]
-- attack_v19 = ["T1213.006"]
-- attack_version = "18.1"
-- description = "A statement was run through the data API of RDS or Redshift, or its result fetched, by a principal that had not made the same call before the end of the baseline. Denied attempts count, because they show the intent. Calls that a service makes for its caller are left out. Trails can leave the events of the RDS data API out."
-- misses = "Connections to the database itself. A stolen credential of a principal that makes such calls as its work."
-- false_positives = ["The back end of an application; without a stated T0 there is no baseline and every such call appears"]
-- next_steps = ["Read the database's own log", "Treat the secret that the call named as read"]
-- references = ["https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_ExecuteStatement.html", "https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ExecuteStatement.html"]
-- ---
WITH calls AS (
  SELECT e.*, coalesce(e.actor, '') AS caller
  FROM aws_event AS e
  WHERE ((e.event_source = 'rdsdata.amazonaws.com' AND e.event_name_base IN ('ExecuteStatement', 'BatchExecuteStatement'))
      OR (e.event_source = 'redshift-data.amazonaws.com'
        AND e.event_name_base IN ('ExecuteStatement', 'BatchExecuteStatement', 'GetStatementResult')))
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
    json_extract_string(c.request_parameters, '$.resourceArn'),
    json_extract_string(c.request_parameters, '$.database'),
    c.resource
  ) AS resource,
  c.source_ip,
  c.credential_id,
  c.account_id,
  c.region,
  c.outcome,
  c.event_key,
  c.evidence,
  json_extract_string(c.request_parameters, '$.secretArn') AS secret_arn,
  c.session_name,
  c.user_agent
FROM calls AS c
LEFT JOIN habits AS h ON h.caller = c.caller AND h.event_name_base = c.event_name_base
WHERE h.caller IS NULL
  AND c.event_time >= $since
ORDER BY c.event_time NULLS LAST, c.event_key
