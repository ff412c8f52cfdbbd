-- ---
-- id = "summary.indicator_hits"
-- kind = "summary"
-- title = "Where each indicator of the lists stands in the evidence"
-- sources = []
-- description = "One row an indicator and column that it was found in by the last search of keytrail ioc, over the whole evidence: records, those inside its stated validity, first and last time, principals, credentials and addresses of these records, and the lists that state it. Indicators that were not found: summary.indicators_not_found. A list that was withdrawn counts no longer."
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
)
SELECT
  s.kind,
  s.value,
  s.match,
  h.table_name,
  h.field,
  count(DISTINCT h.event_key) AS records,
  count(DISTINCT h.event_key) FILTER (WHERE h.valid) AS valid_records,
  min(h.event_time) AS first_seen,
  max(h.event_time) AS last_seen,
  count(DISTINCT a.actor) AS principals,
  count(DISTINCT a.credential) AS credentials,
  count(DISTINCT a.source_ip) AS addresses,
  s.lists,
  s.one_list,
  s.indicator_id,
  min(h.event_key) AS first_event_key
FROM stated AS s
JOIN indicator_hit AS h ON h.indicator_id = s.indicator_id
LEFT JOIN activity AS a ON a.event_key = h.event_key AND a.table_name = h.table_name
GROUP BY s.kind, s.value, s.match, h.table_name, h.field, s.lists, s.one_list, s.indicator_id
ORDER BY records DESC NULLS LAST, s.kind NULLS LAST, s.value NULLS LAST, s.match NULLS LAST, h.table_name NULLS LAST,
  h.field NULLS LAST, min(h.event_key)
