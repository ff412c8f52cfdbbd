-- ---
-- id = "aws.dormant_credential_revived"
-- kind = "detection"
-- title = "A credential that had been silent for weeks became active"
-- severity = "high"
-- confidence = "medium"
-- sources = ["aws_cloudtrail"]
-- needs = ["aws_events"]
-- attack = ["T1078.004"]
-- attack_v19 = ["T1078.004"]
-- attack_version = "18.1"
-- baseline_days = 30
-- description = "A long-term access key or a role acts again after a silence of at least dormant_days, or a long-term key whose creation is not in the logs acts for the first time more than first_use_days after the logs of its account begin. Denied calls count: they show that somebody holds the credential. The first calls after the silence are listed."
-- misses = "Silences that began before the logs. A key used rarely but regularly by its thief. Calls in regions whose logs were not supplied look like silence."
-- false_positives = ["Quarterly jobs", "Tests of disaster recovery", "Gaps in the supplied logs"]
-- next_steps = ["Compare address and calls before and after the silence", "Ask the owner of the credential", "Check the coverage of the logs over the silence"]
-- references = ["https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys-update.html", "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html"]
--
-- [params]
-- dormant_days = { type = "integer", doc = "Days of silence", default = 30 }
-- first_use_days = { type = "integer", doc = "Days from the first log of the account to the first use of an old key", default = 14 }
-- shown_seconds = { type = "integer", doc = "Seconds after the revival in which calls are listed", default = 86400 }
-- shown_calls = { type = "integer", doc = "Calls listed after the revival", default = 20 }
-- ---
WITH uses AS (
  SELECT
    event_key,
    event_time,
    event_epoch,
    CASE WHEN credential_class = 'AKIA' THEN credential_id ELSE actor END AS holder,
    coalesce(credential_class, '') = 'AKIA' AS long_term_key,
    coalesce(account_id, '') AS account
  FROM aws_event
  WHERE event_epoch IS NOT NULL
    AND event_time < $until
    AND coalesce(invoked_by, '') = ''
    AND (coalesce(credential_class, '') = 'AKIA' OR coalesce(identity_type, '') = 'AssumedRole')
),
used_days AS (
  SELECT holder, long_term_key, event_epoch // 86400 AS used_day, min(account) AS account,
    min(event_epoch) AS first_epoch, max(event_epoch) AS last_epoch
  FROM uses
  WHERE holder IS NOT NULL
  GROUP BY holder, long_term_key, event_epoch // 86400
),
silences AS (
  SELECT
    holder,
    long_term_key,
    account,
    first_epoch,
    max(last_epoch) OVER (
      PARTITION BY holder, long_term_key ORDER BY used_day NULLS LAST
      RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS earlier_epoch
  FROM used_days
),
account_starts AS (
  SELECT coalesce(account_id, '') AS account, min(event_epoch) AS start_epoch FROM aws_event GROUP BY coalesce(account_id, '')
),
created_keys AS (
  SELECT DISTINCT issued_credential_id FROM aws_event WHERE issued_credential_id IS NOT NULL
),
revivals AS (
  SELECT
    s.holder,
    s.long_term_key,
    s.first_epoch AS revived_epoch,
    s.earlier_epoch IS NOT NULL AS seen_before,
    (s.first_epoch - coalesce(s.earlier_epoch, a.start_epoch)) // 86400 AS silent_days
  FROM silences AS s
  JOIN account_starts AS a ON a.account = s.account
  LEFT JOIN created_keys AS c ON c.issued_credential_id = s.holder
  WHERE (s.earlier_epoch IS NOT NULL AND s.first_epoch - s.earlier_epoch >= $dormant_days * 86400)
     OR (s.earlier_epoch IS NULL AND s.long_term_key AND c.issued_credential_id IS NULL
         AND s.first_epoch - a.start_epoch > $first_use_days * 86400)
),
calls_after AS (
  SELECT
    u.event_key,
    r.holder,
    r.revived_epoch,
    r.seen_before,
    r.silent_days,
    row_number() OVER (PARTITION BY r.holder, r.revived_epoch ORDER BY u.event_epoch NULLS LAST, u.event_key) AS call_no
  FROM revivals AS r
  JOIN uses AS u
    ON u.holder = r.holder
   AND u.long_term_key = r.long_term_key
   AND u.event_epoch >= r.revived_epoch
   AND u.event_epoch < r.revived_epoch + $shown_seconds
)
SELECT
  c.holder || '|' || strftime(epoch_ms(c.revived_epoch * 1000), '%Y-%m-%d') AS finding_key,
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
  c.silent_days,
  c.seen_before,
  c.call_no
FROM calls_after AS c
JOIN aws_event AS e ON e.event_key = c.event_key
WHERE c.call_no <= $shown_calls
  AND e.event_time >= $since
  AND e.event_time < $until
ORDER BY e.event_time NULLS LAST, e.event_key
