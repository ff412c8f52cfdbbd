-- ---
-- id = "aws.cluster_access_granted"
-- kind = "detection"
-- title = "Somebody was let into a Kubernetes cluster"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1098.006", "T1021.007"]
-- attack_v19 = ["T1098.006", "T1021.007"]
-- attack_version = "18.1"
-- description = "An access entry of an EKS cluster was made or changed, or a policy was put on one, by a principal that had not made the same call before the end of the baseline. Denied attempts count, because they show the intent. Calls that a service makes for its caller are left out."
-- misses = "Rights inside the cluster, and the older aws-auth map: they are in the cluster's audit log. A stolen credential of a principal that makes such calls as its work."
-- false_positives = ["A platform team; without a stated T0 there is no baseline and every such call appears"]
-- next_steps = ["List the entries of the cluster", "Read the cluster's audit log for the identity"]
-- references = ["https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateAccessEntry.html", "https://docs.aws.amazon.com/eks/latest/APIReference/API_AssociateAccessPolicy.html"]
-- ---
WITH calls AS (
  SELECT e.*, coalesce(e.actor, '') AS caller
  FROM aws_event AS e
  WHERE e.event_source = 'eks.amazonaws.com'
    AND e.event_name_base IN ('CreateAccessEntry', 'AssociateAccessPolicy', 'UpdateAccessEntry')
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
    json_extract_string(c.request_parameters, '$.principalArn'),
    c.resource
  ) AS resource,
  c.source_ip,
  c.credential_id,
  c.account_id,
  c.region,
  c.outcome,
  c.event_key,
  c.evidence,
  json_extract_string(c.request_parameters, '$.policyArn') AS policy_arn,
  c.request_name AS cluster,
  c.session_name,
  c.user_agent
FROM calls AS c
LEFT JOIN habits AS h ON h.caller = c.caller AND h.event_name_base = c.event_name_base
WHERE h.caller IS NULL
  AND c.event_time >= $since
ORDER BY c.event_time NULLS LAST, c.event_key
