-- ---
-- id = "exposure.log_integrity"
-- kind = "exposure"
-- title = "Log files and digests that failed or are missing"
-- sources = ["aws_cloudtrail"]
-- needs = []
-- description = "What the check of log files against digests leaves open, by region: log files that failed or are missing, and digests that are missing, where their hour touches the window. A row of the state checked says that the check ran at all."
-- misses = "What happened while no digest was written. Log files that no digest lists are not named here: they are neither proven nor refuted."
-- references = ["https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html"]
-- ---
WITH faults AS (
  SELECT
    coalesce(regexp_extract(l.object, '/CloudTrail/([a-z]+-[a-z-]+-[0-9]+)/', 1), '') AS region,
    l.state,
    l.object
  FROM log_integrity AS l
  LEFT JOIN log_digest AS d ON d.object = l.digest_object AND d.state <> 'missing'
  WHERE (l.integrity = 'failed' OR l.state = 'missing')
    AND (d.start_at IS NULL OR (d.start_at < $until AND d.end_at > $since))
)
SELECT
  region,
  state,
  count(DISTINCT object) AS files,
  min(object) AS first_object
FROM faults
GROUP BY region, state
UNION ALL
SELECT
  region,
  'missing_digest' AS state,
  CAST(sum(missing) AS BIGINT) AS files,
  min(trail) AS first_object
FROM log_chain
WHERE missing > 0 AND NOT backfill AND first_start < $until AND last_end > $since
GROUP BY region
UNION ALL
SELECT
  '' AS region,
  'checked' AS state,
  count(*) AS files,
  '' AS first_object
FROM result_basis
WHERE kind = 'verify-logs'
ORDER BY region NULLS LAST, state NULLS LAST, first_object NULLS LAST
