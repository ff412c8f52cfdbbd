-- ---
-- id = "aws.key_workload_entered"
-- kind = "detection"
-- title = "A workload that holds customers' keys was entered or its code replaced"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["key_inventory", "aws_events"]
-- attack = ["T1651", "T1552.001"]
-- attack_v19 = ["T1651", "T1552.001"]
-- attack_version = "18.1"
-- atlas = ["AML.T0055"]
-- baseline_days = 7
-- description = "The inventory names a function, a container service or an instance as the place of keys, and a principal replaced the function's code or settings, ran a command in the service, or opened a session on the instance or sent it a command, and did not make that call in the baseline. Who is inside reads the keys from memory or environment without any event: they are possibly exposed. keys and customers count them. Only successful calls count."
-- misses = "Shells that are opened outside of AWS, and workloads that the inventory does not name."
-- false_positives = ["An engineer on duty", "A deployment by a new role"]
-- next_steps = ["Ask who opened the session", "Treat the keys of the workload as possibly exposed", "Compare the function's code with the repository"]
-- references = ["https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartSession.html", "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ExecuteCommand.html", "https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html"]
-- ---
WITH telling_calls(family, source, call) AS (
  VALUES
    ('lambda', 'lambda.amazonaws.com', 'UpdateFunctionCode'),
    ('lambda', 'lambda.amazonaws.com', 'UpdateFunctionConfiguration'),
    ('ecs', 'ecs.amazonaws.com', 'ExecuteCommand'),
    ('ecs', 'ecs.amazonaws.com', 'UpdateService'),
    ('ecs', 'ecs.amazonaws.com', 'RegisterTaskDefinition'),
    ('ec2', 'ssm.amazonaws.com', 'StartSession'),
    ('ec2', 'ssm.amazonaws.com', 'SendCommand'),
    ('ec2', 'ssm.amazonaws.com', 'ResumeSession'),
    ('ec2', 'ec2-instance-connect.amazonaws.com', 'SendSSHPublicKey'),
    ('ec2', 'ec2-instance-connect.amazonaws.com', 'SendSerialConsoleSSHPublicKey')
),
calls AS (
  SELECT
    e.event_key,
    e.event_time,
    t.family,
    t.call,
    coalesce(e.actor, '') AS principal,
    coalesce(e.request_parameters, '') || coalesce(e.resources, '') AS said,
    coalesce(e.region, '') AS region
  FROM aws_event AS e
  JOIN telling_calls AS t ON t.source = e.event_source AND t.call = e.event_name_base
  WHERE e.outcome = 'success'
    AND coalesce(e.identity_type, '') <> 'AWSService'
),
-- The place's last name, as calls give it, whether it is written short or as an ARN.
keys AS (
  SELECT
    key_provider || '|' || coalesce(key_id, key_name, location) AS key,
    min(customer) AS customer,
    CASE WHEN regexp_matches(location_raw, '^(arn:aws[a-z-]*:)?lambda:') THEN 'lambda' WHEN regexp_matches(location_raw, '^(arn:aws[a-z-]*:)?ecs:') THEN 'ecs' WHEN regexp_matches(location_raw, '^(arn:aws[a-z-]*:)?ec2:') THEN 'ec2' END AS family,
    regexp_extract(location, '([^:/]+)$', 1) AS name
  FROM ai_key_standing
  GROUP BY key_provider || '|' || coalesce(key_id, key_name, location), location_raw, location
),
known_calls AS (
  SELECT DISTINCT principal, call FROM calls WHERE event_time < $baseline_until
),
touching AS (
  SELECT c.event_key, min(n.name) AS name, count(DISTINCT n.key) AS keys, count(DISTINCT n.customer) AS customers,
    min(n.customer) AS customer
  FROM calls AS c
  JOIN keys AS n ON n.family = c.family
  LEFT JOIN known_calls AS k ON k.principal = c.principal AND k.call = c.call
  WHERE k.principal IS NULL
    AND (contains(c.said, '"' || n.name || '"') OR contains(c.said, ':' || n.name || '"')
      OR contains(c.said, '/' || n.name || '"'))
  GROUP BY c.event_key
)
SELECT
  t.name || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  t.name AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  t.keys,
  t.customers,
  t.customer,
  e.session_name
FROM touching AS t
JOIN aws_event AS e ON e.event_key = t.event_key
WHERE e.event_time >= $since
  AND e.event_time < $until
ORDER BY e.event_time NULLS LAST, e.event_key
