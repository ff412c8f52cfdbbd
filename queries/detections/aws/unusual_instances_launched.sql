-- ---
-- id = "aws.unusual_instances_launched"
-- kind = "detection"
-- title = "Costly or many machines were launched, or tried, by a principal that had not done so"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1578.002", "T1496.001"]
-- attack_v19 = ["T1578.002", "T1496.001"]
-- attack_version = "18.1"
-- description = "RunInstances asked for an instance type with accelerators, for a bare-metal type, for one of 16xlarge size or more, or for at least min_count machines in one call, and the principal had not launched that type before the end of the baseline. Denied attempts count, and so do those refused by a limit, for lack of capacity or as a dry run: they show what was wanted."
-- misses = "Small instances in small numbers over a long time. Launches through fleets, spot requests, scaling groups or other services. A stolen credential whose owner launches such types as routine."
-- false_positives = ["A team that trains or serves models", "Load tests", "Construction of a cluster"]
-- next_steps = ["Ask the principal what the machines are for", "Look at the regions: machines for mining are often started in several", "Stop what nobody claims after an image was taken", "Estimate the cost of the running time"]
-- references = ["https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html", "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html"]
--
-- [params]
-- min_count = { type = "integer", doc = "Machines asked for in one call that are many", default = 5 }
-- ---
WITH launches AS (
  SELECT
    event_key,
    event_time,
    outcome,
    coalesce(actor, '') AS caller,
    coalesce(json_extract_string(request_parameters, '$.instanceType'), '') AS instance_type,
    coalesce(TRY_CAST(json_extract_string(request_parameters, '$.instancesSet.items[0].maxCount') AS BIGINT), 1) AS asked_count
  FROM aws_event
  WHERE event_source = 'ec2.amazonaws.com'
    AND event_name_base = 'RunInstances'
    AND (outcome IN ('success', 'denied')
      OR regexp_matches(coalesce(error_code, ''), 'LimitExceeded|InsufficientInstanceCapacity|DryRunOperation'))
    AND coalesce(invoked_by, '') = ''
    AND event_time < $until
),
habits AS (
  SELECT DISTINCT caller, instance_type FROM launches WHERE event_time < $baseline_until AND outcome = 'success'
),
judged AS (
  SELECT
    *,
    regexp_matches(instance_type, '^(p|g|gr|inf|trn|dl|vt|f|hpc)[0-9]') AS accelerated,
    regexp_matches(instance_type, '\.metal|\.(1[6-9]|[2-9][0-9]|[1-9][0-9][0-9])xlarge$') AS very_large
  FROM launches
)
SELECT
  j.caller || '|' || coalesce(e.credential_id, '') || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  j.instance_type AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  j.asked_count,
  j.accelerated,
  j.very_large,
  e.error_code,
  e.session_name,
  e.user_agent
FROM judged AS j
JOIN aws_event AS e ON e.event_key = j.event_key
LEFT JOIN habits AS b ON b.caller = j.caller AND b.instance_type = j.instance_type
WHERE b.caller IS NULL
  AND (j.accelerated OR j.very_large OR j.asked_count >= $min_count)
  AND j.event_time >= $since
ORDER BY e.event_time NULLS LAST, e.event_key
