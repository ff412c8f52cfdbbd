-- ---
-- id = "aws.secret_policy_opened"
-- kind = "detection"
-- title = "A secret, parameter, image store or shared resource was opened to another account or to everybody"
-- severity = "critical"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1537", "T1555.006"]
-- attack_v19 = ["T1537", "T1555.006"]
-- attack_version = "18.1"
-- description = "The policy of a secret, of a parameter, of an image repository or of the registry was set to one that names an account which is neither the event's own nor one of the case's own, or everybody without a condition, or a resource was shared with such an account. Policies are read from the request, URL-encoded or not; one that hides letters behind JSON escapes is reported for that alone. Denied attempts count, because they show the intent. Keys of KMS: aws.kms_key_opened; buckets: aws.bucket_opened_outside."
-- misses = "A condition that lets everybody through. Shares with an organisation or one of its units. An own account that the intruder holds too."
-- false_positives = ["A secret shared with a vendor on purpose", "An own account that the case does not state", "An account named only in a condition, or in a statement that denies"]
-- next_steps = ["Treat the secret as read from then on", "Look for reads by the outside account", "Restore the policy or end the share, and rotate what was open"]
-- references = ["https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html", "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutResourcePolicy.html", "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_SetRepositoryPolicy.html", "https://docs.aws.amazon.com/ram/latest/APIReference/API_CreateResourceShare.html"]
-- ---
WITH openings AS (
  SELECT
    e.*,
    e.event_source = 'ram.amazonaws.com' AS is_share,
    coalesce(
      json_extract_string(e.request_parameters, '$.resourcePolicy'),
      json_extract_string(e.request_parameters, '$.policy'),
      json_extract_string(e.request_parameters, '$.policyText'),
      json_extract_string(e.request_parameters, '$.principals'),
      ''
    ) AS policy_raw
  FROM aws_event AS e
  WHERE ((e.event_source IN ('secretsmanager.amazonaws.com', 'ssm.amazonaws.com') AND e.event_name_base = 'PutResourcePolicy')
      OR (e.event_source = 'ecr.amazonaws.com' AND e.event_name_base IN ('SetRepositoryPolicy', 'PutRegistryPolicy'))
      OR (e.event_source = 'ram.amazonaws.com' AND e.event_name_base IN ('CreateResourceShare', 'AssociateResourceShare')))
    AND e.outcome IN ('success', 'denied')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time >= $since
    AND e.event_time < $until
),
-- A policy is JSON text, at times URL-encoded; without blanks it can be compared.
policies AS (
  SELECT
    event_key,
    is_share,
    coalesce(account_id, '') AS account,
    contains(policy_raw, '\u') AS is_escaped,
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
      policy_raw,
      '%22', '"', 'g'), '%3[Aa]', ':', 'g'), '%2[Aa]', '*', 'g'), '%5[Bb]', '[', 'g'), '%5[Dd]', ']', 'g'), '%2[Cc]', ',', 'g'),
      '\s|%20|%0[AaDd9]|\+', '', 'g') AS policy_text
  FROM openings
),
allowing AS (
  SELECT * FROM policies WHERE contains(policy_text, '"Effect":"Allow"') OR is_escaped OR is_share
),
digits(d) AS (
  VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)
),
places AS (
  SELECT a.d * 100 + b.d * 10 + c.d + 1 AS place
  FROM digits AS a
  CROSS JOIN digits AS b
  CROSS JOIN digits AS c
),
-- Every text between quotes; the account number is taken from those that are an account or an identity.
named_accounts AS (
  SELECT
    p.event_key,
    p.account,
    regexp_extract(split_part(p.policy_text, '"', p2.place), '^(arn:[a-z-]*:(iam|sts)::)?([0-9]{12})(:.*)?$', 3) AS named_account
  FROM allowing AS p
  CROSS JOIN places AS p2
),
foreign_accounts AS (
  SELECT n.event_key, min(n.named_account) AS foreign_account
  FROM named_accounts AS n
  LEFT JOIN case_value AS o ON o.kind = 'own_account' AND o.value = n.named_account
  WHERE n.named_account <> ''
    AND n.named_account <> n.account
    AND o.value IS NULL
  GROUP BY n.event_key
),
judged AS (
  SELECT
    p.event_key,
    f.foreign_account,
    p.is_escaped,
    regexp_matches(p.policy_text, '"Principal":"\*"|"AWS":"\*"|"AWS":\x5b[^\]]*"\*"')
      AND NOT contains(p.policy_text, '"Condition":') AS open_to_all
  FROM allowing AS p
  LEFT JOIN foreign_accounts AS f ON f.event_key = p.event_key
)
SELECT
  coalesce(o.actor, '') || '|' || coalesce(o.credential_id, '') || '|' || strftime(o.event_time, '%Y-%m-%d') AS finding_key,
  o.event_time,
  o.actor,
  o.event_name_base AS action,
  coalesce(
    o.request_secret_id,
    json_extract_string(o.request_parameters, '$.resourceArn'),
    json_extract_string(o.request_parameters, '$.repositoryName'),
    json_extract_string(o.request_parameters, '$.resourceShareArn'),
    o.request_name,
    o.resource
  ) AS resource,
  o.source_ip,
  o.credential_id,
  o.account_id,
  o.region,
  o.outcome,
  o.event_key,
  o.evidence,
  j.foreign_account,
  j.open_to_all,
  j.is_escaped,
  o.session_name,
  o.user_agent
FROM judged AS j
JOIN openings AS o ON o.event_key = j.event_key
WHERE j.foreign_account IS NOT NULL
   OR j.open_to_all
   OR j.is_escaped
ORDER BY o.event_time NULLS LAST, o.event_key
