-- ---
-- id = "aws.configuration_recording_stopped"
-- kind = "detection"
-- title = "The recording of configuration changes was stopped or its rules were removed"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1562.001"]
-- attack_v19 = ["T1685"]
-- attack_version = "18.1"
-- description = "AWS Config was told to stop recording, or its recorder, delivery channel, rules, conformance packs or aggregators were deleted, by a principal that had not made the same call before the end of the baseline. Denied attempts count, because they show the intent. Calls that a service makes for its caller are left out."
-- misses = "A recorder that is set to record fewer kinds. A stolen credential of those who set Config up as their work."
-- false_positives = ["Costs are saved", "An account or region that is taken down"]
-- next_steps = ["Start the recorder again", "Look what the same credential changed while nothing was recorded", "Compare the state of resources before and after"]
-- references = ["https://docs.aws.amazon.com/config/latest/APIReference/API_StopConfigurationRecorder.html", "https://docs.aws.amazon.com/config/latest/APIReference/API_DeleteDeliveryChannel.html"]
-- ---
WITH calls AS (
  SELECT e.*, coalesce(e.actor, '') AS caller
  FROM aws_event AS e
  WHERE e.event_source = 'config.amazonaws.com'
    AND e.event_name_base IN ('StopConfigurationRecorder', 'DeleteConfigurationRecorder',
                                 'DeleteDeliveryChannel', 'DeleteConfigRule', 'DeleteConformancePack',
                                 'DeleteOrganizationConfigRule', 'DeleteConfigurationAggregator')
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
  coalesce(
    json_extract_string(c.request_parameters, '$.configurationRecorderName'),
    json_extract_string(c.request_parameters, '$.deliveryChannelName'),
    json_extract_string(c.request_parameters, '$.configRuleName'),
    c.resource
  ) AS resource,
  c.source_ip,
  c.credential_id,
  c.account_id,
  c.region,
  c.outcome,
  c.event_key,
  c.evidence,
  c.session_name,
  c.user_agent
FROM calls AS c
LEFT JOIN habits AS h ON h.caller = c.caller AND h.event_name_base = c.event_name_base
WHERE h.caller IS NULL
  AND c.event_time >= $since
ORDER BY c.event_time NULLS LAST, c.event_key
