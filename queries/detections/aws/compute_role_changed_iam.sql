-- ---
-- id = "aws.compute_role_changed_iam"
-- kind = "detection"
-- title = "A function, container, build or instance changed identities or rights"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1548.005", "T1098"]
-- attack_v19 = ["T1548.005", "T1098"]
-- attack_version = "18.1"
-- description = "A role session of a Lambda function, a container task, a build of CodeBuild or an EC2 instance calls IAM to create, attach, put, update, add or set something: users, keys, roles, policies or group memberships. Programs seldom do this; somebody who took over the program, or its credentials, does. The session is known by its name or by the user agent of the runtime. A role that made the same call before the end of the baseline is left out. Denied attempts count, because they show the intent."
-- misses = "Workload sessions whose names and user agents do not tell what they are. Changes into other roles: aws.role_chained. Workloads that change IAM as their work."
-- false_positives = ["Automation that manages identities by design, in its first days", "Without a stated T0 there is no baseline, so every such call appears"]
-- next_steps = ["Read the code or image that ran at that time", "Check whether the address of the session fits the workload", "List what was created and remove it"]
-- references = ["https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html", "https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html", "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html"]
-- ---
WITH changes AS (
  SELECT e.*, coalesce(e.actor, '') AS role_arn
  FROM aws_event AS e
  WHERE e.event_source = 'iam.amazonaws.com'
    AND regexp_matches(coalesce(e.event_name_base, ''), '^(Create|Attach|Put|Update|Add|Set)')
    AND e.event_name_base <> 'CreateServiceLinkedRole'
    AND e.outcome IN ('success', 'denied')
    AND coalesce(e.identity_type, '') = 'AssumedRole'
    AND coalesce(e.invoked_by, '') = ''
    AND (
      regexp_matches(coalesce(e.session_name, ''), '^(i-[0-9a-f]{8,17}|[0-9a-f]{32}|AWSCodeBuild-.+)$')
      OR regexp_matches(coalesce(e.user_agent, ''), 'exec-env/AWS_(Lambda|ECS)')
      OR e.ec2_role_delivery IS NOT NULL
    )
    AND e.event_time < $until
),
habits AS (
  SELECT DISTINCT role_arn, event_name_base FROM changes WHERE event_time < $baseline_until
)
SELECT
  e.role_arn || '|' || coalesce(e.session_name, '') || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  coalesce(e.request_user_name, json_extract_string(e.request_parameters, '$.roleName'), e.resource) AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  e.session_name,
  e.request_policy_arn AS policy_arn,
  e.user_agent
FROM changes AS e
LEFT JOIN habits AS h ON h.role_arn = e.role_arn AND h.event_name_base = e.event_name_base
WHERE h.role_arn IS NULL
  AND e.event_time >= $since
ORDER BY e.event_time NULLS LAST, e.event_key
