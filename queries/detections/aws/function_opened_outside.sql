-- ---
-- id = "aws.function_opened_outside"
-- kind = "detection"
-- title = "A function or layer was opened to another account, to everybody or to the internet"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1098.003", "T1546"]
-- attack_v19 = ["T1098.003", "T1546"]
-- attack_version = "18.1"
-- description = "A permission on a Lambda function or layer was given to everybody, to an account that is neither the event's own nor one of the case's own, to a service without naming the source, or to a receiver that the record does not name; or a function got an address on the internet that asks for no credentials. opened_to says which. Denied attempts count, because they show the intent. Calls that a service makes for its caller are left out."
-- misses = "Own accounts that the intruder holds too. A function opened through API Gateway or a load balancer. Code that calls out by itself."
-- false_positives = ["Receivers of webhooks", "A layer shared with all accounts of an organisation", "An own account that the case does not state"]
-- next_steps = ["Read the function's policy and its address", "List the calls of the function since then", "Remove the permission and look at what the function's role may do"]
-- references = ["https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html", "https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunctionUrlConfig.html", "https://docs.aws.amazon.com/lambda/latest/api/API_AddLayerVersionPermission.html"]
-- ---
WITH permissions AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS caller,
    json_extract_string(e.request_parameters, '$.principal') AS receiver,
    regexp_extract(coalesce(json_extract_string(e.request_parameters, '$.principal'), ''), '^(arn:[a-z-]*:(iam|sts)::)?([0-9]{12})(:.*)?$', 3) AS receiver_account,
    coalesce(
      json_extract_string(e.request_parameters, '$.sourceArn'),
      json_extract_string(e.request_parameters, '$.sourceAccount'),
      json_extract_string(e.request_parameters, '$.principalOrgID'),
      json_extract_string(e.request_parameters, '$.organizationId')
    ) AS narrowed_to,
    coalesce(json_extract_string(e.request_parameters, '$.authType'), '') AS auth_type
  FROM aws_event AS e
  WHERE e.event_source = 'lambda.amazonaws.com'
    AND e.event_name_base IN ('AddPermission', 'AddLayerVersionPermission', 'CreateFunctionUrlConfig', 'UpdateFunctionUrlConfig')
    AND e.outcome IN ('success', 'denied')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time >= $since
    AND e.event_time < $until
),
judged AS (
  SELECT
    p.event_key,
    CASE
      WHEN p.event_name_base IN ('CreateFunctionUrlConfig', 'UpdateFunctionUrlConfig')
        THEN CASE WHEN p.auth_type = 'NONE' THEN 'internet' END
      WHEN p.receiver IS NULL THEN 'not recorded'
      WHEN p.receiver = '*' AND p.narrowed_to IS NULL THEN 'everybody'
      WHEN p.receiver_account <> '' AND p.receiver_account <> coalesce(p.account_id, '') AND o.value IS NULL THEN p.receiver_account
      WHEN contains(p.receiver, '.amazonaws.com') AND p.narrowed_to IS NULL THEN 'service without source'
    END AS opened_to
  FROM permissions AS p
  LEFT JOIN case_value AS o ON o.kind = 'own_account' AND o.value = p.receiver_account
)
SELECT
  p.caller || '|' || coalesce(p.request_function, json_extract_string(p.request_parameters, '$.layerName'), '') || '|'
    || strftime(p.event_time, '%Y-%m-%d') AS finding_key,
  p.event_time,
  p.actor,
  p.event_name_base AS action,
  coalesce(p.request_function, json_extract_string(p.request_parameters, '$.layerName'), p.resource) AS resource,
  p.source_ip,
  p.credential_id,
  p.account_id,
  p.region,
  p.outcome,
  p.event_key,
  p.evidence,
  j.opened_to,
  p.receiver,
  json_extract_string(p.request_parameters, '$.action') AS allowed_action,
  p.session_name,
  p.user_agent
FROM judged AS j
JOIN permissions AS p ON p.event_key = j.event_key
WHERE j.opened_to IS NOT NULL
ORDER BY p.event_time NULLS LAST, p.event_key
