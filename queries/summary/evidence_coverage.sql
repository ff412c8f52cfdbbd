-- ---
-- id = "summary.evidence_coverage"
-- kind = "summary"
-- title = "What evidence was received, from whom, and what was read of it"
-- sources = []
-- description = "One row an owner, log format and state of reading: files, bytes, the account of records (seen is accepted, duplicate, defect and out of scope together), earliest and latest event. Files that were not recognised have no format."
-- ---
WITH files AS (
  SELECT
    r.owner,
    f.source_id,
    f.state,
    f.file_sha256,
    f.size_bytes,
    f.first_event,
    f.last_event,
    coalesce(r.seen, 0) AS seen,
    coalesce(r.accepted, 0) AS accepted,
    coalesce(r.duplicate, 0) AS duplicate,
    coalesce(r.defect, 0) AS defect,
    coalesce(r.out_of_scope, 0) AS out_of_scope,
    r.received_at
  FROM evidence_file AS f
  LEFT JOIN receipt AS r ON r.file_sha256 = f.file_sha256
)
SELECT
  coalesce(owner, '') AS owner,
  source_id,
  state,
  count(DISTINCT file_sha256) AS files,
  CAST(sum(size_bytes) AS BIGINT) AS bytes,
  CAST(sum(seen) AS BIGINT) AS seen,
  CAST(sum(accepted) AS BIGINT) AS accepted,
  CAST(sum(duplicate) AS BIGINT) AS duplicate,
  CAST(sum(defect) AS BIGINT) AS defect,
  CAST(sum(out_of_scope) AS BIGINT) AS out_of_scope,
  min(first_event) AS first_event,
  max(last_event) AS last_event,
  min(received_at) AS first_received,
  max(received_at) AS last_received
FROM files
GROUP BY coalesce(owner, ''), source_id, state
ORDER BY owner NULLS LAST, source_id NULLS LAST, state NULLS LAST
