-- ---
-- id = "posture.guarding_acts"
-- kind = "exposure"
-- title = "Alarms, limits, detection of logins and lists of addresses: set and taken away"
-- severity = "info"
-- confidence = "high"
-- sources = ["aws_cloudtrail", "openai_audit", "anthropic_activity"]
-- needs = []
-- description = "Successful acts in the window that set, change or take away what would alert on volume or cost (budgets, anomaly monitors, alarms, spend limits, usage and rate limits), what would notice unusual logins (GuardDuty, Detective, Security Hub), and lists of allowed addresses, in AWS and at providers."
-- misses = "What was set before the window and not touched since."
-- ---
WITH acts AS (
  SELECT e.event_time, e.event_key, 'aws|' || coalesce(e.account_id, '') AS holder, e.actor, e.event_name_base AS action,
    CASE
      WHEN e.event_source IN ('budgets.amazonaws.com', 'ce.amazonaws.com', 'monitoring.amazonaws.com') THEN 'alert'
      WHEN e.event_source IN ('guardduty.amazonaws.com', 'detective.amazonaws.com', 'securityhub.amazonaws.com') THEN 'login'
    END AS subject,
    CASE
      WHEN e.event_name_base IN ('CreateBudget', 'CreateNotification', 'CreateAnomalyMonitor', 'CreateAnomalySubscription', 'PutMetricAlarm',
        'EnableAlarmActions', 'CreateDetector', 'EnableSecurityHub', 'CreateGraph') THEN 'set'
      WHEN e.event_name_base IN ('DeleteBudget', 'DeleteNotification', 'DeleteAnomalyMonitor', 'DeleteAnomalySubscription', 'DeleteAlarms',
        'DisableAlarmActions', 'DeleteDetector', 'StopMonitoringMembers', 'DisassociateFromMasterAccount', 'DisableSecurityHub', 'DeleteGraph') THEN 'removed'
      WHEN e.event_name_base IN ('GetFindings', 'ListFindings') THEN 'used'
    END AS effect
  FROM aws_event AS e
  WHERE e.outcome = 'success' AND e.event_time >= $since AND e.event_time < $until
    AND e.event_source IN ('budgets.amazonaws.com', 'ce.amazonaws.com', 'monitoring.amazonaws.com', 'guardduty.amazonaws.com',
      'detective.amazonaws.com', 'securityhub.amazonaws.com')
  UNION ALL
  SELECT a.event_time, a.event_key, a.provider || '|' || coalesce(a.owner, '') AS holder,
    coalesce(a.actor_email, a.actor_key_id, a.actor_id, a.actor_type) AS actor, a.action,
    CASE
      WHEN contains(a.action, 'ip_allowlist') OR contains(a.action, 'ip_restriction') THEN 'address'
      WHEN contains(a.action, 'spend_limit') OR contains(a.action, 'spend_alert') OR contains(a.action, 'usage_limit') OR contains(a.action, 'rate_limit')
        OR contains(a.action, 'overage_limit') THEN 'alert'
    END AS subject,
    CASE
      WHEN regexp_matches(a.action, '(deleted|removed|deactivated|disabled)$') THEN 'removed'
      WHEN regexp_matches(a.action, '(created|added|activated|enabled|set|updated)$') THEN 'set'
    END AS effect
  FROM ai_audit_event AS a
  WHERE coalesce(a.outcome, 'success') <> 'failure' AND a.event_time >= $since AND a.event_time < $until)
SELECT subject, holder, event_time, action, effect, actor, event_key
FROM acts
WHERE subject IS NOT NULL AND effect IS NOT NULL
ORDER BY subject NULLS LAST, holder NULLS LAST, event_time NULLS LAST, event_key
