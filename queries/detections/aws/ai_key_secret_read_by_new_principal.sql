-- ---
-- id = "aws.ai_key_secret_read_by_new_principal"
-- kind = "detection"
-- title = "Something named like an AI provider's key was read by a principal new to it"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1555.006"]
-- attack_v19 = ["T1555.006"]
-- attack_version = "18.1"
-- atlas = ["AML.T0055"]
-- baseline_days = 7
-- description = "A principal read a secret or parameter whose name speaks of an AI provider, a gateway or a language model, or an S3 object whose name also speaks of a key, token, secret or credential, and it did not read that in the baseline. It works without an inventory; what was in it is known by its name only. Only successful reads count, in the baseline too. A parameter that is encrypted comes in clear only where with_decryption is true."
-- misses = "Keys under names that say nothing. Objects where the trail records no data events. A stolen credential of a known reader."
-- false_positives = ["A setting with such a word in its name that holds no key", "A new version of a service that uses one more provider"]
-- next_steps = ["Find out which provider key stood there at that time and whose it is", "Add it to the key inventory", "Ask the provider for the key's usage from the time of the read on", "Rotate the key at the provider"]
-- references = ["https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html", "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html", "https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html"]
-- ---
WITH store_reads AS (
  SELECT event_key, location_kind AS kind, location AS thing
  FROM secret_access
  WHERE location_kind IN ('secret', 'ssm')
    AND access = 'read'
  UNION ALL
  SELECT event_key, 's3' AS kind, coalesce(request_bucket, '') || '/' || coalesce(request_object_key, '') AS thing
  FROM aws_event
  WHERE event_source = 's3.amazonaws.com'
    AND event_name_base = 'GetObject'
),
named_reads AS (
  SELECT event_key, min(kind) AS kind, min(thing) AS thing
  FROM store_reads
  WHERE (
      regexp_matches(lower(thing), 'openai|anthropic|aoai|bedrock|gemini|vertexai|vertex-ai|mistral|openrouter|perplexity|huggingface|hugging-face|deepseek|litellm|portkey|helicone|langfuse|langsmith|braintrust')
      -- Short or common words count only as words of their own.
      OR regexp_matches(lower(thing), '(^|[^a-z0-9])(claude|cohere|groq|grok|xai|llm|llms|gpt|together|fireworks|replicate|vertex|googleai|google-ai|hf_token|hf-token|model-provider|model_provider|ai-keys|ai_keys|ai-key|ai_key)([^a-z0-9]|$)')
    )
    AND (kind <> 's3' OR regexp_matches(lower(thing), 'api.?key|token|secret|credential|[^a-z]keys?([^a-z]|$)'))
  GROUP BY event_key
),
reads AS (
  SELECT
    e.*,
    n.kind,
    n.thing,
    coalesce(e.actor, '') AS reader,
    coalesce(e.account_id, '') || '/' || coalesce(e.region, '') || '/' || n.kind || '/' || n.thing AS thing_id
  FROM named_reads AS n
  JOIN aws_event AS e ON e.event_key = n.event_key
  WHERE e.outcome = 'success'
    AND coalesce(e.identity_type, '') <> 'AWSService'
    AND e.event_time < $until
),
known_readers AS (
  SELECT DISTINCT thing_id, reader FROM reads WHERE event_time < $baseline_until
)
SELECT
  r.reader || '|' || coalesce(r.credential_id, '') || '|' || strftime(r.event_time, '%Y-%m-%d') AS finding_key,
  r.event_time,
  r.actor,
  r.event_name_base AS action,
  r.thing AS resource,
  r.source_ip,
  r.credential_id,
  r.account_id,
  r.region,
  r.outcome,
  r.event_key,
  r.evidence,
  r.kind AS store,
  coalesce(json_extract_string(r.request_parameters, '$.withDecryption'), '') = 'true' AS with_decryption,
  r.session_name,
  r.vpc_endpoint_id,
  r.invoked_by,
  r.user_agent
FROM reads AS r
LEFT JOIN known_readers AS k ON k.thing_id = r.thing_id AND k.reader = r.reader
WHERE k.reader IS NULL
  AND r.event_time >= $since
  AND r.event_time < $until
ORDER BY r.event_time NULLS LAST, r.event_key
