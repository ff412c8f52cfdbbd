-- ---
-- id = "aws.bedrock_model_first_used"
-- kind = "detection"
-- title = "A principal invoked a Bedrock model family it had never used"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1496.004"]
-- attack_v19 = ["T1496.004"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "Successful invocations by a principal of a model family that it did not use in its baseline, listed up to a limit. Region prefixes, inference profile ARNs, dates and versions are taken off the model's name first. Denied and failed calls do not count. Principals with too few events of any kind in the baseline carry baseline_state none, and only the first call is listed; account_first tells that nobody in the account used the family before."
-- misses = "Abuse of the model the principal uses anyway. Provisioned models, whose name is an opaque ARN."
-- false_positives = ["A planned change of model", "A new application"]
-- next_steps = ["Count the calls of the new model and their cost", "Ask the owner of the principal", "Look for model access being enabled shortly before"]
-- references = ["https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html", "https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html"]
--
-- [params]
-- min_baseline_events = { type = "integer", doc = "Events of any service a principal must have in the baseline for its habits to be known", default = 20 }
-- min_baseline_days = { type = "integer", doc = "Days on which the principal must have acted in the baseline", default = 7 }
-- shown_calls = { type = "integer", doc = "Calls listed for each principal and model family with a sufficient baseline", default = 2000 }
-- ---
WITH named_calls AS (
  SELECT
    event_key,
    event_time,
    event_epoch,
    coalesce(actor, '') AS principal,
    coalesce(account_id, '') AS account,
    -- the last part of an ARN, without the prefix of a cross-region profile
    regexp_replace(regexp_replace(request_model_id, '^arn:.*/', '', 'g'), '^(us|eu|apac|au|jp|ca|sa|us-gov|global)[.]', '', 'g') AS model
  FROM aws_event
  WHERE event_source = 'bedrock.amazonaws.com'
    AND event_name_base IN ('InvokeModel', 'InvokeModelWithResponseStream', 'Converse', 'ConverseStream')
    AND outcome = 'success'
    AND coalesce(invoked_by, '') = ''
    AND request_model_id IS NOT NULL
    AND event_epoch IS NOT NULL
),
calls AS (
  SELECT
    event_key,
    event_time,
    event_epoch,
    principal,
    account,
    regexp_replace(model, '(-[0-9]{8})?(-v[0-9]+)?(:[0-9a-z]+)*$', '', 'g') AS family
  FROM named_calls
),
baselines AS (
  SELECT coalesce(actor, '') AS principal, count(*) AS baseline_events, count(DISTINCT event_epoch // 86400) AS baseline_days
  FROM aws_event
  WHERE event_time < $baseline_until
    AND coalesce(invoked_by, '') = ''
  GROUP BY coalesce(actor, '')
),
known_families AS (
  SELECT DISTINCT principal, family FROM calls WHERE event_time < $baseline_until
),
account_families AS (
  SELECT DISTINCT account, family FROM calls WHERE event_time < $baseline_until
),
new_calls AS (
  SELECT
    c.event_key,
    c.principal,
    c.account,
    c.family,
    count(*) OVER (
      PARTITION BY c.principal, c.family ORDER BY c.event_epoch NULLS LAST, c.event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS calls,
    row_number() OVER (PARTITION BY c.principal, c.family ORDER BY c.event_epoch NULLS LAST, c.event_key) AS call_no
  FROM calls AS c
  LEFT JOIN known_families AS k ON k.principal = c.principal AND k.family = c.family
  WHERE k.family IS NULL
    AND c.event_time >= $baseline_until
    AND c.event_time >= $since
    AND c.event_time < $until
)
SELECT
  n.principal || '|' || n.family AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  e.request_model_id AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  CASE
    WHEN coalesce(b.baseline_events, 0) >= $min_baseline_events AND coalesce(b.baseline_days, 0) >= $min_baseline_days
      THEN 'sufficient'
    ELSE 'none'
  END AS baseline_state,
  n.family AS model_family,
  n.calls,
  a.family IS NULL AS account_first
FROM new_calls AS n
JOIN aws_event AS e ON e.event_key = n.event_key
LEFT JOIN baselines AS b ON b.principal = n.principal
LEFT JOIN account_families AS a ON a.account = n.account AND a.family = n.family
WHERE n.call_no = 1
   OR (n.call_no <= $shown_calls
       AND coalesce(b.baseline_events, 0) >= $min_baseline_events
       AND coalesce(b.baseline_days, 0) >= $min_baseline_days)
ORDER BY e.event_time NULLS LAST, e.event_key
