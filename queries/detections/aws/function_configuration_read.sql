-- ---
-- id = "aws.function_configuration_read"
-- kind = "detection"
-- title = "The environment variables of functions were read by a principal new to them"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1552.001", "T1526"]
-- attack_v19 = ["T1552.001", "T1526"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "A principal read the configuration of a Lambda function that it did not read in the baseline, or listed functions without having listed them there. The answer holds the environment variables in clear, and a listing holds those of every function. Only successful calls count; calls by service-linked roles do not."
-- misses = "A stolen credential of a principal that reads these functions every day. Functions whose variables are encrypted on the client's side are reported though their values stay closed. Code that holds a key itself."
-- false_positives = ["Deployment of a new function", "A posture scanner or an engineer in the console for the first time"]
-- next_steps = ["List the functions whose environment held provider keys at that time", "Look for KMS decryptions with the function in the context", "Treat those keys as exposed by configuration"]
-- references = ["https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html", "https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html", "https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html"]
-- ---
WITH configuration_reads AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS reader,
    coalesce(e.account_id, '') || '/' || coalesce(e.region, '') || '/'
      || CASE WHEN e.event_name_base = 'ListFunctions' THEN '*' ELSE coalesce(i.value, '') END AS function_id,
    i.value AS function_name
  FROM aws_event AS e
  LEFT JOIN aws_event_item AS i ON i.event_key = e.event_key AND i.kind = 'function'
  WHERE e.event_source = 'lambda.amazonaws.com'
    AND e.event_name_base IN ('GetFunction', 'GetFunctionConfiguration', 'ListFunctions', 'ListVersionsByFunction')
    AND e.outcome = 'success'
    AND coalesce(e.identity_type, '') <> 'AWSService'
    AND NOT contains(coalesce(e.actor, ''), ':role/aws-service-role/')
    AND e.event_time < $until
),
known_readers AS (
  SELECT DISTINCT function_id, reader FROM configuration_reads WHERE event_time < $baseline_until
)
SELECT
  r.reader || '|' || coalesce(r.credential_id, '') || '|' || strftime(r.event_time, '%Y-%m-%d') AS finding_key,
  r.event_time,
  r.actor,
  r.event_name_base AS action,
  coalesce(r.function_name, r.resource) AS resource,
  r.source_ip,
  r.credential_id,
  r.account_id,
  r.region,
  r.outcome,
  r.event_key,
  r.evidence,
  r.event_name_base = 'ListFunctions' AS all_functions,
  r.session_name,
  r.invoked_by,
  r.user_agent
FROM configuration_reads AS r
LEFT JOIN known_readers AS k ON k.function_id = r.function_id AND k.reader = r.reader
WHERE k.reader IS NULL
  AND r.event_time >= $since
  AND r.event_time < $until
ORDER BY r.event_time NULLS LAST, r.event_key
