-- ---
-- id = "aws.console_password_set"
-- kind = "detection"
-- title = "A console password was given to a user or changed for them"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1098.001", "T1098"]
-- attack_v19 = ["T1098.001", "T1098"]
-- attack_version = "18.1"
-- description = "A login profile was created or updated for an IAM user, or for the root user of a member account, or a user's password was changed with a long-term access key instead of in the console. It turns a stolen key into a login that outlives the key. Denied attempts count, because they show the intent; calls that failed for another reason do not."
-- misses = "A password that the intruder changes in the console with the old password. Recovery of the root password by mail."
-- false_positives = ["A helpdesk that resets a password", "A new employee"]
-- next_steps = ["Ask the user and the caller", "Look for logins of that user afterwards, above all without a second factor", "Delete the login profile if nobody vouches for it"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateLoginProfile.html", "https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateLoginProfile.html", "https://docs.aws.amazon.com/IAM/latest/APIReference/API_ChangePassword.html"]
-- ---
SELECT
  coalesce(actor, '') || '|' || coalesce(credential_id, '') || '|' || strftime(event_time, '%Y-%m-%d') AS finding_key,
  event_time,
  actor,
  event_name_base AS action,
  coalesce(request_user_name, CASE WHEN event_name_base = 'ChangePassword' THEN user_name ELSE 'root' END) AS resource,
  source_ip,
  credential_id,
  account_id,
  region,
  outcome,
  event_key,
  evidence,
  coalesce(identity_type, '') = 'IAMUser'
    AND coalesce(user_name, '') = coalesce(request_user_name, user_name, '') AS own_password,
  coalesce(json_extract_string(request_parameters, '$.passwordResetRequired'), '') = 'true' AS reset_required,
  session_name,
  user_agent
FROM aws_event
WHERE event_source = 'iam.amazonaws.com'
  AND (
    event_name_base IN ('CreateLoginProfile', 'UpdateLoginProfile')
    -- In the console everybody changes their own password; a program has no reason to.
    OR (event_name_base = 'ChangePassword' AND coalesce(credential_class, '') = 'AKIA')
  )
  AND outcome IN ('success', 'denied')
  AND event_time >= $since
  AND event_time < $until
ORDER BY event_time NULLS LAST, event_key
