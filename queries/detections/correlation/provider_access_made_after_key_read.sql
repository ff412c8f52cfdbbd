-- ---
-- id = "correlation.provider_access_made_after_key_read"
-- kind = "detection"
-- title = "Access at an AI provider was made with a key, or from an address, that took part in reading secrets"
-- severity = "critical"
-- confidence = "high"
-- sources = ["openai_audit", "anthropic_activity"]
-- needs = ["secrets_events"]
-- attack = ["T1098.001", "T1136.003", "T1555.006"]
-- attack_v19 = ["T1098.001", "T1136.003", "T1555.006"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "The provider's log shows a key, a service account, an invitation, a member or a role made or given, or a limit or an address restriction lifted, after a new reader read stored secrets in AWS, and one of two links joins them: link key means that the act was done with a key which, by the inventory, stood in what was read; link address means that it came from the public address of the reads. A new reader is a principal that did not read that secret, parameter or configuration in the baseline. Reads from networks stated as own do not count, nor do denied ones. What was made this way belongs to the intruder, also when it never stood in AWS. The reads are listed with the acts, up to a limit; attempts at the provider count whatever their outcome."
-- misses = "An intruder who changes the address and uses no key that stood in the store. Keys that the inventory does not name. Usage of the new keys, which is in the usage exports."
-- false_positives = ["Responders who replace keys from a new place and read the stores for it", "A new deployment that reads an administration key and makes keys with it"]
-- next_steps = ["Revoke what was made, and undo the changes of limits and roles", "Ask the owner of the actor's account or key", "List the usage of the new keys from their making on", "Revoke the key that was used"]
-- references = ["https://platform.openai.com/docs/api-reference/audit-logs", "https://platform.claude.com/docs/en/manage-claude/compliance-activity-feed", "https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieve-ct-entries.html"]
--
-- [params]
-- shown_reads = { type = "integer", doc = "Reads listed for each link", default = 200 }
-- ---
WITH reads AS (
  SELECT s.event_key, s.event_time, s.event_epoch, s.location_kind, s.location, coalesce(s.region, '') AS region,
    coalesce(s.actor, '') AS reader, s.source_ip, s.source_ip_key, s.source_class
  FROM secret_access AS s
  WHERE s.outcome = 'success'
    AND coalesce(s.invoked_by, '') = ''
    AND coalesce(s.identity_type, '') <> 'AWSService'
),
known_readers AS (
  SELECT DISTINCT location_kind, location, region, reader FROM reads WHERE event_time < $baseline_until
),
new_reads AS (
  SELECT r.event_key, r.event_time, r.event_epoch, r.location_kind, r.location, r.region, r.source_ip, r.source_class
  FROM reads AS r
  LEFT JOIN known_readers AS k
    ON k.location_kind = r.location_kind AND k.location = r.location AND k.region = r.region AND k.reader = r.reader
  WHERE k.reader IS NULL
    AND r.event_time >= $since
    AND r.event_time < $until
    AND NOT EXISTS (
      SELECT 1 FROM case_network AS n
      WHERE n.kind = 'own_egress' AND r.source_ip_key >= n.low AND r.source_ip_key <= n.high)
),
made AS (
  SELECT event_key, event_time, provider, actor_key_id, source_ip
  FROM ai_audit_event
  WHERE regexp_matches(replace(action, '.', '_'), '(^|_)(api_key|service_key|service_account|user|role|role_assignment|group|workspace_member|federation_issuer|federation_rule|workload_identity_provider|workload_identity_provider_mapping)_(created|added|granted|assigned|invited)$|^(invite_sent|org_user_invite_sent|org_invite_link_generated|org_invite_link_regenerated|rbac_role_assigned|rate_limit_updated|rate_limit_deleted|platform_spend_limit_deleted|ip_allowlist_config_deactivated|org_ip_restriction_deleted)$')
    AND event_time >= $since
    AND event_time < $until
),
-- A read of a path reads what lies under it.
key_links AS (
  SELECT m.event_key AS act_event_key, r.event_key AS read_event_key, r.event_time AS read_time, 'key' AS link, m.actor_key_id AS link_value
  FROM made AS m
  JOIN ai_key_standing AS k ON k.key_provider = m.provider AND k.key_id = m.actor_key_id
  JOIN new_reads AS r
    ON CASE r.location_kind WHEN 'ssm_path' THEN 'ssm' ELSE r.location_kind END = k.location_kind
   AND (r.location = k.location
     OR (r.location_kind = 'ssm_path'
       AND starts_with(k.location, CASE WHEN ends_with(r.location, '/') THEN r.location ELSE r.location || '/' END)))
   AND (k.location_region IS NULL OR k.location_region = r.region)
   AND r.event_time <= m.event_time
),
address_links AS (
  SELECT m.event_key AS act_event_key, r.event_key AS read_event_key, r.event_time AS read_time, 'address' AS link, m.source_ip AS link_value
  FROM made AS m
  JOIN new_reads AS r ON r.source_ip = m.source_ip AND r.event_time <= m.event_time
  WHERE r.source_class = 'public'
),
links AS (
  SELECT act_event_key, read_event_key, read_time, link, link_value FROM key_links
  UNION
  SELECT act_event_key, read_event_key, read_time, link, link_value FROM address_links
),
act_rows AS (
  SELECT act_event_key AS event_key, link, link_value, min(read_time) AS first_read, count(DISTINCT read_event_key) AS reads
  FROM links
  GROUP BY act_event_key, link, link_value
),
read_rows AS (
  SELECT read_event_key AS event_key, link, link_value, min(read_time) AS first_read, count(DISTINCT act_event_key) AS acts
  FROM links
  GROUP BY read_event_key, link, link_value
),
read_places AS (
  SELECT event_key, link, link_value, first_read,
    row_number() OVER (PARTITION BY link, link_value ORDER BY first_read NULLS LAST, event_key) AS read_no
  FROM read_rows
),
contributing AS (
  SELECT a.link || '|' || a.link_value AS finding_key, e.event_time,
    coalesce(e.actor_email, e.actor_key_id, e.actor_id, e.actor_type) AS actor, e.provider || ':' || e.action AS action,
    coalesce(e.target_key_id, e.target_id) AS resource, e.source_ip, e.actor_key_id AS credential_id,
    e.organisation AS account_id, CAST(NULL AS VARCHAR) AS region, coalesce(e.outcome, 'success') AS outcome, e.event_key,
    e.evidence, 'act' AS step, a.link, a.first_read, a.reads, e.owner
  FROM act_rows AS a
  JOIN ai_audit_event AS e ON e.event_key = a.event_key
  UNION ALL
  SELECT p.link || '|' || p.link_value AS finding_key, e.event_time, e.actor, e.event_name_base AS action, e.resource,
    e.source_ip, e.credential_id, e.account_id, e.region, e.outcome, e.event_key, e.evidence, 'read' AS step, p.link,
    p.first_read, CAST(NULL AS BIGINT) AS reads, e.owner
  FROM read_places AS p
  JOIN aws_event AS e ON e.event_key = p.event_key
  WHERE p.read_no <= $shown_reads
)
SELECT
  finding_key,
  event_time,
  actor,
  action,
  resource,
  source_ip,
  credential_id,
  account_id,
  region,
  outcome,
  event_key,
  evidence,
  step,
  link,
  first_read,
  reads,
  owner
FROM contributing
ORDER BY event_time NULLS LAST, link NULLS LAST, event_key
