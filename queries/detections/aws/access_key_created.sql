-- ---
-- id = "aws.access_key_created"
-- kind = "detection"
-- title = "An access key was created"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1098.001"]
-- attack_v19 = ["T1098.001"]
-- attack_version = "18.1"
-- description = "A long-term access key was made for an IAM user or for the root user. The details say whether it is for another user than the one who made it, from where it was used first, and whether it was deactivated or deleted within the logs. Denied attempts do not count: they leave no key behind."
-- misses = "Keys made before the logs begin. Credentials of other kinds: sessions, Bedrock keys, passwords."
-- false_positives = ["Rotation of keys", "A new machine user"]
-- next_steps = ["Ask the creator and the user about the key", "Compare first_use_ip with the address of the creation", "List everything the new key did; deactivate it if nobody vouches for it"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html", "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"]
-- ---
WITH creations AS (
  SELECT
    e.*,
    coalesce(
      json_extract_string(e.response_elements, '$.accessKey.userName'),
      e.request_user_name,
      e.user_name
    ) AS key_user,
    json_extract_string(e.response_elements, '$.accessKey.accessKeyId') AS new_key_id
  FROM aws_event AS e
  WHERE e.event_source = 'iam.amazonaws.com'
    AND e.event_name_base = 'CreateAccessKey'
    AND e.outcome = 'success'
    AND e.event_time >= $since
    AND e.event_time < $until
),
key_uses AS (
  SELECT
    u.credential_id,
    u.event_time,
    u.source_ip,
    row_number() OVER (
      PARTITION BY u.credential_id ORDER BY u.event_time NULLS LAST, u.event_key
    ) AS use_no,
    count(*) OVER (PARTITION BY u.credential_id) AS uses
  FROM aws_event AS u
  WHERE u.credential_id IN (SELECT new_key_id FROM creations WHERE new_key_id IS NOT NULL)
),
key_ends AS (
  SELECT
    json_extract_string(request_parameters, '$.accessKeyId') AS key_id,
    min(event_time) AS ended_at
  FROM aws_event
  WHERE event_source = 'iam.amazonaws.com'
    AND outcome = 'success'
    AND (
      event_name_base = 'DeleteAccessKey'
      OR (event_name_base = 'UpdateAccessKey'
        AND coalesce(json_extract_string(request_parameters, '$.status'), '') = 'Inactive')
    )
  GROUP BY json_extract_string(request_parameters, '$.accessKeyId')
)
SELECT
  coalesce(c.actor, '') || '|' || coalesce(c.key_user, '') || '|' || strftime(c.event_time, '%Y-%m-%d') AS finding_key,
  c.event_time,
  c.actor,
  c.event_name_base AS action,
  c.key_user AS resource,
  c.source_ip,
  c.credential_id,
  c.account_id,
  c.region,
  c.outcome,
  c.event_key,
  c.evidence,
  c.new_key_id,
  coalesce(c.identity_type, '') <> 'IAMUser' OR coalesce(c.user_name, '') <> coalesce(c.key_user, '') AS for_other_user,
  f.event_time AS first_use_at,
  f.source_ip AS first_use_ip,
  coalesce(f.uses, 0) AS uses_in_logs,
  d.ended_at,
  c.session_name,
  c.user_agent
FROM creations AS c
LEFT JOIN key_uses AS f ON f.credential_id = c.new_key_id AND f.use_no = 1
LEFT JOIN key_ends AS d ON d.key_id = c.new_key_id
ORDER BY c.event_time NULLS LAST, c.event_key
