-- ---
-- id = "posture.console_logins"
-- kind = "exposure"
-- title = "Console logins of users and whether a second factor was used"
-- severity = "info"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- needs = []
-- description = "Successful console logins of IAM users and root in the window with what CloudTrail says of a second factor. Logins by a role or an identity provider are left out: their second factor is asked elsewhere."
-- misses = "A second factor of the identity provider."
-- ---
SELECT
  e.event_time, e.event_key, e.actor, e.identity_type, e.source_ip, e.account_id,
  coalesce(json_extract_string(e.additional_event_data, '$.MFAUsed'), '') AS second_factor
FROM aws_event AS e
WHERE e.event_source = 'signin.amazonaws.com' AND e.event_name_base = 'ConsoleLogin' AND e.outcome = 'success'
  AND e.identity_type IN ('IAMUser', 'Root') AND e.event_time >= $since AND e.event_time < $until
ORDER BY e.event_time NULLS LAST, e.event_key
