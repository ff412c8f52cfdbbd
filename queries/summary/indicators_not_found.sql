-- ---
-- id = "summary.indicators_not_found"
-- kind = "summary"
-- title = "Indicators that stand nowhere in the evidence, and what was searched for them"
-- sources = []
-- description = "One row an indicator without a hit in the last search of keytrail ioc: no_hit with the number of values of its kind that were compared and the time they span, or not_evaluable where the evidence has no field of its kind, or nothing was searched yet. Not found in these records does not mean not used."
-- references = ["https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html"]
-- ---
WITH stated AS (
  SELECT
    i.indicator_id,
    min(i.kind) AS kind,
    min(i.value) AS value,
    min(i.match) AS match,
    count(DISTINCT i.file_sha256) AS lists,
    min(i.file_name) AS one_list
  FROM indicator AS i
  LEFT JOIN withdrawal AS w ON w.file_sha256 = i.file_sha256
  WHERE w.file_sha256 IS NULL
  GROUP BY i.indicator_id
),
searched AS (
  SELECT
    kind,
    count(DISTINCT table_name || '.' || field) FILTER (WHERE records > 0) AS fields,
    CAST(sum(records) AS BIGINT) AS records,
    min(first) AS searched_from,
    max(last) AS searched_to
  FROM indicator_search
  GROUP BY kind
)
SELECT
  s.kind,
  s.value,
  s.match,
  CASE WHEN coalesce(q.records, 0) > 0 THEN 'no_hit' ELSE 'not_evaluable' END AS state,
  coalesce(q.records, 0) AS values_compared,
  coalesce(q.fields, 0) AS fields,
  q.searched_from,
  q.searched_to,
  s.lists,
  s.one_list,
  s.indicator_id
FROM stated AS s
LEFT JOIN searched AS q ON q.kind = s.kind
LEFT JOIN indicator_hit AS h ON h.indicator_id = s.indicator_id
WHERE h.indicator_id IS NULL
ORDER BY s.kind NULLS LAST, s.value NULLS LAST, s.match NULLS LAST, s.indicator_id NULLS LAST
