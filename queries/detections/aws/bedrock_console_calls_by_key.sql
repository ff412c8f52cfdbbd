-- ---
-- id = "aws.bedrock_console_calls_by_key"
-- kind = "detection"
-- title = "Calls that the Bedrock console makes were made by a program or with a long-term key"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["bedrock_events"]
-- attack = ["T1526", "T1098"]
-- attack_v19 = ["T1526", "T1098"]
-- attack_version = "18.1"
-- atlas = ["AML.T0040"]
-- description = "The calls behind the console's page of model access (availability, use case, offers, agreement, entitlement) came with a long-term access key or from an agent that is neither a browser nor the console. Tools that resell access to models make them to find out what an account may use and to switch models on. Denied attempts count."
-- misses = "Somebody who uses the console itself. Model access that was open already."
-- false_positives = ["Infrastructure code that enables models", "An engineer who tries the calls on the command line"]
-- next_steps = ["See whether models were invoked with the same credential afterwards", "Compare address and agent with the principal's ordinary ones", "Look for model agreements and use cases that were entered"]
-- references = ["https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html", "https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html"]
-- ---
SELECT
  coalesce(e.actor, '') || '|' || coalesce(e.credential_id, '') || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
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
  coalesce(e.credential_class, '') = 'AKIA' AS long_term_key,
  e.session_name,
  e.user_agent
FROM aws_event AS e
WHERE e.event_source = 'bedrock.amazonaws.com'
  AND e.event_name_base IN (
    'GetFoundationModelAvailability', 'GetUseCaseForModelAccess', 'PutUseCaseForModelAccess',
    'ListFoundationModelAgreementOffers', 'CreateFoundationModelAgreement', 'PutFoundationModelEntitlement')
  AND (coalesce(e.credential_class, '') = 'AKIA'
    OR NOT regexp_matches(lower(coalesce(e.user_agent, '')), 'mozilla/|console|aws internal'))
  AND coalesce(e.identity_type, '') <> 'AWSService'
  AND e.event_time >= $since
  AND e.event_time < $until
ORDER BY e.event_time NULLS LAST, e.event_key
