-- ---
-- id = "aws.secret_destroyed"
-- kind = "detection"
-- title = "A secret or parameter was deleted or overwritten by a principal new to it"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["secrets_events"]
-- attack = ["T1485", "T1531"]
-- attack_v19 = ["T1485", "T1531"]
-- attack_version = "18.1"
-- description = "A secret or parameter was deleted, a secret got a new value, or its rotation was started or ended, by a principal that had not made the same call before the end of the baseline. Denied attempts count, because they show the intent. Calls that a service makes for its caller are left out. without_recovery says that a secret was deleted at once."
-- misses = "A parameter that is overwritten by a call that also makes new ones. A stolen credential of a principal that makes such calls as its work."
-- false_positives = ["Responders who rotate keys", "A new rotation; without a stated T0 there is no baseline and every such call appears"]
-- next_steps = ["Ask whether the principal is a responder", "Restore the secret while its window for that is open", "Look what read the secret before"]
-- references = ["https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html", "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html", "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteParameters.html"]
-- ---
WITH calls AS (
  SELECT e.*, coalesce(e.actor, '') AS caller
  FROM aws_event AS e
  WHERE ((e.event_source = 'secretsmanager.amazonaws.com'
        AND e.event_name_base IN ('DeleteSecret', 'PutSecretValue', 'UpdateSecret', 'CancelRotateSecret',
                                 'RotateSecret'))
      OR (e.event_source = 'ssm.amazonaws.com' AND e.event_name_base IN ('DeleteParameter', 'DeleteParameters')))
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
  coalesce(c.request_secret_id, c.request_name, json_extract_string(c.request_parameters, '$.names'), c.resource) AS resource,
  c.source_ip,
  c.credential_id,
  c.account_id,
  c.region,
  c.outcome,
  c.event_key,
  c.evidence,
  coalesce(json_extract_string(c.request_parameters, '$.forceDeleteWithoutRecovery'), '') = 'true' AS without_recovery,
  c.session_name,
  c.user_agent
FROM calls AS c
LEFT JOIN habits AS h ON h.caller = c.caller AND h.event_name_base = c.event_name_base
WHERE h.caller IS NULL
  AND c.event_time >= $since
ORDER BY c.event_time NULLS LAST, c.event_key
