"""Views under the statistics of the queries: which hours and days an export proves, key use by hour, first sights.

None depends on where a baseline ends; that is each query's own parameter.
"""

from __future__ import annotations

#: Whole hours (or wider units) and whole days of which an export proves that all use, or all cost, is in it. `holder`
#: is provider, owner and organisation; `unit` counts units of `width_s` from 1970 on, and a day is also given for
#: exports of finer buckets. Absence inside is zero, elsewhere unknown.
COVERED_UNIT = """
CREATE VIEW covered_unit AS
WITH stretches AS (
  SELECT DISTINCT provider || '|' || coalesce(owner, '') || '|' || coalesce(organisation, '') AS holder,
    CASE endpoint WHEN 'costs' THEN 'costs' ELSE 'usage' END AS kind, granularity_s,
    unnest([greatest(granularity_s, 3600), 86400]) AS width_s,
    epoch_ms(covered_from) // 1000 AS from_epoch, epoch_ms(covered_until) // 1000 AS until_epoch
  FROM ai_coverage
  WHERE granularity_s > 0)
SELECT DISTINCT holder, kind, granularity_s, width_s,
  unnest(range((from_epoch + width_s - 1) // width_s, until_epoch // width_s)) AS unit
FROM stretches
"""

#: Use of each key by the units that are compared: hours, or wider buckets where the export has no finer ones.
KEY_UNIT = """
CREATE VIEW key_unit AS
SELECT subject, holder, granularity_s, unit_s, start_epoch // unit_s AS unit, min(bucket_start) AS unit_start,
  max(bucket_end) AS unit_end, CAST(sum(requests) AS BIGINT) AS requests, CAST(sum(tokens) AS BIGINT) AS tokens
FROM key_usage
GROUP BY subject, holder, granularity_s, unit_s, start_epoch // unit_s
"""

#: When a key was made, by an audit log or the inventory; the later of two. Before that it cannot be silent.
KEY_MADE = """
CREATE VIEW key_made AS
WITH makings AS (
  SELECT provider, target_key_id AS key_id, event_time AS made_at
  FROM ai_audit_event
  WHERE replace(action, '.', '_') IN ('api_key_created', 'tenant_project_api_key_created', 'platform_api_key_created')
  UNION ALL
  SELECT key_provider, key_id, created_at FROM ai_key_standing)
SELECT u.subject, max(epoch_ms(m.made_at) // 1000) AS made_epoch
FROM (SELECT DISTINCT subject, provider, key_id FROM key_usage) AS u
JOIN makings AS m ON m.provider = u.provider AND m.key_id = u.key_id
WHERE m.made_at IS NOT NULL
GROUP BY u.subject
"""

#: The first time that a principal made a call of AWS, whatever came of it, and how often it did. Known is what was
#: seen before a query's baseline ends; services that act for themselves have no habits.
FIRST_SEEN = """
CREATE VIEW first_seen AS
SELECT coalesce(actor, '') AS principal, event_source, event_name_base, min(event_time) AS first_time, count(*) AS calls
FROM aws_event
WHERE coalesce(identity_type, '') <> 'AWSService' AND event_time IS NOT NULL
GROUP BY coalesce(actor, ''), event_source, event_name_base
"""

#: In the order in which each can be made; those of usage rest on `key_usage`.
SERIES_VIEWS = (COVERED_UNIT, KEY_UNIT, KEY_MADE, FIRST_SEEN)
