-- ---
-- id = "azure.openai_keys_listed"
-- kind = "detection"
-- title = "Keys of an Azure OpenAI resource were listed or made anew"
-- severity = "high"
-- confidence = "medium"
-- sources = ["azure_openai"]
-- attack = ["T1552", "T1098.001"]
-- attack_v19 = ["T1552", "T1098.001"]
-- attack_version = "18.1"
-- description = "The resource's audit log or the activity log of the subscription shows that its keys were listed, which hands them out, or that one was made anew. resources counts the resources that the same actor asked within the same hour. Failed attempts count. The activity log tells an operation when it starts and when it ends: two events."
-- misses = "Changes of networks, deployments and ways of signing in. Keys read from a store or an application."
-- false_positives = ["People in the portal, which lists the keys of a page it shows", "A rotation by the owners"]
-- next_steps = ["Ask who stands behind the object id", "Look for requests of that key from new networks", "Make both keys anew"]
-- references = ["https://learn.microsoft.com/azure/ai-services/openai/monitor-openai-reference", "https://learn.microsoft.com/azure/ai-services/openai/how-to/monitor-openai"]
-- ---
WITH acts AS (
  SELECT event_key, coalesce(owner, '') || '|' || coalesce(actor_email, actor_key_id, actor_id, actor_type, '') AS who, epoch_ms(event_time) // 3600000 AS hour, coalesce(target_id, '') AS target
  FROM ai_audit_event
  WHERE provider = 'azure_openai'
    AND regexp_matches(lower(action), '(listkeys?|regeneratekeys?)(/action)?$')
),
hours AS (
  SELECT who, hour, count(DISTINCT target) AS resources FROM acts GROUP BY who, hour
)
SELECT
  c.who || '|' || strftime(a.event_time, '%Y-%m-%d') AS finding_key,
  a.event_time,
  coalesce(a.actor_email, a.actor_key_id, a.actor_id, a.actor_type) AS actor,
  a.action,
  coalesce(a.target_key_id, a.target_id) AS resource,
  a.source_ip,
  a.actor_key_id AS credential_id,
  a.organisation AS account_id,
  CAST(NULL AS VARCHAR) AS region,
  coalesce(a.outcome, 'success') AS outcome,
  a.event_key,
  a.evidence,
  h.resources
FROM acts AS c
JOIN hours AS h ON h.who = c.who AND h.hour = c.hour
JOIN ai_audit_event AS a ON a.event_key = c.event_key
WHERE a.event_time >= $since
  AND a.event_time < $until
ORDER BY a.event_time NULLS LAST, a.event_key
