"""The view that puts the stored findings together: what one query says of the same principals and the same resource."""

from __future__ import annotations

#: As `forensics.analysis.finding_groups` groups them. `principals` and `resources` are lists in JSON: those of every finding;
#: or, where each finding has several resources, all of them. `principal` and `resource` are the one value, else NULL.
FINDING_GROUP = """
CREATE VIEW finding_group AS
WITH told AS (
  SELECT f.finding_id, f.query_id, f.title, f.severity, f.confidence, f.state, f.suppression, f.first_seen, f.last_seen,
    CASE f.severity WHEN 'critical' THEN 5 WHEN 'high' THEN 4 WHEN 'medium' THEN 3 WHEN 'low' THEN 2 ELSE 1 END AS rank,
    CASE f.confidence WHEN 'high' THEN 3 WHEN 'medium' THEN 2 ELSE 1 END AS sure,
    coalesce(CAST(to_json(list_sort(list(DISTINCT e.actor) FILTER (e.actor IS NOT NULL))) AS VARCHAR), '[]') AS principals,
    count(DISTINCT e.actor) AS principal_count, min(e.actor) AS an_actor,
    CASE WHEN count(DISTINCT e.resource) <= 1 THEN coalesce('=' || min(e.resource), 'none') ELSE 'several' END AS thing
  FROM finding AS f
  LEFT JOIN finding_event AS e ON e.finding_id = f.finding_id
  GROUP BY ALL),
groups AS (
  SELECT query_id, suppression, principals, thing, min(title) AS title, arg_max(severity, rank) AS severity,
    arg_max(confidence, sure) AS confidence, max(rank) AS rank, max(sure) AS sure,
    CASE WHEN bool_and(state = 'no_baseline') THEN 'no_baseline' ELSE 'finding' END AS state,
    CASE WHEN max(principal_count) = 1 THEN min(an_actor) END AS principal,
    count(*) AS findings, count(*) FILTER (state = 'no_baseline') AS without_baseline,
    min(first_seen) AS first_seen, max(last_seen) AS last_seen
  FROM told GROUP BY query_id, suppression, principals, thing),
behind AS (
  SELECT t.query_id, t.suppression, t.principals, t.thing, count(DISTINCT e.event_key) AS events,
    coalesce(CAST(to_json(list_sort(list(DISTINCT e.resource) FILTER (e.resource IS NOT NULL))) AS VARCHAR), '[]') AS resources,
    count(DISTINCT e.resource) AS resource_count, min(e.resource) AS a_resource
  FROM told AS t
  LEFT JOIN finding_event AS e ON e.finding_id = t.finding_id
  GROUP BY t.query_id, t.suppression, t.principals, t.thing)
SELECT g.query_id, g.title, g.severity, g.confidence, g.state, g.principal, g.principals,
  CASE WHEN b.resource_count = 1 THEN b.a_resource END AS resource, b.resources, g.findings, g.without_baseline, b.events,
  g.first_seen, g.last_seen, g.suppression,
  row_number() OVER (
    ORDER BY CASE WHEN g.suppression IS NULL THEN 0 ELSE 1 END, g.rank DESC, g.sure DESC, g.first_seen NULLS LAST,
      g.query_id, g.principals, b.resources, g.suppression) AS place
FROM groups AS g
JOIN behind AS b ON b.query_id = g.query_id AND b.suppression IS NOT DISTINCT FROM g.suppression
  AND b.principals = g.principals AND b.thing = g.thing
"""
