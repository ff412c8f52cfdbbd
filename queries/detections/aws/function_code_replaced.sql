-- ---
-- id = "aws.function_code_replaced"
-- kind = "detection"
-- title = "The code of a function was replaced by a principal that had not deployed it before"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1648", "T1059.009"]
-- attack_v19 = ["T1648", "T1059.009"]
-- attack_version = "18.1"
-- description = "The code of a Lambda function was updated by a principal that had not updated that function before the end of the baseline. Whoever replaces the code acts with the rights of the function's role and sees its variables and inputs. called_after says that the same credential called the function within follow_seconds, if calls are recorded. Denied attempts count, because they show the intent; dry runs and updates by services do not."
-- misses = "A stolen deployment credential that replaces what it always deploys. Code that a function loads from a layer, an image or a bucket."
-- false_positives = ["A new deployment pipeline or a renamed deployment role", "The first deployment of a function after the baseline", "A developer who corrects a fault by hand"]
-- next_steps = ["Compare the code now deployed with the repository; code_sha256 is the digest of the package in Base64", "List what the function's role did after the update", "Treat the function's variables and secrets as read"]
-- references = ["https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html", "https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html"]
--
-- [params]
-- follow_seconds = { type = "integer", doc = "Seconds after the update in which a call of the function counts", default = 600 }
-- ---
WITH function_calls AS (
  SELECT
    event_key,
    event_time,
    event_epoch,
    event_name_base,
    outcome,
    coalesce(actor, '') AS caller,
    coalesce(credential_id, '') AS credential,
    coalesce(account_id, '') || '/' || coalesce(region, '') AS place,
    -- A function is named by its name, by its ARN or by a part of the ARN, at times with a version.
    split_part(regexp_replace(coalesce(request_function, resource, ''), '^.*function:', '', 'g'), ':', 1) AS function_name,
    lower(coalesce(json_extract_string(request_parameters, '$.dryRun'), '')) = 'true' AS is_dry_run
  FROM aws_event
  WHERE event_source = 'lambda.amazonaws.com'
    AND event_name_base IN ('UpdateFunctionCode', 'Invoke', 'InvokeAsync', 'InvokeWithResponseStream')
    AND outcome IN ('success', 'denied')
    AND coalesce(invoked_by, '') = ''
    AND event_time < $until
),
updates AS (
  SELECT * FROM function_calls WHERE event_name_base = 'UpdateFunctionCode' AND NOT is_dry_run
),
habits AS (
  SELECT DISTINCT caller, place, function_name FROM updates WHERE event_time < $baseline_until AND outcome = 'success'
),
called AS (
  SELECT DISTINCT u.event_key
  FROM updates AS u
  JOIN function_calls AS i
    ON i.credential = u.credential
   AND i.place = u.place
   AND i.function_name = u.function_name
   AND i.event_name_base <> 'UpdateFunctionCode'
   AND i.outcome = 'success'
   AND i.event_epoch >= u.event_epoch
   AND i.event_epoch <= u.event_epoch + $follow_seconds
)
SELECT
  u.caller || '|' || coalesce(e.session_name, '') || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  u.function_name AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  c.event_key IS NOT NULL AS called_after,
  json_extract_string(e.response_elements, '$.codeSha256') AS code_sha256,
  json_extract_string(e.response_elements, '$.role') AS function_role,
  e.session_name,
  e.user_agent
FROM updates AS u
JOIN aws_event AS e ON e.event_key = u.event_key
LEFT JOIN habits AS b ON b.caller = u.caller AND b.place = u.place AND b.function_name = u.function_name
LEFT JOIN called AS c ON c.event_key = u.event_key
WHERE b.caller IS NULL
  AND u.event_time >= $since
ORDER BY e.event_time NULLS LAST, e.event_key
