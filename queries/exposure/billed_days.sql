-- ---
-- id = "exposure.billed_days"
-- kind = "exposure"
-- title = "Billed cost of each key by period"
-- severity = "info"
-- confidence = "high"
-- sources = ["openai_costs"]
-- description = "Costs the provider billed to a key, by its id or by a name that it alone has within its owner and provider (`named_by`), overlaps resolved, of one day in exactly one kind of export and grouping, which the row names."
-- misses = "Costs of exports that were not grouped by key. A name that several keys have names none of them."
-- ---
SELECT c.provider, c.owner, c.key_id, c.currency, c.period_start, c.period_end,
       CAST(sum(c.amount) AS DECIMAL(28, 12)) AS amount, min(c.event_key) AS event_key,
       min(c.source_id) AS source_id, min(c.grouped_by) AS grouped_by, min(c.named_by) AS named_by
FROM ai_cost_current AS c
WHERE c.key_id IS NOT NULL AND c.period_start >= $since AND c.period_start < $until
GROUP BY c.provider, c.owner, c.key_id, c.currency, c.period_start, c.period_end
ORDER BY c.provider NULLS LAST, c.owner NULLS LAST, c.key_id NULLS LAST, c.currency NULLS LAST, c.period_start NULLS LAST, min(c.event_key)
