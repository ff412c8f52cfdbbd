-- ---
-- id = "aws.bedrock_model_access_enabled"
-- kind = "detection"
-- title = "Access to a Bedrock model was requested or switched on"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1098", "T1496.004"]
-- attack_v19 = ["T1098", "T1496.004"]
-- attack_version = "18.1"
-- description = "A use case was submitted, an agreement accepted or an entitlement put for a Bedrock model. A subscription in the marketplace counts when the same principal also calls Bedrock on that day. Denied attempts count."
-- misses = "Models that need no agreement. Agreements accepted in another account of the organisation."
-- false_positives = ["A team that introduces a model", "Infrastructure code that accepts agreements"]
-- next_steps = ["Ask the principal which use case was submitted and read the form in the request", "Look for invocations of the model afterwards", "Withdraw the agreement if nobody claims it"]
-- references = ["https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html", "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateFoundationModelAgreement.html"]
-- ---
WITH bedrock_days AS (
  SELECT DISTINCT actor, event_epoch // 86400 AS used_day
  FROM aws_event
  WHERE event_source = 'bedrock.amazonaws.com'
)
SELECT
  coalesce(e.actor, '') || '|' || coalesce(e.credential_id, '') || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
  e.event_time,
  e.actor,
  e.event_name_base AS action,
  coalesce(e.request_model_id, e.resource) AS resource,
  e.source_ip,
  e.credential_id,
  e.account_id,
  e.region,
  e.outcome,
  e.event_key,
  e.evidence,
  e.event_source
FROM aws_event AS e
LEFT JOIN bedrock_days AS d ON d.actor = e.actor AND d.used_day = e.event_epoch // 86400
WHERE ((e.event_source = 'bedrock.amazonaws.com'
        AND e.event_name_base IN ('PutUseCaseForModelAccess', 'CreateFoundationModelAgreement', 'PutFoundationModelEntitlement'))
    OR (e.event_source IN ('aws-marketplace.amazonaws.com', 'agreement-marketplace.amazonaws.com', 'marketplace.amazonaws.com')
        AND e.event_name_base IN ('Subscribe', 'AcceptAgreementRequest')
        AND d.actor IS NOT NULL))
  AND e.event_time >= $since
  AND e.event_time < $until
ORDER BY e.event_time NULLS LAST, e.event_key
