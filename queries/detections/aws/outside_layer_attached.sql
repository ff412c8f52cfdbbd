-- ---
-- id = "aws.outside_layer_attached"
-- kind = "detection"
-- title = "A function was given a layer of another account"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1546", "T1525"]
-- attack_v19 = ["T1546", "T1525"]
-- attack_version = "18.1"
-- description = "A Lambda function was created or changed with a layer whose account is neither the event's own nor one of the case's own, and no function had a layer of that account before the end of the baseline: its code runs inside the function and sees its environment. Denied attempts count, because they show the intent. A function has at most five layers; each is looked at."
-- misses = "Layers of accounts that were in use before. Code within the function's own package or image."
-- false_positives = ["The layer of a monitoring vendor or of AWS, at its first use or without a stated T0", "An own account that the case does not state"]
-- next_steps = ["Ask who owns the layer's account", "Take the layer off and keep a copy of its code", "Treat the secrets of the function's environment as read"]
-- references = ["https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html", "https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html"]
-- ---
WITH changes AS (
  SELECT e.*, coalesce(e.actor, '') AS caller
  FROM aws_event AS e
  WHERE e.event_source = 'lambda.amazonaws.com'
    AND e.event_name_base IN ('UpdateFunctionConfiguration', 'CreateFunction')
    AND e.outcome IN ('success', 'denied')
    AND e.event_time < $until
),
layers AS (
  SELECT event_key, event_time, account_id, json_extract_string(request_parameters, '$.layers[0]') AS layer_arn FROM changes
  UNION ALL
  SELECT event_key, event_time, account_id, json_extract_string(request_parameters, '$.layers[1]') AS layer_arn FROM changes
  UNION ALL
  SELECT event_key, event_time, account_id, json_extract_string(request_parameters, '$.layers[2]') AS layer_arn FROM changes
  UNION ALL
  SELECT event_key, event_time, account_id, json_extract_string(request_parameters, '$.layers[3]') AS layer_arn FROM changes
  UNION ALL
  SELECT event_key, event_time, account_id, json_extract_string(request_parameters, '$.layers[4]') AS layer_arn FROM changes
),
outside_layers AS (
  SELECT
    l.event_key,
    l.event_time,
    l.layer_arn,
    regexp_extract(l.layer_arn, '^arn:[a-z-]*:lambda:[^:]*:([0-9]{12}):layer:', 1) AS layer_account
  FROM layers AS l
  LEFT JOIN case_value AS o
    ON o.kind = 'own_account'
   AND o.value = regexp_extract(l.layer_arn, '^arn:[a-z-]*:lambda:[^:]*:([0-9]{12}):layer:', 1)
  WHERE o.value IS NULL
    AND regexp_matches(l.layer_arn, '^arn:[a-z-]*:lambda:[^:]*:[0-9]{12}:layer:')
    AND regexp_extract(l.layer_arn, '^arn:[a-z-]*:lambda:[^:]*:([0-9]{12}):layer:', 1) <> coalesce(l.account_id, '')
),
habits AS (
  SELECT DISTINCT layer_account FROM outside_layers WHERE event_time < $baseline_until
),
found AS (
  SELECT l.event_key, min(l.layer_arn) AS layer_arn, min(l.layer_account) AS layer_account
  FROM outside_layers AS l
  LEFT JOIN habits AS h ON h.layer_account = l.layer_account
  WHERE h.layer_account IS NULL
  GROUP BY l.event_key
)
SELECT
  c.caller || '|' || f.layer_account || '|' || strftime(c.event_time, '%Y-%m-%d') AS finding_key,
  c.event_time,
  c.actor,
  c.event_name_base AS action,
  coalesce(c.request_function, c.resource) AS resource,
  c.source_ip,
  c.credential_id,
  c.account_id,
  c.region,
  c.outcome,
  c.event_key,
  c.evidence,
  f.layer_arn,
  f.layer_account,
  c.session_name,
  c.user_agent
FROM found AS f
JOIN changes AS c ON c.event_key = f.event_key
WHERE c.event_time >= $since
ORDER BY c.event_time NULLS LAST, c.event_key
