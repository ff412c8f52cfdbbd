-- ---
-- id = "posture.reported_users"
-- kind = "exposure"
-- title = "Users of credential reports: second factor and access keys"
-- severity = "info"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- needs = []
-- description = "Each user of the newest credential report of an account: password, second factor, active access keys and the age of the oldest of them."
-- misses = "Changes after the report."
-- ---
SELECT
  r.event_key, coalesce(r.account_id, '') AS account_id, r.user_name, coalesce(r.password_enabled, false) AS has_password,
  coalesce(r.mfa_active, false) AS has_mfa, r.user_name = '<root_account>' AS is_root,
  coalesce(r.key1_active, false) OR coalesce(r.key2_active, false) AS has_key,
  least(coalesce(r.key1_rotated_at, r.key2_rotated_at), coalesce(r.key2_rotated_at, r.key1_rotated_at)) AS oldest_key
FROM iam_credential_report AS r
QUALIFY row_number() OVER (
  PARTITION BY coalesce(r.account_id, ''), r.user_name ORDER BY r.received_at DESC NULLS LAST, r.event_key) = 1
ORDER BY account_id NULLS LAST, r.user_name NULLS LAST, r.event_key
