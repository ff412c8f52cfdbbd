-- ---
-- id = "aws.users_locked_out"
-- kind = "detection"
-- title = "Several users lost their way into the account in a short time, or the account was closed"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1531"]
-- attack_v19 = ["T1531"]
-- attack_version = "18.1"
-- description = "One principal deleted at least distinct_users different users, their console passwords, second factors or access keys, deactivated their keys, took their policies or put a policy of denial on them, within two adjacent blocks of half an hour; or somebody tried to close the account. What a principal does to itself does not count. Refused attempts count for closing only. A principal that did so on at least habit_days days of the baseline is reported only for more users than it ever hit there."
-- misses = "Fewer users, or slowly. Ways in that an organisation's policy or an identity provider closes. Changed passwords: aws.console_password_set."
-- false_positives = ["Offboarding", "The containment of an incident: name the responders as known", "A clean-up of old keys"]
-- next_steps = ["Ask whether the principal is a responder", "Make sure that a way into the account is left that the intruder does not hold", "Restore the users from the list of what was deleted"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteLoginProfile.html", "https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html", "https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-closing.html"]
--
-- [params]
-- distinct_users = { type = "integer", doc = "Different users within two adjacent blocks of half an hour", default = 3 }
-- habit_days = { type = "integer", doc = "Days of the baseline with such a series that make it a habit", default = 3 }
-- ---
WITH calls AS (
  SELECT
    e.*,
    coalesce(e.actor, '') AS caller,
    e.event_epoch // 1800 AS block_no,
    e.event_source <> 'iam.amazonaws.com' AS is_closing
  FROM aws_event AS e
  WHERE ((e.event_source = 'iam.amazonaws.com'
      AND e.outcome = 'success'
      AND coalesce(e.request_user_name, '') <> coalesce(e.user_name, '')
      AND (e.event_name_base IN ('DeleteUser', 'DeleteLoginProfile', 'DeactivateMFADevice', 'DeleteAccessKey', 'DetachUserPolicy', 'DeleteUserPolicy')
        OR (e.event_name_base = 'UpdateAccessKey'
          AND coalesce(json_extract_string(e.request_parameters, '$.status'), '') = 'Inactive')
        OR (e.event_name_base = 'AttachUserPolicy'
          AND regexp_matches(lower(coalesce(e.request_policy_arn, '')), ':policy/.*(deny|quarantine)'))
        OR (e.event_name_base = 'PutUserPolicy'
          AND regexp_matches(coalesce(json_extract_string(e.request_parameters, '$.policyDocument'), ''),
                             'Effect(":\s*"|%22%3A(%20|\+)*%22)Deny'))))
    OR (e.event_source IN ('account.amazonaws.com', 'organizations.amazonaws.com')
      AND e.event_name_base = 'CloseAccount'
      AND e.outcome IN ('success', 'denied')))
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
window_calls AS (
  SELECT caller, block_no AS first_block, request_user_name AS hit_user, event_time < $baseline_until AS is_earlier FROM calls
  UNION ALL
  SELECT caller, block_no - 1 AS first_block, request_user_name AS hit_user, event_time < $baseline_until AS is_earlier FROM calls
),
window_counts AS (
  SELECT
    caller,
    first_block,
    count(DISTINCT hit_user) AS users,
    count(DISTINCT CASE WHEN is_earlier THEN hit_user END) AS earlier_users
  FROM window_calls
  GROUP BY caller, first_block
),
habits AS (
  SELECT
    caller,
    max(earlier_users) AS most_users,
    count(DISTINCT CASE WHEN earlier_users >= $distinct_users THEN first_block // 48 END) AS series_days
  FROM window_counts
  GROUP BY caller
),
series AS (
  SELECT w.caller, w.first_block, w.users
  FROM window_counts AS w
  JOIN habits AS h ON h.caller = w.caller
  WHERE w.users >= $distinct_users
    AND (h.series_days < $habit_days OR w.users > h.most_users)
),
covered_blocks AS (
  SELECT caller, first_block AS block_no, users FROM series
  UNION ALL
  SELECT caller, first_block + 1 AS block_no, users FROM series
),
series_blocks AS (
  SELECT caller, block_no, max(users) AS users_in_window FROM covered_blocks GROUP BY caller, block_no
)
SELECT
  c.caller || '|' || coalesce(c.credential_id, '') || '|' || strftime(c.event_time, '%Y-%m-%d') AS finding_key,
  c.event_time,
  c.actor,
  c.event_name_base AS action,
  coalesce(c.request_user_name, json_extract_string(c.request_parameters, '$.accountId'), c.resource) AS resource,
  c.source_ip,
  c.credential_id,
  c.account_id,
  c.region,
  c.outcome,
  c.event_key,
  c.evidence,
  coalesce(s.users_in_window, 0) AS users_in_window,
  c.session_name,
  c.user_agent
FROM calls AS c
LEFT JOIN series_blocks AS s ON s.caller = c.caller AND s.block_no = c.block_no
WHERE (s.caller IS NOT NULL OR c.is_closing)
  AND c.event_time >= $since
ORDER BY c.event_time NULLS LAST, c.event_key
