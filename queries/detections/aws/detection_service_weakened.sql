-- ---
-- id = "aws.detection_service_weakened"
-- kind = "detection"
-- title = "A service that watches the account was switched off or told to keep quiet"
-- severity = "critical"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1562.001"]
-- attack_v19 = ["T1685"]
-- attack_version = "18.1"
-- description = "GuardDuty, Security Hub, Macie, Access Analyzer, Inspector or Detective was disabled, detached from its administrator, stripped of features or findings, or given a filter or trusted addresses that silence findings. Denied attempts count, because they show the intent; outcome says that the service went on."
-- misses = "A finding that was never raised because a service was not bought. Rules that forward findings: aws.logs_or_alarms_removed. Config: aws.configuration_recording_stopped."
-- false_positives = ["Tuning by the security team", "Closing of an account"]
-- next_steps = ["Ask the security team", "Look for what happened while the service was quiet", "Fetch the archived or suppressed findings"]
-- references = ["https://docs.aws.amazon.com/guardduty/latest/APIReference/API_UpdateDetector.html", "https://docs.aws.amazon.com/guardduty/latest/APIReference/API_CreateFilter.html", "https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_DisableSecurityHub.html", "https://docs.aws.amazon.com/macie/latest/APIReference/macie.html"]
-- ---
WITH silencing_calls(source, call) AS (
  VALUES
    ('guardduty.amazonaws.com', 'DeleteDetector'),
    ('guardduty.amazonaws.com', 'ArchiveFindings'),
    ('guardduty.amazonaws.com', 'CreateIPSet'),
    ('guardduty.amazonaws.com', 'UpdateIPSet'),
    ('guardduty.amazonaws.com', 'DeletePublishingDestination'),
    ('guardduty.amazonaws.com', 'DeleteMembers'),
    ('guardduty.amazonaws.com', 'DisassociateMembers'),
    ('guardduty.amazonaws.com', 'DisassociateFromAdministratorAccount'),
    ('guardduty.amazonaws.com', 'DisassociateFromMasterAccount'),
    ('guardduty.amazonaws.com', 'DisableOrganizationAdminAccount'),
    ('guardduty.amazonaws.com', 'StopMonitoringMembers'),
    ('securityhub.amazonaws.com', 'DisableSecurityHub'),
    ('securityhub.amazonaws.com', 'BatchDisableStandards'),
    ('securityhub.amazonaws.com', 'DisassociateFromAdministratorAccount'),
    ('securityhub.amazonaws.com', 'DisassociateMembers'),
    ('securityhub.amazonaws.com', 'DeleteInsight'),
    ('macie2.amazonaws.com', 'DisableMacie'),
    ('macie2.amazonaws.com', 'DisassociateFromAdministratorAccount'),
    ('access-analyzer.amazonaws.com', 'DeleteAnalyzer'),
    ('inspector2.amazonaws.com', 'Disable'),
    ('detective.amazonaws.com', 'DeleteGraph')
),
watch_changes AS (
  SELECT
    e.*,
    t.call IS NOT NULL AS silences_always,
    lower(regexp_replace(coalesce(CAST(e.request_parameters AS VARCHAR), ''), '\s', '', 'g')) AS request_text
  FROM aws_event AS e
  LEFT JOIN silencing_calls AS t ON t.source = e.event_source AND t.call = e.event_name_base
  WHERE (t.call IS NOT NULL
      OR (e.event_source = 'guardduty.amazonaws.com'
        AND e.event_name_base IN ('UpdateDetector', 'CreateFilter', 'UpdateFilter', 'UpdateMemberDetectors'))
      OR (e.event_source = 'securityhub.amazonaws.com'
        AND e.event_name_base IN ('BatchUpdateFindings', 'UpdateFindings', 'UpdateStandardsControl'))
      OR (e.event_source = 'macie2.amazonaws.com'
        AND e.event_name_base = 'UpdateMacieSession'))
    AND e.outcome IN ('success', 'denied')
    AND coalesce(e.identity_type, '') <> 'AWSService'
    AND e.event_time >= $since
    AND e.event_time < $until
)
SELECT
  coalesce(actor, '') || '|' || coalesce(credential_id, '') || '|' || strftime(event_time, '%Y-%m-%d') AS finding_key,
  event_time,
  actor,
  event_name_base AS action,
  coalesce(
    json_extract_string(request_parameters, '$.detectorId'),
    json_extract_string(request_parameters, '$.analyzerName'),
    json_extract_string(request_parameters, '$.graphArn'),
    resource
  ) AS resource,
  source_ip,
  credential_id,
  account_id,
  region,
  outcome,
  event_key,
  evidence,
  event_source,
  session_name,
  invoked_by,
  user_agent
FROM watch_changes
WHERE silences_always
   OR (event_name_base IN ('UpdateDetector', 'UpdateMemberDetectors')
     AND (contains(request_text, '"enable":false') OR contains(request_text, '"status":"disabled"')))
   OR (event_name_base IN ('CreateFilter', 'UpdateFilter') AND contains(request_text, '"action":"archive"'))
   OR (event_name_base = 'BatchUpdateFindings' AND contains(request_text, '"suppressed"'))
   OR (event_name_base = 'UpdateFindings' AND contains(request_text, '"archived"'))
   OR (event_name_base = 'UpdateStandardsControl' AND contains(request_text, '"disabled"'))
   OR (event_name_base = 'UpdateMacieSession' AND contains(request_text, '"paused"'))
ORDER BY event_time NULLS LAST, event_key
