-- ---
-- id = "aws.mfa_device_changed"
-- kind = "detection"
-- title = "A second factor was taken from a user, or set for another user, for root or by a key"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1556.006", "T1098.005"]
-- attack_v19 = ["T1556.006", "T1098.005"]
-- attack_version = "18.1"
-- description = "A second factor was deactivated or deleted; or one was created, enabled or set anew for another user than the caller, for the root user, or with a long-term key instead of a console session. Denied attempts count, because they show the intent. The usual case, a user who enrols a device of their own in the console, is left out. target_user says whose factor it is."
-- misses = "A device that an intruder enrols for the victim from a stolen console session. Second factors of an identity provider."
-- false_positives = ["A colleague's lost telephone, helped by an administrator", "Offboarding", "Own enrolment on the command line"]
-- next_steps = ["Ask the user and the caller", "Look for a login of the user from a new address", "List the user's devices and remove what nobody knows"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeactivateMFADevice.html", "https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableMFADevice.html", "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateVirtualMFADevice.html"]
-- ---
WITH changes AS (
  SELECT
    e.*,
    coalesce(
      e.request_user_name,
      nullif(regexp_extract(coalesce(json_extract_string(e.request_parameters, '$.serialNumber'), ''), ':mfa/(.+)$', 1), ''),
      json_extract_string(e.request_parameters, '$.virtualMFADeviceName')
    ) AS target_user
  FROM aws_event AS e
  WHERE e.event_source = 'iam.amazonaws.com'
    AND e.event_name_base IN ('CreateVirtualMFADevice', 'EnableMFADevice', 'ResyncMFADevice',
                              'DeactivateMFADevice', 'DeleteVirtualMFADevice')
    AND e.outcome IN ('success', 'denied')
    AND e.event_time >= $since
    AND e.event_time < $until
)
SELECT
  coalesce(c.actor, '') || '|' || coalesce(c.target_user, '') || '|' || strftime(c.event_time, '%Y-%m-%d') AS finding_key,
  c.event_time,
  c.actor,
  c.event_name_base AS action,
  coalesce(c.target_user, c.resource) AS resource,
  c.source_ip,
  c.credential_id,
  c.account_id,
  c.region,
  c.outcome,
  c.event_key,
  c.evidence,
  c.target_user,
  c.credential_class,
  c.mfa AS caller_used_mfa,
  c.session_name,
  c.user_agent
FROM changes AS c
WHERE c.event_name_base IN ('DeactivateMFADevice', 'DeleteVirtualMFADevice')
   OR coalesce(c.identity_type, '') <> 'IAMUser'
   OR coalesce(c.credential_class, '') = 'AKIA'
   OR (c.event_name_base <> 'CreateVirtualMFADevice' AND coalesce(c.target_user, '') <> coalesce(c.user_name, ''))
ORDER BY c.event_time NULLS LAST, c.event_key
