-- ---
-- id = "aws.federation_session_issued"
-- kind = "detection"
-- title = "A session that outlives its key was made from a long-term key"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1550.001", "T1098.001"]
-- attack_v19 = ["T1550.001", "T1098.001"]
-- attack_version = "18.1"
-- description = "A long-term access key asked for a federation token, or for a session token without a second factor, and its user had not done so before the end of the baseline. Such a session stays valid for up to 36 hours even after the key is deactivated. Denied attempts count, because they show the intent; outcome says that no session came of them."
-- misses = "A user whose key makes such sessions every day. Sessions of roles."
-- false_positives = ["Tools that open the console from the command line", "An old application that hands out federation tokens"]
-- next_steps = ["List everything the issued credential did, and console logins of the federated user", "Note expires: deactivating the key does not end the session; a policy on the user that denies everything does", "Deactivate the key"]
-- references = ["https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html", "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html", "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_disable-perms.html"]
-- ---
WITH session_requests AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS holder
  FROM aws_event AS e
  WHERE e.event_source = 'sts.amazonaws.com'
    AND (
      e.event_name_base = 'GetFederationToken'
      -- With a second factor it is the ordinary way to work with one.
      OR (e.event_name_base = 'GetSessionToken'
        AND json_extract_string(e.request_parameters, '$.serialNumber') IS NULL)
    )
    AND coalesce(e.credential_class, '') = 'AKIA'
    AND e.outcome IN ('success', 'denied')
    AND e.event_time < $until
),
habits AS (
  SELECT DISTINCT holder, event_name_base
  FROM session_requests
  WHERE event_time < $baseline_until
    AND outcome = 'success'
),
session_uses AS (
  SELECT credential_id AS session_credential, count(*) AS uses, max(event_time) AS last_use_at
  FROM aws_event
  WHERE credential_class = 'ASIA'
  GROUP BY credential_id
)
SELECT
  r.holder || '|' || coalesce(r.credential_id, '') || '|' || strftime(r.event_time, '%Y-%m-%d') AS finding_key,
  r.event_time,
  r.actor,
  r.event_name_base AS action,
  coalesce(r.request_name, r.user_name) AS resource,
  r.source_ip,
  r.credential_id,
  r.account_id,
  r.region,
  r.outcome,
  r.event_key,
  r.evidence,
  r.issued_credential_id,
  json_extract_string(r.response_elements, '$.credentials.expiration') AS expires,
  coalesce(u.uses, 0) AS uses_in_logs,
  u.last_use_at,
  r.user_agent
FROM session_requests AS r
LEFT JOIN habits AS h ON h.holder = r.holder AND h.event_name_base = r.event_name_base
LEFT JOIN session_uses AS u ON u.session_credential = r.issued_credential_id
WHERE h.holder IS NULL
  AND r.event_time >= $since
  AND r.event_time < $until
ORDER BY r.event_time NULLS LAST, r.event_key
