"""Views over the logs of places that hold keys: one row an access, however many records tell of it."""

from __future__ import annotations

#: Accesses to Vault: records of one owner and `request.id` together, also those of several devices. The response
#: tells most and stands first. Unanswered or refused is an attempt.
VAULT_ACCESS = """
CREATE VIEW vault_access AS
WITH placed AS (
  SELECT v.*, coalesce(request_id, event_key) AS access_id,
    row_number() OVER (
      PARTITION BY owner, organisation, coalesce(request_id, event_key)
      ORDER BY CASE kind WHEN 'response' THEN 0 ELSE 1 END, event_time, event_key) AS place
  FROM vault_event AS v),
whole AS (
  SELECT owner, organisation, access_id, min(event_time) AS began, max(error) AS failed,
    bool_or(kind = 'response') AS answered, count(*) AS records, max(principal) AS who, max(source_ip) AS ip,
    max(source_ip_key) AS ip_key, max(user_agent) AS agent, max(token_hmac) AS token, max(accessor_hmac) AS accessor
  FROM placed GROUP BY ALL)
SELECT p.event_key, p.source_id, p.owner, p.organisation, w.began AS event_time, p.request_id, p.operation, p.path,
  p.mount_type, p.mount_point, p.namespace, coalesce(p.principal, w.who) AS principal, p.entity_id,
  coalesce(p.token_hmac, w.token) AS token_hmac, coalesce(p.accessor_hmac, w.accessor) AS accessor_hmac, p.policies,
  coalesce(p.source_ip, w.ip) AS source_ip, coalesce(p.source_ip_key, w.ip_key) AS source_ip_key,
  coalesce(p.user_agent, w.agent) AS user_agent, w.failed AS error,
  CASE WHEN w.failed IS NOT NULL THEN 'failure' WHEN w.answered THEN 'success' END AS outcome,
  w.failed IS NOT NULL OR NOT w.answered AS is_attempt, w.records, p.evidence
FROM placed AS p
JOIN whole AS w ON w.owner IS NOT DISTINCT FROM p.owner AND w.organisation IS NOT DISTINCT FROM p.organisation
  AND w.access_id = p.access_id
WHERE p.place = 1
"""

#: What these logs add to the view `activity`.
ACTIVITY_OF_CUSTODY = """
SELECT event_time, source_id, owner, coalesce(principal, entity_id, accessor_hmac), 'vault:' || coalesce(operation, 'request'),
       outcome, path, accessor_hmac, source_ip, user_agent, organisation, NULL, event_key, request_id, evidence, 'vault_event'
FROM vault_access
UNION ALL
SELECT event_time, source_id, owner, coalesce(caller, user_id, key_id), 'api:' || coalesce(method, 'call'),
       CASE WHEN status < 400 THEN 'success' WHEN status >= 400 THEN 'failure' END, path, key_id, source_ip, user_agent,
       account_id, NULL, event_key, request_id, evidence, 'api_access'
FROM api_access
UNION ALL
SELECT event_time, source_id, owner, coalesce(actor, actor_email), provider || ':' || coalesce(action, kind),
       outcome, coalesce(resource, location, key_id, key_name), coalesce(credential, key_id), source_ip, user_agent,
       account, region, event_key, event_id, evidence, 'other_event'
FROM other_event
"""

CUSTODY_VIEWS = (VAULT_ACCESS,)
