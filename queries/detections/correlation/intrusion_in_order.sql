-- ---
-- id = "correlation.intrusion_in_order"
-- kind = "detection"
-- title = "A credential looked around, read secrets and then used models or a provider"
-- severity = "critical"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["secrets_events"]
-- attack = ["T1078.004", "T1555.006"]
-- attack_v19 = ["T1078.004", "T1555.006"]
-- attack_version = "18.1"
-- atlas = ["AML.T0055"]
-- baseline_days = 7
-- description = "One credential of AWS made, in this order and within max_hours hours: a call that looks around (who am I, which secrets, keys, users, buckets, functions or models there are), a read of a secret, parameter or configuration that its principal did not read in the baseline, and then either an invocation of a model in Bedrock or an act or request at a provider or gateway from the public address of the read. Each step alone is ordinary; the order is the intrusion. Of each step the first events are listed up to a limit. Only successful reads count, the other steps whatever their outcome."
-- misses = "An intruder who changes credentials between the steps; summary.session_lineage follows them. Steps that are not logged."
-- false_positives = ["A new engineer who explores, reads a key and tries a model"]
-- next_steps = ["Follow the credential up and down with keytrail summary session_lineage", "Run keytrail exposure for the keys that were read", "End the sessions of the principal"]
-- references = ["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html"]
--
-- [params]
-- max_hours = { type = "integer", doc = "Hours from the first look to the use", default = 24 }
-- shown_events = { type = "integer", doc = "Events listed for each credential and step", default = 100 }
-- ---
WITH calls AS (
  SELECT event_key, event_epoch, coalesce(credential_id, actor) AS credential, event_source, event_name_base
  FROM aws_event
  WHERE event_time >= $since
    AND event_time < $until
    AND coalesce(invoked_by, '') = ''
    AND coalesce(identity_type, '') <> 'AWSService'
),
looks AS (
  SELECT event_key, event_epoch, credential
  FROM calls
  WHERE event_name_base IN (
    'GetCallerIdentity', 'ListSecrets', 'DescribeParameters', 'ListUsers', 'ListRoles', 'ListAccessKeys', 'ListBuckets',
    'ListFunctions', 'ListAttachedUserPolicies', 'GetAccountAuthorizationDetails', 'GetAccountSummary', 'ListFoundationModels',
    'DescribeInstances', 'DescribeDBInstances', 'ListKeys', 'ListTaskDefinitions')
),
known_readers AS (
  SELECT DISTINCT coalesce(actor, '') AS reader, location_kind, location
  FROM secret_access
  WHERE outcome = 'success' AND event_time < $baseline_until
),
reads AS (
  SELECT s.event_key, s.event_epoch, coalesce(s.credential_id, s.actor) AS credential, s.source_ip, s.source_class
  FROM secret_access AS s
  LEFT JOIN known_readers AS k
    ON k.reader = coalesce(s.actor, '') AND k.location_kind = s.location_kind AND k.location = s.location
  WHERE k.reader IS NULL
    AND s.outcome = 'success'
    AND s.event_time < $until   -- what lies before the window comes before the look
),
uses AS (
  SELECT c.event_key, c.event_epoch, c.credential
  FROM calls AS c
  WHERE c.event_source = 'bedrock.amazonaws.com'
    AND c.event_name_base IN ('InvokeModel', 'InvokeModelWithResponseStream', 'Converse', 'ConverseStream')
  UNION ALL
  SELECT a.event_key, epoch_ms(a.event_time) // 1000 AS event_epoch, r.credential
  FROM (SELECT DISTINCT credential, source_ip FROM reads WHERE source_class = 'public') AS r
  JOIN activity AS a ON a.source_ip = r.source_ip
  WHERE a.table_name IN ('ai_audit_event', 'ai_request')
    AND a.event_time < $until
),
first_looks AS (
  SELECT credential, min(event_epoch) AS look_epoch FROM looks GROUP BY credential
),
first_reads AS (
  SELECT r.credential, min(l.look_epoch) AS look_epoch, min(r.event_epoch) AS read_epoch
  FROM reads AS r
  JOIN first_looks AS l ON l.credential = r.credential AND r.event_epoch >= l.look_epoch
  GROUP BY r.credential
),
chains AS (
  SELECT u.credential, min(f.look_epoch) AS look_epoch, min(f.read_epoch) AS read_epoch, min(u.event_epoch) AS use_epoch
  FROM uses AS u
  JOIN first_reads AS f ON f.credential = u.credential AND u.event_epoch >= f.read_epoch
  GROUP BY u.credential
  HAVING min(u.event_epoch) - min(f.look_epoch) <= $max_hours * 3600
),
steps AS (
  SELECT l.event_key, c.credential, 1 AS step, l.event_epoch, c.look_epoch, c.use_epoch
  FROM looks AS l JOIN chains AS c ON c.credential = l.credential
  UNION ALL
  SELECT r.event_key, c.credential, 2 AS step, r.event_epoch, c.look_epoch, c.use_epoch
  FROM reads AS r JOIN chains AS c ON c.credential = r.credential AND r.event_epoch >= c.look_epoch
  UNION ALL
  SELECT u.event_key, c.credential, 3 AS step, u.event_epoch, c.look_epoch, c.use_epoch
  FROM uses AS u JOIN chains AS c ON c.credential = u.credential AND u.event_epoch >= c.read_epoch
),
-- A call may name several things it read.
events AS (
  SELECT event_key, credential, min(step) AS step, min(event_epoch) AS event_epoch, min(use_epoch - look_epoch) AS span_seconds
  FROM steps
  GROUP BY event_key, credential
),
numbered AS (
  SELECT event_key, credential, step, span_seconds,
    row_number() OVER (PARTITION BY credential, step ORDER BY event_epoch NULLS LAST, event_key) AS event_no
  FROM events
)
SELECT
  n.credential AS finding_key,
  a.event_time,
  a.actor,
  a.action,
  a.resource,
  a.source_ip,
  a.credential AS credential_id,
  a.account_id,
  a.region,
  coalesce(a.outcome, 'success') AS outcome,
  a.event_key,
  a.evidence,
  CASE n.step WHEN 1 THEN 'looks around' WHEN 2 THEN 'reads secrets' ELSE 'uses models' END AS step,
  n.span_seconds,
  a.owner
FROM numbered AS n
JOIN activity AS a ON a.event_key = n.event_key
WHERE n.event_no <= $shown_events
ORDER BY a.event_time NULLS LAST, n.credential NULLS LAST, a.event_key
