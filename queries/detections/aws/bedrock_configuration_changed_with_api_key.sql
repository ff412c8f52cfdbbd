-- ---
-- id = "aws.bedrock_configuration_changed_with_api_key"
-- kind = "detection"
-- title = "A Bedrock API key was used to change the configuration of Bedrock"
-- severity = "high"
-- confidence = "high"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1485", "T1562.008", "T1550.001"]
-- attack_v19 = ["T1485", "T1685.002", "T1550.001"]
-- attack_version = "18.1"
-- description = "A call signed with a Bedrock API key instead of an access key creates, changes or deletes a guardrail, the logging of invocations, a model, its capacity or its access, an agent, a knowledge base, a flow, a prompt or a policy. Such keys are made for invoking models; changes by them are rare and should be known to somebody. Denied attempts count, because they show the intent. Each call, thing and outcome of a credential and day is listed once."
-- misses = "Changes with an access key or session. Operations on kinds of things that are not named here."
-- false_positives = ["A developer or a deployment that manages Bedrock with such a key"]
-- next_steps = ["Ask the owner of the key", "Undo what was changed and compare with the state before", "Deactivate the key and list all its calls", "Narrow the policies of the user that carries the key"]
-- references = ["https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html", "https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html", "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html"]
-- ---
WITH changes AS (
  SELECT
    event_key,
    coalesce(actor, '') AS principal,
    coalesce(account_id, '') AS account,
    count(*) OVER (
      PARTITION BY actor, credential_id, account_id, region, event_name_base, resource, outcome, event_epoch // 86400
    ) AS calls,
    row_number() OVER (
      PARTITION BY actor, credential_id, account_id, region, event_name_base, resource, outcome, event_epoch // 86400
      ORDER BY event_epoch NULLS LAST, event_key
    ) AS place
  FROM aws_event
  WHERE starts_with(coalesce(event_source, ''), 'bedrock')
    AND coalesce(bearer_token, FALSE)
    AND regexp_matches(coalesce(event_name_base, ''), '^(Create|Update|Put|Delete|Associate|Disassociate|Prepare|Register|Deregister|Ingest|Import|Copy|Stop|Batch(Create|Update|Put|Delete))')
    AND regexp_matches(event_name_base, 'Guardrail|ModelInvocationLogging|CustomModel|ImportedModel|ProvisionedModel|Model(Copy|Import|Customization)Job|FoundationModel|ModelAccess|MarketplaceModelEndpoint|InferenceProfile|PromptRouter|AutomatedReasoningPolicy|ResourcePolicy|Agent|KnowledgeBase|DataSource|Flow|Prompt')
    AND coalesce(invoked_by, '') = ''
    AND event_time >= $since
    AND event_time < $until
)
SELECT
  c.principal || '|' || c.account || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
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
  c.calls,
  e.error_code,
  e.session_name,
  e.user_agent
FROM changes AS c
JOIN aws_event AS e ON e.event_key = c.event_key
WHERE c.place = 1
ORDER BY e.event_time NULLS LAST, e.event_key
