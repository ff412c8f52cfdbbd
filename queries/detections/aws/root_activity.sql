-- ---
-- id = "aws.root_activity"
-- kind = "detection"
-- title = "The root user of an account was active"
-- severity = "high"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1078.004", "T1078.001"]
-- attack_v19 = ["T1078.004", "T1078.001"]
-- attack_version = "18.1"
-- description = "Any login or call by the root user itself, not by a service on its behalf. Refused and failed attempts count: trying to be root is news. Column root_access_key tells calls signed with a long-term key of root."
-- misses = "Acts through AssumeRoot in member accounts, which are recorded as assumed roots."
-- false_positives = ["A planned task that only root can do, such as closing the account or changing the support plan"]
-- next_steps = ["Ask the keeper of the root credentials about this day", "Look for new root access keys and changes of the second factor", "List what happened in the account in the following hours"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user.html", "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html"]
-- ---
SELECT
  coalesce(actor, '') || '|' || coalesce(account_id, '') || '|' || strftime(event_time, '%Y-%m-%d') AS finding_key,
  event_time,
  actor,
  event_name_base AS action,
  resource,
  source_ip,
  credential_id,
  account_id,
  region,
  outcome,
  event_key,
  evidence,
  event_source,
  coalesce(credential_class, '') = 'AKIA' AS root_access_key
FROM aws_event
WHERE coalesce(identity_type, '') = 'Root'
  AND coalesce(invoked_by, '') = ''                         -- a service acting for root is not root acting
  AND coalesce(event_type, '') <> 'AwsServiceEvent'
  AND event_time >= $since
  AND event_time < $until
ORDER BY event_time NULLS LAST, event_key
