-- ---
-- id = "aws.notebook_startup_changed"
-- kind = "detection"
-- title = "The start-up script of a notebook was changed, or a way into a notebook was opened"
-- severity = "medium"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1059.009", "T1546"]
-- attack_v19 = ["T1059.009", "T1546"]
-- attack_version = "18.1"
-- description = "A lifecycle configuration of SageMaker notebooks was created or changed, a notebook was changed, or an address into one was made, by a principal that had not made the same call before the end of the baseline. Denied attempts count, because they show the intent. Calls that a service makes for its caller are left out. The script runs as root with the role of the notebook."
-- misses = "Work inside a notebook that is open already. A stolen credential of a principal that makes such calls as its work."
-- false_positives = ["Data scientists and their platform, in their first days; without a stated T0 there is no baseline and every such call appears"]
-- next_steps = ["Read the script of the configuration", "List what the role of the notebook did since", "Ask the holder of the credential"]
-- references = ["https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateNotebookInstanceLifecycleConfig.html", "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreatePresignedNotebookInstanceUrl.html"]
-- ---
WITH calls AS (
  SELECT e.*, coalesce(e.actor, '') AS caller
  FROM aws_event AS e
  WHERE e.event_source = 'sagemaker.amazonaws.com'
    AND e.event_name_base IN ('CreateNotebookInstanceLifecycleConfig',
                                 'UpdateNotebookInstanceLifecycleConfig', 'UpdateNotebookInstance',
                                 'CreatePresignedNotebookInstanceUrl')
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
    json_extract_string(c.request_parameters, '$.notebookInstanceName'),
    json_extract_string(c.request_parameters, '$.notebookInstanceLifecycleConfigName'),
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
