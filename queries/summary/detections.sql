-- ---
-- id = "summary.detections"
-- kind = "summary"
-- title = "What each detection found in the last hunt"
-- sources = ["aws_cloudtrail"]
-- description = "One row a detection of the last hunt: its state and the reason, its findings, their groups by principal and resource, and their events, the gravest severity, first and last time, and the hash of the query. Techniques of ATT&CK stand in the headers of the queries: keytrail queries shows them."
-- ---
WITH last_runs AS (
  SELECT query_id, max(run_id) AS run_id FROM query_run GROUP BY query_id
),
found AS (
  SELECT query_id, count(*) AS findings, CAST(sum(event_count) AS BIGINT) AS events, min(first_seen) AS first_seen, max(last_seen) AS last_seen,
    max(CASE severity WHEN 'critical' THEN 5 WHEN 'high' THEN 4 WHEN 'medium' THEN 3 WHEN 'low' THEN 2 ELSE 1 END) AS rank
  FROM finding
  GROUP BY query_id
),
grouped AS (
  SELECT query_id, count(*) AS groups FROM finding_group GROUP BY query_id
)
SELECT
  r.query_id,
  r.state,
  CASE f.rank WHEN 5 THEN 'critical' WHEN 4 THEN 'high' WHEN 3 THEN 'medium' WHEN 2 THEN 'low' WHEN 1 THEN 'info' END AS severity,
  coalesce(f.findings, 0) AS findings,
  coalesce(g.groups, 0) AS groups,
  coalesce(f.events, 0) AS events,
  f.first_seen,
  f.last_seen,
  r.records_searched,
  r.reason,
  r.query_sha256
FROM last_runs AS l
JOIN query_run AS r ON r.run_id = l.run_id
LEFT JOIN found AS f ON f.query_id = r.query_id
LEFT JOIN grouped AS g ON g.query_id = r.query_id
ORDER BY f.rank DESC NULLS LAST, r.query_id NULLS LAST
