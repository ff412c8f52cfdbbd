-- ---
-- id = "correlation.address_in_cloud_and_provider"
-- kind = "detection"
-- title = "A new address acted in AWS and at an AI provider"
-- severity = "critical"
-- confidence = "medium"
-- sources = ["openai_audit", "anthropic_activity", "litellm_spend"]
-- needs = ["aws_events"]
-- attack = ["T1078.004"]
-- attack_v19 = ["T1078.004"]
-- attack_version = "18.1"
-- baseline_days = 7
-- description = "A public address that is not stated as the organisation's own, and that neither the AWS logs nor the logs of providers and gateways showed before the end of the baseline, stands in both of them. An address that acts in an account of the organisation and at the provider of a customer joins the two sides of an incident. Listed are its acts at the provider or gateway up to a limit, and in AWS the first call of each credential, service and outcome. Denied and failed acts count. owner tells whose evidence a row is from. Where the log of the provider or gateway does not reach far enough back, the row carries baseline_state none."
-- misses = "An intruder who uses different addresses on the two sides, even of one network. Acts for which the provider records no address; the usage exports of OpenAI and Anthropic hold none."
-- false_positives = ["A new egress address of the organisation that is not stated in the settings", "An employee at a new place who works on both sides", "A common network of a provider of internet access or of private relays"]
-- next_steps = ["Find out who holds the address", "State it in the settings as own or as known to be the intruder's", "List everything that came from it in all logs", "Revoke keys that were made or used from it"]
-- references = ["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html", "https://platform.openai.com/docs/api-reference/audit-logs", "https://platform.claude.com/docs/en/manage-claude/compliance-activity-feed"]
--
-- [params]
-- min_baseline_acts = { type = "integer", doc = "Acts with an address in the baseline of the owner's logs of a format", default = 5 }
-- shown_acts = { type = "integer", doc = "Acts listed for each address at providers and gateways", default = 500 }
-- ---
WITH provider_acts AS (
  SELECT event_key, event_time, source_ip, source_id, coalesce(owner, '') AS customer
  FROM ai_audit_event
  WHERE source_ip IS NOT NULL
  UNION ALL
  SELECT event_key, event_time, source_ip, source_id, coalesce(owner, '') AS customer
  FROM ai_request
  WHERE source_ip IS NOT NULL
),
cloud_acts AS (
  SELECT event_key, event_time, event_epoch, source_ip, source_ip_key, source_class, credential_id, actor, event_source, outcome
  FROM aws_event
  WHERE coalesce(invoked_by, '') = ''
),
old_addresses AS (
  SELECT source_ip FROM provider_acts WHERE event_time < $baseline_until
  UNION
  SELECT source_ip FROM cloud_acts WHERE event_time < $baseline_until
),
own_addresses AS (
  SELECT DISTINCT c.source_ip
  FROM cloud_acts AS c
  JOIN case_network AS n ON n.kind = 'own_egress' AND c.source_ip_key >= n.low AND c.source_ip_key <= n.high
),
new_cloud_acts AS (
  SELECT
    c.event_key,
    c.source_ip,
    row_number() OVER (
      PARTITION BY c.source_ip, coalesce(c.credential_id, c.actor), c.event_source, c.outcome
      ORDER BY c.event_epoch NULLS LAST, c.event_key
    ) AS place
  FROM cloud_acts AS c
  WHERE c.source_class = 'public'
    AND c.event_time >= $since
    AND c.event_time < $until
    AND NOT EXISTS (SELECT 1 FROM old_addresses AS o WHERE o.source_ip = c.source_ip)
    AND NOT EXISTS (SELECT 1 FROM own_addresses AS w WHERE w.source_ip = c.source_ip)
),
new_provider_acts AS (
  SELECT
    p.event_key,
    p.source_ip,
    p.source_id,
    p.customer,
    row_number() OVER (PARTITION BY p.source_ip ORDER BY p.event_time NULLS LAST, p.event_key) AS act_no
  FROM provider_acts AS p
  WHERE p.event_time >= $since
    AND p.event_time < $until
    AND EXISTS (SELECT 1 FROM new_cloud_acts AS c WHERE c.source_ip = p.source_ip)
),
baselines AS (
  SELECT source_id, customer, count(*) AS acts
  FROM provider_acts
  WHERE event_time < $baseline_until
  GROUP BY source_id, customer
),
-- An address is known to be new where at least one of the logs that show it goes back far enough.
known_new AS (
  SELECT p.source_ip, max(CASE WHEN coalesce(b.acts, 0) >= $min_baseline_acts THEN 1 ELSE 0 END) AS sufficient
  FROM new_provider_acts AS p
  LEFT JOIN baselines AS b ON b.source_id = p.source_id AND b.customer = p.customer
  GROUP BY p.source_ip
),
contributing AS (
  SELECT e.source_ip AS finding_key, e.event_time, e.actor, e.event_name_base AS action, e.resource, e.source_ip,
    e.credential_id, e.account_id, e.region, e.outcome, e.event_key, e.evidence, 'aws' AS side, e.owner, e.user_agent
  FROM new_cloud_acts AS c
  JOIN aws_event AS e ON e.event_key = c.event_key
  WHERE c.place = 1
  UNION ALL
  SELECT a.source_ip AS finding_key, a.event_time, coalesce(a.actor_email, a.actor_key_id, a.actor_id, a.actor_type) AS actor,
    a.action, coalesce(a.target_key_id, a.target_id) AS resource, a.source_ip, a.actor_key_id AS credential_id,
    a.organisation AS account_id, CAST(NULL AS VARCHAR) AS region, coalesce(a.outcome, 'success') AS outcome, a.event_key,
    a.evidence, 'provider' AS side, a.owner, a.user_agent
  FROM new_provider_acts AS p
  JOIN ai_audit_event AS a ON a.event_key = p.event_key
  WHERE p.act_no <= $shown_acts
  UNION ALL
  SELECT r.source_ip AS finding_key, r.event_time, coalesce(r.key_id, r.key_name, r.key_hash) AS actor,
    r.provider || ':' || coalesce(r.operation, 'request') AS action, r.model AS resource, r.source_ip,
    coalesce(r.key_id, r.key_hash) AS credential_id, r.organisation AS account_id, r.region,
    CASE WHEN r.status = 'ok' THEN 'success' ELSE 'failure' END AS outcome, r.event_key, r.evidence, 'gateway' AS side,
    r.owner, r.user_agent
  FROM new_provider_acts AS p
  JOIN ai_request AS r ON r.event_key = p.event_key
  WHERE p.act_no <= $shown_acts
)
SELECT
  c.finding_key,
  c.event_time,
  c.actor,
  c.action,
  c.resource,
  c.source_ip,
  c.credential_id,
  c.account_id,
  c.region,
  c.outcome,
  c.event_key,
  c.evidence,
  CASE WHEN k.sufficient = 1 THEN 'sufficient' ELSE 'none' END AS baseline_state,
  c.side,
  c.owner,
  c.user_agent
FROM contributing AS c
JOIN known_new AS k ON k.source_ip = c.source_ip
ORDER BY c.event_time NULLS LAST, c.event_key
