-- ---
-- id = "aws.instance_profile_changed"
-- kind = "detection"
-- title = "A machine was given another role"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1548.005", "T1098"]
-- attack_v19 = ["T1548.005", "T1098"]
-- attack_version = "18.1"
-- description = "An instance profile was put on a running machine or exchanged there, or a role was put into a profile, by a principal that had not made the same call before the end of the baseline. Denied attempts count, because they show the intent. Calls that a service makes for its caller are left out. Whoever is on the machine then has the rights of the role."
-- misses = "Machines that are launched with a role: aws.unusual_instances_launched. A stolen credential of a principal that makes such calls as its work."
-- false_positives = ["Maintenance and infrastructure tools; without a stated T0 there is no baseline and every such call appears"]
-- next_steps = ["Compare the rights of the new role with those of the old", "List what the role's sessions on the machine did"]
-- references = ["https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateIamInstanceProfile.html", "https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddRoleToInstanceProfile.html"]
-- ---
WITH calls AS (
  SELECT e.*, coalesce(e.actor, '') AS caller
  FROM aws_event AS e
  WHERE ((e.event_source = 'ec2.amazonaws.com'
        AND e.event_name_base IN ('AssociateIamInstanceProfile', 'ReplaceIamInstanceProfileAssociation'))
      OR (e.event_source = 'iam.amazonaws.com' AND e.event_name_base = 'AddRoleToInstanceProfile'))
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
    json_extract_string(c.request_parameters, '$.AssociateIamInstanceProfileRequest.InstanceId'),
    json_extract_string(c.request_parameters, '$.instanceProfileName'),
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
