-- ---
-- id = "aws.messaging_prepared"
-- kind = "detection"
-- title = "Sending of mail or text messages was prepared by a principal new to it"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1496.003", "T1567"]
-- attack_v19 = ["T1496.003", "T1567"]
-- attack_version = "18.1"
-- description = "A sender of SES was verified or made, sending was switched on or its limits were to be raised, or settings of text messages were changed in SNS, by a principal that had not made the same call before the end of the baseline. Denied attempts count, because they show the intent. Calls that a service makes for its caller are left out."
-- misses = "Messages sent through what is set up already: they are data events, and on the bill. A stolen credential of a principal that makes such calls as its work."
-- false_positives = ["Marketing; without a stated T0 there is no baseline and every such call appears"]
-- next_steps = ["Look at the number of messages sent and at the bill", "Remove senders that nobody claims"]
-- references = ["https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_CreateEmailIdentity.html", "https://docs.aws.amazon.com/sns/latest/api/API_SetSMSAttributes.html"]
-- ---
WITH calls AS (
  SELECT e.*, coalesce(e.actor, '') AS caller
  FROM aws_event AS e
  WHERE ((e.event_source = 'ses.amazonaws.com'
        AND e.event_name_base IN ('VerifyEmailIdentity', 'VerifyDomainIdentity', 'CreateEmailIdentity',
                                 'PutAccountDetails', 'PutAccountSendingAttributes',
                                 'UpdateAccountSendingEnabled'))
      OR (e.event_source = 'sns.amazonaws.com'
        AND e.event_name_base IN ('SetSMSAttributes', 'CreateSMSSandboxPhoneNumber',
                                 'VerifySMSSandboxPhoneNumber')))
    AND e.outcome IN ('success', 'denied')
    AND coalesce(e.invoked_by, '') = ''
    AND e.event_time < $until
),
habits AS (
  SELECT DISTINCT caller, event_name_base FROM calls WHERE event_time < $baseline_until
)
SELECT
  c.caller || '|' || coalesce(c.credential_id, '') || '|' || strftime(c.event_time, '%Y-%m-%d') AS finding_key,
  c.event_time,
  c.actor,
  c.event_name_base AS action,
  coalesce(
    json_extract_string(c.request_parameters, '$.emailAddress'),
    json_extract_string(c.request_parameters, '$.emailIdentity'),
    json_extract_string(c.request_parameters, '$.phoneNumber'),
    c.resource
  ) AS resource,
  c.source_ip,
  c.credential_id,
  c.account_id,
  c.region,
  c.outcome,
  c.event_key,
  c.evidence,
  c.session_name,
  c.user_agent
FROM calls AS c
LEFT JOIN habits AS h ON h.caller = c.caller AND h.event_name_base = c.event_name_base
WHERE h.caller IS NULL
  AND c.event_time >= $since
ORDER BY c.event_time NULLS LAST, c.event_key
