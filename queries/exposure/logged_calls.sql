-- ---
-- id = "exposure.logged_calls"
-- kind = "exposure"
-- title = "Usual size of the account's own logged Bedrock calls"
-- severity = "info"
-- confidence = "low"
-- sources = ["bedrock_invocation"]
-- description = "Lower quartile, median and upper quartile of input and output tokens of the single calls in the invocation log, by owner: what calls without a log are assumed to be like, where nothing better is known."
-- misses = "How large the calls were that are not in the log."
-- ---
WITH asked AS (
  SELECT owner, input_total, row_number() OVER (PARTITION BY owner ORDER BY input_total NULLS LAST, event_key) AS place, count(*) OVER (PARTITION BY owner) AS calls
  FROM (SELECT coalesce(owner, '') AS owner, input_tokens_total AS input_total, event_key FROM ai_request
        WHERE provider = 'aws_bedrock' AND input_tokens_total >= 0 AND output_tokens >= 0 AND event_time >= $since AND event_time < $until)),
answered AS (
  SELECT owner, output_tokens, row_number() OVER (PARTITION BY owner ORDER BY output_tokens NULLS LAST, event_key) AS place, count(*) OVER (PARTITION BY owner) AS calls
  FROM (SELECT coalesce(owner, '') AS owner, output_tokens, event_key FROM ai_request
        WHERE provider = 'aws_bedrock' AND input_tokens_total >= 0 AND output_tokens >= 0 AND event_time >= $since AND event_time < $until)),
asked_at AS (
  SELECT owner, max(calls) AS calls, max(CASE WHEN place = (calls + 3) // 4 THEN input_total END) AS input_low,
         max(CASE WHEN place = (calls + 1) // 2 THEN input_total END) AS input_mid,
         max(CASE WHEN place = (3 * calls + 3) // 4 THEN input_total END) AS input_high
  FROM asked GROUP BY owner),
answered_at AS (
  SELECT owner, max(CASE WHEN place = (calls + 3) // 4 THEN output_tokens END) AS output_low,
         max(CASE WHEN place = (calls + 1) // 2 THEN output_tokens END) AS output_mid,
         max(CASE WHEN place = (3 * calls + 3) // 4 THEN output_tokens END) AS output_high
  FROM answered GROUP BY owner)
SELECT a.owner, a.calls, a.input_low, a.input_mid, a.input_high, o.output_low, o.output_mid, o.output_high
FROM asked_at AS a
JOIN answered_at AS o ON o.owner = a.owner
ORDER BY a.owner NULLS LAST
