-- ---
-- id = "aws.bucket_opened_outside"
-- kind = "detection"
-- title = "A bucket, access point or object was opened to another account or to everybody"
-- severity = "critical"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1537", "T1530"]
-- attack_v19 = ["T1537", "T1530"]
-- attack_version = "18.1"
-- description = "The policy of a bucket or access point was set to one with a statement that allows an account which is neither the event's own nor one of the case's own, or everybody without a condition that narrows who that is; or an access list gave rights to everybody or to every AWS login. Statements are judged one by one: one that denies does not count. A policy that hides letters behind JSON escapes is reported for that alone. Denied attempts count, because they show the intent; outcome says that nothing was opened. Of each principal, bucket, call, outcome and day the first is listed, alike counts them."
-- misses = "What stood in the policy before: an old opening that is written again is reported again, one that was never written in the window is not. Conditions that look narrow but are not. Identities named by canonical or unique ids. Objects shared by a signed address. Buckets that stay closed because public access is blocked are reported all the same."
-- false_positives = ["A site or download area that is public on purpose", "A partner or a service of AWS that delivers logs from an account of its own", "An own account that the case does not state"]
-- next_steps = ["Compare with the earlier policy and restore it", "Find out whether public access was blocked for the bucket or account at that time", "Look for reads from the other account or without a login in the data events", "List what the bucket holds, keys and backups above all"]
-- references = ["https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html", "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html", "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html", "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"]
-- ---
WITH openings AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS opener,
    coalesce(e.request_bucket, json_extract_string(e.request_parameters, '$.name'), '') AS bucket,
    coalesce(
      json_extract_string(e.request_parameters, '$.bucketPolicy'),
      json_extract_string(e.request_parameters, '$.PutAccessPointPolicyRequest.Policy'),
      json_extract_string(e.request_parameters, '$.Policy'),
      ''
    ) AS policy_raw,
    e.event_name_base NOT IN ('PutBucketPolicy', 'PutAccessPointPolicy') AND (
      regexp_matches(coalesce(e.request_parameters, ''), 'acs[.]amazonaws[.]com/groups/global/(AllUsers|AuthenticatedUsers)')
      OR regexp_matches(coalesce(json_extract_string(e.request_parameters, '$."x-amz-acl"'), ''),
                        '(public-read|public-read-write|authenticated-read)')
    ) AS open_list
  FROM aws_event AS e
  WHERE e.event_source = 's3.amazonaws.com'
    AND e.event_name_base IN ('PutBucketPolicy', 'PutAccessPointPolicy', 'PutBucketAcl', 'PutObjectAcl', 'CreateBucket')
    AND e.outcome IN ('success', 'denied')
    AND coalesce(e.identity_type, '') <> 'AWSService'
    AND e.event_time >= $since
    AND e.event_time < $until
),
-- Without blanks the text can be compared.
policies AS (
  SELECT
    event_key,
    coalesce(account_id, '') AS account,
    contains(policy_raw, '\u') AS is_escaped,
    regexp_replace(policy_raw, '\s', '', 'g') AS policy_text
  FROM openings
  WHERE event_name_base IN ('PutBucketPolicy', 'PutAccessPointPolicy')
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
statements AS (
  SELECT p.event_key, p.account, split_part(p.policy_text, '},{', p2.place) AS statement
  FROM policies AS p
  CROSS JOIN places AS p2
),
-- A piece without an effect is judged as one that allows.
allowing AS (
  SELECT
    event_key,
    account,
    regexp_extract(statement, '"Principal":(\x7b[^\x7d]*|"[^"]*")', 1) AS principals,
    (regexp_matches(statement, '"Principal":"\*"|"AWS":"\*"|"AWS":\x5b[^\]]*"\*"') OR contains(statement, '"NotPrincipal":'))
      AND NOT (
        regexp_matches(lower(statement), '"(aws:(principalorgid|principalorgpaths|principalaccount|principalarn|sourcevpc|sourcevpce|sourcevpcarn|sourceip|vpcsourceip|sourceaccount|sourcearn|sourceorgid|userid)|s3:dataaccesspoint(account|arn))"')
        -- A negated or boundless condition narrows nothing.
        AND NOT regexp_matches(lower(statement), '"[a-z:]*not(equals|like|ipaddress)[a-z]*":|"0[.]0[.]0[.]0/0"|"::/0"')
      ) AS open_to_all
  FROM statements
  WHERE contains(statement, '"Effect":"Allow"') OR NOT contains(statement, '"Effect":')
),
named_accounts AS (
  SELECT
    a.event_key,
    a.account,
    regexp_extract(split_part(a.principals, '"', p.place), '^(arn:[a-z-]*:(iam|sts)::)?([0-9]{12})(:.*)?$', 3) AS named_account
  FROM allowing AS a
  CROSS JOIN places AS p
  WHERE a.principals <> ''
),
foreign_accounts AS (
  SELECT n.event_key, min(n.named_account) AS foreign_account, count(DISTINCT n.named_account) AS accounts
  FROM named_accounts AS n
  LEFT JOIN case_value AS o ON o.kind = 'own_account' AND o.value = n.named_account
  WHERE n.named_account <> ''
    AND n.named_account <> n.account
    AND o.value IS NULL
  GROUP BY n.event_key
),
open_policies AS (
  SELECT DISTINCT event_key FROM allowing WHERE open_to_all
),
judged AS (
  SELECT
    o.event_key,
    f.foreign_account,
    coalesce(f.accounts, 0) AS foreign_accounts,
    p.event_key IS NOT NULL OR o.open_list AS open_to_all,
    coalesce(t.is_escaped, FALSE) AS is_escaped,
    count(*) OVER (
      PARTITION BY o.opener, o.bucket, o.event_name_base, o.outcome, o.event_epoch // 86400
      ORDER BY o.event_epoch NULLS LAST, o.event_key
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS alike,
    row_number() OVER (
      PARTITION BY o.opener, o.bucket, o.event_name_base, o.outcome, o.event_epoch // 86400
      ORDER BY o.event_epoch NULLS LAST, o.event_key
    ) AS place
  FROM openings AS o
  LEFT JOIN foreign_accounts AS f ON f.event_key = o.event_key
  LEFT JOIN open_policies AS p ON p.event_key = o.event_key
  LEFT JOIN policies AS t ON t.event_key = o.event_key
  WHERE f.event_key IS NOT NULL
     OR p.event_key IS NOT NULL
     OR o.open_list
     OR coalesce(t.is_escaped, FALSE)
)
SELECT
  o.opener || '|' || o.bucket || '|' || strftime(o.event_time, '%Y-%m-%d') AS finding_key,
  o.event_time,
  o.actor,
  o.event_name_base AS action,
  o.bucket || coalesce('/' || o.request_object_key, '') AS resource,
  o.source_ip,
  o.credential_id,
  o.account_id,
  o.region,
  o.outcome,
  o.event_key,
  o.evidence,
  j.foreign_account,
  j.foreign_accounts,
  j.open_to_all,
  j.is_escaped,
  j.alike,
  o.session_name,
  o.invoked_by,
  o.user_agent
FROM judged AS j
JOIN openings AS o ON o.event_key = j.event_key
WHERE j.place = 1
ORDER BY o.event_time NULLS LAST, o.event_key
