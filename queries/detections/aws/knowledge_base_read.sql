-- ---
-- id = "aws.knowledge_base_read"
-- kind = "detection"
-- title = "A knowledge base or the memory of an agent was read by a principal new to it"
-- severity = "medium"
-- confidence = "low"
-- sources = ["aws_cloudtrail"]
-- needs = ["bedrock_events"]
-- attack = ["T1213", "T1530"]
-- attack_v19 = ["T1213", "T1530"]
-- attack_version = "18.1"
-- description = "A knowledge base of Bedrock was searched, an agent or flow was asked, or an agent's memory was fetched, by a principal that had not made the same call before the end of the baseline. Denied attempts count, because they show the intent. Calls that a service makes for its caller are left out. Most of these are data events and show only where the trail records them."
-- misses = "Documents read from the bucket behind the knowledge base. A stolen credential of a principal that makes such calls as its work."
-- false_positives = ["A new application; without a stated T0 there is no baseline and every such call appears"]
-- next_steps = ["List what the knowledge base holds", "Look for reads of its data sources by the same credential"]
-- references = ["https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_Retrieve.html", "https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html"]
-- ---
WITH calls AS (
  SELECT e.*, coalesce(e.actor, '') AS caller
  FROM aws_event AS e
  WHERE e.event_source = 'bedrock.amazonaws.com'
    AND e.event_name_base IN ('Retrieve', 'RetrieveAndGenerate', 'RetrieveAndGenerateStream', 'InvokeAgent',
                                 'InvokeFlow', 'GetAgentMemory')
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
    json_extract_string(c.request_parameters, '$.knowledgeBaseId'),
    json_extract_string(c.request_parameters, '$.agentId'),
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
