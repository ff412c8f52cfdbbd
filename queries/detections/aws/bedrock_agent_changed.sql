-- ---
-- id = "aws.bedrock_agent_changed"
-- kind = "detection"
-- title = "An agent, its tools or a knowledge base were changed by a principal new to it"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["bedrock_events"]
-- attack = ["T1565.001", "T1546"]
-- attack_v19 = ["T1565.001", "T1546"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "A principal changed a Bedrock agent, its action groups or collaborators, or what a knowledge base is fed with, and did not make that call in the baseline. Such a change can make the agent act or answer for somebody else. Denied attempts count."
-- misses = "A principal with the same duty. Changes of the objects in the bucket that feeds the knowledge base."
-- false_positives = ["A deployment by a new role", "A team that builds its first agent"]
-- next_steps = ["Compare the agent with its definition in the code", "See whether the same credential read secrets", "Restore the documents of the knowledge base"]
-- references = ["https://docs.aws.amazon.com/bedrock/latest/userguide/agents.html", "https://docs.aws.amazon.com/bedrock/latest/userguide/knowledge-base.html"]
-- ---
SELECT
  coalesce(e.actor, '') || '|' || strftime(e.event_time, '%Y-%m-%d') AS finding_key,
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
  json_extract_string(e.request_parameters, '$.agentId') AS agent_id,
  json_extract_string(e.request_parameters, '$.knowledgeBaseId') AS knowledge_base_id,
  e.session_name,
  e.user_agent
FROM aws_event AS e
JOIN first_seen AS f
  ON f.principal = coalesce(e.actor, '') AND f.event_source = e.event_source AND f.event_name_base = e.event_name_base
WHERE e.event_source = 'bedrock.amazonaws.com'
  AND e.event_name_base IN (
    'CreateAgent', 'UpdateAgent', 'PrepareAgent', 'CreateAgentActionGroup', 'UpdateAgentActionGroup',
    'AssociateAgentKnowledgeBase', 'UpdateAgentKnowledgeBase', 'AssociateAgentCollaborator', 'CreateDataSource',
    'UpdateDataSource', 'StartIngestionJob', 'IngestKnowledgeBaseDocuments', 'DeleteKnowledgeBaseDocuments')
  AND f.first_time >= $baseline_until
  AND e.event_time >= $since
  AND e.event_time < $until
ORDER BY e.event_time NULLS LAST, e.event_key
