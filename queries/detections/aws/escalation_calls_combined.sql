-- ---
-- id = "aws.escalation_calls_combined"
-- kind = "detection"
-- title = "One principal made many different calls that can raise rights, on one day"
-- severity = "medium"
-- confidence = "low"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1098", "T1548"]
-- attack_v19 = ["T1098", "T1548"]
-- attack_version = "18.1"
-- description = "Of a list of calls by which rights can be raised (policies, keys, passwords, groups, trust, roles for machines and functions), one principal made at least distinct_calls different ones on one day, and more than on any day of its baseline. Denied attempts count, because they show the intent. Of each call and outcome the first of the day is listed. Calls that a service makes for its caller are left out."
-- misses = "One call that suffices: the other rules of this pack. Attempts spread over days or principals."
-- false_positives = ["Landing zones and infrastructure tools, in their first days or without a stated T0", "An attack drill"]
-- next_steps = ["Look which of the calls succeeded, and what the principal could do afterwards that it could not do before"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_actions-resources-contextkeys.html", "https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html"]
--
-- [params]
-- distinct_calls = { type = "integer", doc = "Different calls of the list that one principal made on one day", default = 6 }
-- ---
WITH raising_calls(source, call) AS (
  VALUES
    ('iam.amazonaws.com', 'AddRoleToInstanceProfile'),
    ('iam.amazonaws.com', 'AddUserToGroup'),
    ('iam.amazonaws.com', 'AttachGroupPolicy'),
    ('iam.amazonaws.com', 'AttachRolePolicy'),
    ('iam.amazonaws.com', 'AttachUserPolicy'),
    ('iam.amazonaws.com', 'CreateAccessKey'),
    ('iam.amazonaws.com', 'CreateLoginProfile'),
    ('iam.amazonaws.com', 'CreatePolicyVersion'),
    ('iam.amazonaws.com', 'CreateRole'),
    ('iam.amazonaws.com', 'DeleteRolePermissionsBoundary'),
    ('iam.amazonaws.com', 'DeleteRolePolicy'),
    ('iam.amazonaws.com', 'DeleteUserPermissionsBoundary'),
    ('iam.amazonaws.com', 'DeleteUserPolicy'),
    ('iam.amazonaws.com', 'DetachRolePolicy'),
    ('iam.amazonaws.com', 'DetachUserPolicy'),
    ('iam.amazonaws.com', 'PutGroupPolicy'),
    ('iam.amazonaws.com', 'PutRolePermissionsBoundary'),
    ('iam.amazonaws.com', 'PutRolePolicy'),
    ('iam.amazonaws.com', 'PutUserPermissionsBoundary'),
    ('iam.amazonaws.com', 'PutUserPolicy'),
    ('iam.amazonaws.com', 'SetDefaultPolicyVersion'),
    ('iam.amazonaws.com', 'UpdateAssumeRolePolicy'),
    ('iam.amazonaws.com', 'UpdateLoginProfile'),
    ('iam.amazonaws.com', 'CreateServiceSpecificCredential'),
    ('lambda.amazonaws.com', 'AddPermission'),
    ('lambda.amazonaws.com', 'CreateEventSourceMapping'),
    ('lambda.amazonaws.com', 'CreateFunction'),
    ('lambda.amazonaws.com', 'UpdateFunctionCode'),
    ('lambda.amazonaws.com', 'UpdateFunctionConfiguration'),
    ('ec2.amazonaws.com', 'AssociateIamInstanceProfile'),
    ('ec2.amazonaws.com', 'ReplaceIamInstanceProfileAssociation'),
    ('ec2.amazonaws.com', 'RunInstances'),
    ('cloudformation.amazonaws.com', 'CreateStack'),
    ('cloudformation.amazonaws.com', 'UpdateStack'),
    ('glue.amazonaws.com', 'CreateDevEndpoint'),
    ('glue.amazonaws.com', 'UpdateDevEndpoint'),
    ('glue.amazonaws.com', 'CreateJob'),
    ('glue.amazonaws.com', 'UpdateJob'),
    ('codebuild.amazonaws.com', 'CreateProject'),
    ('codebuild.amazonaws.com', 'UpdateProject'),
    ('datapipeline.amazonaws.com', 'CreatePipeline'),
    ('datapipeline.amazonaws.com', 'PutPipelineDefinition'),
    ('sagemaker.amazonaws.com', 'CreateNotebookInstance'),
    ('sagemaker.amazonaws.com', 'CreatePresignedNotebookInstanceUrl'),
    ('ecs.amazonaws.com', 'RegisterTaskDefinition'),
    ('ecs.amazonaws.com', 'RunTask'),
    ('ssm.amazonaws.com', 'SendCommand'),
    ('ssm.amazonaws.com', 'StartSession'),
    ('sts.amazonaws.com', 'AssumeRoot')
),
calls AS (
  SELECT e.*, coalesce(e.actor, '') AS caller, e.event_epoch // 86400 AS day_no
  FROM aws_event AS e
  JOIN raising_calls AS r ON r.source = e.event_source AND r.call = e.event_name_base
  WHERE e.outcome IN ('success', 'denied')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
days AS (
  SELECT
    caller,
    day_no,
    count(DISTINCT event_name_base) AS raising,
    count(DISTINCT CASE WHEN event_time < $baseline_until THEN event_name_base END) AS earlier_raising
  FROM calls
  GROUP BY caller, day_no
),
habits AS (
  SELECT caller, max(earlier_raising) AS most_raising FROM days GROUP BY caller
),
numbered AS (
  SELECT
    c.event_key,
    d.raising,
    row_number() OVER (
      PARTITION BY c.caller, c.day_no, c.event_name_base, c.outcome ORDER BY c.event_epoch NULLS LAST, c.event_key
    ) AS place
  FROM calls AS c
  JOIN days AS d ON d.caller = c.caller AND d.day_no = c.day_no
  JOIN habits AS h ON h.caller = c.caller
  WHERE d.raising >= $distinct_calls
    AND d.raising > h.most_raising
    AND c.event_time >= $since
)
SELECT
  e.caller || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  e.resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  n.raising AS raising_calls_that_day,
  e.session_name,
  e.user_agent
FROM numbered AS n
JOIN calls AS e ON e.event_key = n.event_key
WHERE n.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
