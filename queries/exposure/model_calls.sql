-- ---
-- id = "exposure.model_calls"
-- kind = "exposure"
-- title = "Calls of Bedrock models by the intruder, with tokens and list price where they are known"
-- severity = "info"
-- confidence = "low"
-- sources = ["aws_cloudtrail", "bedrock_invocation"]
-- description = "Successful model calls by tainted credentials, principals and addresses since each was tainted, joined by request id to the invocation log, which has the tokens. The amount takes the price for requests of that size. A credential stated as leaked, or a user the intruder gave a credential, is shared with its owner: acts from the organisation's own egress are not counted."
-- misses = "Calls of bedrock-mantle without data events. Without the invocation log a call has no tokens and no amount."
-- ---
WITH own AS (
  SELECT e.event_key
  FROM aws_event AS e
  JOIN case_network AS n ON n.kind = 'own_egress' AND e.source_ip_key >= n.low AND e.source_ip_key <= n.high
  WHERE e.event_name_base IN ('InvokeModel', 'InvokeModelWithResponseStream', 'Converse', 'ConverseStream', 'CreateInference')),
marked AS (
  SELECT e.event_key, e.event_time, e.account_id, e.region, e.request_id, coalesce(e.request_model_id, e.resource) AS model, e.actor, e.credential_id, min(t.root) AS root
  FROM aws_event AS e
  JOIN tainted AS t
    ON e.event_time >= t.since AND t.value = CASE t.kind WHEN 'credential' THEN e.credential_id WHEN 'principal' THEN e.actor ELSE e.source_ip END
  WHERE e.event_source IN ('bedrock.amazonaws.com', 'bedrock-runtime.amazonaws.com', 'bedrock-mantle.amazonaws.com')
    AND e.event_name_base IN ('InvokeModel', 'InvokeModelWithResponseStream', 'Converse', 'ConverseStream', 'CreateInference')
    AND e.outcome = 'success' AND e.event_time >= $since AND e.event_time < $until
    AND ((t.method <> 'known' AND t.kind = 'credential') OR t.kind = 'address'
      OR NOT EXISTS (SELECT 1 FROM own AS o WHERE o.event_key = e.event_key))
  GROUP BY e.event_key, e.event_time, e.account_id, e.region, e.request_id, coalesce(e.request_model_id, e.resource), e.actor, e.credential_id),
logged AS (
  SELECT request_id, max(input_tokens_total) AS input_total, max(cache_read_tokens) AS cache_read,
         max(cache_write_tokens) AS cache_write, max(output_tokens) AS output_tokens, min(event_key) AS log_key
  FROM ai_request
  WHERE provider = 'aws_bedrock' AND request_id IS NOT NULL
  GROUP BY request_id),
sized AS (
  SELECT m.*, l.log_key, l.input_total, coalesce(l.cache_read, 0) AS cache_read, coalesce(l.cache_write, 0) AS cache_write, l.output_tokens,
         CASE WHEN l.input_total BETWEEN 0 AND 100000000 AND l.output_tokens BETWEEN 0 AND 100000000
           AND coalesce(l.cache_read, 0) >= 0 AND coalesce(l.cache_write, 0) >= 0
           AND l.input_total >= coalesce(l.cache_read, 0) + coalesce(l.cache_write, 0) THEN 1 ELSE 0 END AS told
  FROM marked AS m
  LEFT JOIN logged AS l ON l.request_id = m.request_id)
SELECT s.event_time, s.event_key, s.account_id, s.region, s.model, s.actor, s.credential_id, s.root, s.log_key,
       CASE WHEN s.told = 1 THEN s.input_total END AS input_tokens, CASE WHEN s.told = 1 THEN s.output_tokens END AS output_tokens,
       p.currency, p.table_name, p.as_of, p.table_sha256,
       CAST(p.input_price AS DECIMAL(18, 12)) AS input_price, CAST(p.output_price AS DECIMAL(18, 12)) AS output_price,
       CASE WHEN s.told = 1 AND p.input_price IS NOT NULL AND p.output_price IS NOT NULL
                 AND (s.cache_read = 0 OR p.cache_read_price IS NOT NULL) AND (s.cache_write = 0 OR p.cache_write_price IS NOT NULL)
         THEN CAST(s.input_total - s.cache_read - s.cache_write AS DECIMAL(18, 0)) * CAST(p.input_price AS DECIMAL(18, 12))
            + CAST(s.cache_read AS DECIMAL(18, 0)) * CAST(coalesce(p.cache_read_price, 0) AS DECIMAL(18, 12))
            + CAST(s.cache_write AS DECIMAL(18, 0)) * CAST(coalesce(p.cache_write_price, 0) AS DECIMAL(18, 12))
            + CAST(s.output_tokens AS DECIMAL(18, 0)) * CAST(p.output_price AS DECIMAL(18, 12)) END AS amount
FROM sized AS s
LEFT JOIN model_price AS p
  ON p.provider = 'aws_bedrock' AND p.model = s.model AND p.service = 'standard'
    AND s.event_time >= p.valid_from AND s.event_time < p.valid_until
    AND (p.above_tokens = 0 OR (s.told = 1 AND s.input_total > p.above_tokens))
QUALIFY row_number() OVER (PARTITION BY s.event_key ORDER BY p.above_tokens DESC NULLS LAST, p.valid_from DESC NULLS LAST, p.table_sha256 NULLS LAST, s.event_key) = 1
ORDER BY s.event_time NULLS LAST, s.event_key
