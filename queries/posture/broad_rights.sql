-- ---
-- id = "posture.broad_rights"
-- kind = "exposure"
-- title = "Rights given without bounds"
-- severity = "info"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = []
-- description = "Successful acts in the window that attached an administrator policy, or wrote a policy that allows every action."
-- misses = "Rights that were given before the window, and policies that are broad without a star for the action. A policy that denies every action and allows something narrow is named too."
-- ---
SELECT e.event_time, e.event_key, e.event_name_base AS action, e.actor, e.resource, e.credential_id, e.account_id
FROM aws_event AS e
WHERE e.event_source = 'iam.amazonaws.com' AND e.outcome = 'success' AND e.event_time >= $since AND e.event_time < $until
  AND ((e.event_name_base IN ('AttachUserPolicy', 'AttachRolePolicy', 'AttachGroupPolicy')
        AND contains(coalesce(e.request_policy_arn, ''), 'AdministratorAccess'))
    OR (e.event_name_base IN ('PutUserPolicy', 'PutRolePolicy', 'PutGroupPolicy', 'CreatePolicy', 'CreatePolicyVersion')
        AND regexp_matches(coalesce(json_extract_string(e.request_parameters, '$.policyDocument'), ''), '"Effect"\s*:\s*"Allow"')
        AND regexp_matches(coalesce(json_extract_string(e.request_parameters, '$.policyDocument'), ''), '"Action"\s*:\s*(\[\s*)?"\*"')))
ORDER BY e.event_time NULLS LAST, e.event_key
