-- ---
-- id = "aws.instance_role_reconnaissance"
-- kind = "detection"
-- title = "The session of an instance looked around in a way its role had not done before"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1552.005", "T1087.004"]
-- attack_v19 = ["T1552.005", "T1087.004"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "A role session of an EC2 instance asks who it is, lists or reads identities, or lists buckets, secrets, parameters, instances, functions or models, with at least distinct_calls different calls on one day that the role never made before the end of the baseline. Whoever reaches the metadata service of an instance starts so. Denied attempts count. Roles with too little baseline carry baseline_state none. Of each call, session and day the first is listed."
-- misses = "Roles whose software makes such calls anyway. Functions and containers, whose sessions carry no instance id. A single new call."
-- false_positives = ["New software or a new agent on the instance", "An engineer who works on the instance"]
-- next_steps = ["Compare the address with that of the instance", "Check on the instance what reached its metadata service", "List what the session did next"]
-- references = ["https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html", "https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html"]
--
-- [params]
-- distinct_calls = { type = "integer", doc = "Different new calls of one session on one day", default = 2 }
-- min_baseline_events = { type = "integer", doc = "Events the role must have in the baseline for its calls to be known", default = 20 }
-- min_baseline_days = { type = "integer", doc = "Days on which the role must have acted in the baseline", default = 7 }
-- ---
WITH looks AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS role_arn,
    e.event_source || ':' || e.event_name_base AS call,
    e.event_epoch // 86400 AS day_no
  FROM aws_event AS e
  WHERE (
      (e.event_source = 'iam.amazonaws.com' AND regexp_matches(coalesce(e.event_name_base, ''), '^(List|Get)'))
      OR e.event_source || ':' || e.event_name_base IN (
        'sts.amazonaws.com:GetCallerIdentity',
        's3.amazonaws.com:ListBuckets',
        'secretsmanager.amazonaws.com:ListSecrets',
        'ssm.amazonaws.com:DescribeParameters',
        'ec2.amazonaws.com:DescribeInstances',
        'lambda.amazonaws.com:ListFunctions',
        'bedrock.amazonaws.com:ListFoundationModels'
      )
    )
    AND coalesce(e.identity_type, '') = 'AssumedRole'
    AND (regexp_matches(coalesce(e.session_name, ''), '^i-[0-9a-f]{8,17}$') OR e.ec2_role_delivery IS NOT NULL)
    AND e.outcome IN ('success', 'denied')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
known_calls AS (
  SELECT DISTINCT role_arn, call FROM looks WHERE event_time < $baseline_until
),
baselines AS (
  SELECT coalesce(actor, '') AS role_arn, count(*) AS baseline_events, count(DISTINCT event_epoch // 86400) AS baseline_days
  FROM aws_event
  WHERE event_time < $baseline_until
  GROUP BY coalesce(actor, '')
),
new_looks AS (
  SELECT l.*
  FROM looks AS l
  LEFT JOIN known_calls AS k ON k.role_arn = l.role_arn AND k.call = l.call
  WHERE k.role_arn IS NULL
    AND l.event_time >= $since
),
days AS (
  SELECT role_arn, session_name, day_no, count(DISTINCT call) AS new_calls
  FROM new_looks
  GROUP BY role_arn, session_name, day_no
),
numbered AS (
  SELECT
    n.event_key,
    n.role_arn,
    d.new_calls,
    row_number() OVER (
      PARTITION BY n.role_arn, n.session_name, n.day_no, n.call, n.outcome ORDER BY n.event_epoch NULLS LAST, n.event_key
    ) AS place
  FROM new_looks AS n
  JOIN days AS d
    ON d.role_arn = n.role_arn
   AND d.session_name = n.session_name
   AND d.day_no = n.day_no
  WHERE d.new_calls >= $distinct_calls
)
SELECT
  n.role_arn || '|' || coalesce(e.session_name, '') || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
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
  CASE
    WHEN coalesce(b.baseline_events, 0) >= $min_baseline_events AND coalesce(b.baseline_days, 0) >= $min_baseline_days
      THEN 'sufficient'
    ELSE 'none'
  END AS baseline_state,
  n.new_calls,
  e.session_name,
  e.ec2_role_delivery,
  e.user_agent
FROM numbered AS n
JOIN aws_event AS e ON e.event_key = n.event_key
LEFT JOIN baselines AS b ON b.role_arn = n.role_arn
WHERE n.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
