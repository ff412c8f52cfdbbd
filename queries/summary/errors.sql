-- ---
-- id = "summary.errors"
-- kind = "summary"
-- title = "Refused and failed calls by principal, service and error"
-- sources = ["aws_cloudtrail"]
-- description = "One row for each principal, service, error and outcome, with the number of calls, of different calls and of resources, first and last time. before_baseline_end counts the same before the end of the baseline: zero means an error this principal never met there."
-- ---
SELECT
  actor,
  event_source,
  error_code,
  outcome,
  count(*) FILTER (WHERE event_time >= $since) AS calls,
  count(DISTINCT event_name_base) FILTER (WHERE event_time >= $since) AS different_calls,
  count(DISTINCT resource) FILTER (WHERE event_time >= $since) AS resources,
  count(*) FILTER (WHERE event_time < $baseline_until) AS before_baseline_end,
  min(event_time) AS first_time,
  max(event_time) AS last_time,
  min(event_key) AS first_event_key
FROM aws_event
WHERE outcome <> 'success'
  AND event_time < $until
GROUP BY actor, event_source, error_code, outcome
HAVING count(*) FILTER (WHERE event_time >= $since) > 0
ORDER BY calls DESC NULLS LAST, actor NULLS LAST, event_source NULLS LAST, error_code NULLS LAST, min(event_key)
