-- ---
-- id = "aws.registry_token_requested"
-- kind = "detection"
-- title = "Access to stored images, packages or source was requested by a principal new to it"
-- severity = "low"
-- confidence = "low"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1528"]
-- attack_v19 = ["T1528"]
-- attack_version = "18.1"
-- description = "A token for images or packages was asked for, source was pulled, or a connection to a source service was used, by a principal that had not made the same call before the end of the baseline. Denied attempts count, because they show the intent. Calls that a service makes for its caller are left out."
-- misses = "A stolen credential of a principal that makes such calls as its work."
-- false_positives = ["A new build; without a stated T0 there is no baseline and every such call appears"]
-- next_steps = ["List the images and packages that were fetched with it"]
-- references = ["https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html", "https://docs.aws.amazon.com/codeartifact/latest/APIReference/API_GetAuthorizationToken.html"]
-- ---
WITH calls AS (
  SELECT e.*, coalesce(e.actor, '') AS caller
  FROM aws_event AS e
  WHERE ((e.event_source = 'codecommit.amazonaws.com' AND e.event_name_base = 'GitPull')
      OR (e.event_source = 'ecr.amazonaws.com' AND e.event_name_base = 'GetAuthorizationToken')
      OR (e.event_source = 'codeartifact.amazonaws.com' AND e.event_name_base = 'GetAuthorizationToken'))
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
    json_extract_string(c.request_parameters, '$.domain'),
    json_extract_string(c.request_parameters, '$.repositoryName'),
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
