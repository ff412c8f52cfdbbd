-- ---
-- id = "summary.customers"
-- kind = "summary"
-- title = "What each customer must be told: keys by verdict"
-- sources = ["key_inventory"]
-- description = "One row a customer of the inventory with the number of its keys by what keytrail exposure last said of them; not_judged are keys without a verdict, as before it ran. category is the gravest of them: confirmed, misused without a read seen, suspicious, exposed, not evaluable, not exposed, not judged."
-- ---
WITH keys AS (
  SELECT customer, key_provider AS provider, coalesce(key_id, key_name, location) AS key, min(event_key) AS event_key
  FROM ai_key_standing
  GROUP BY customer, key_provider, coalesce(key_id, key_name, location)
),
judged AS (
  SELECT
    k.customer,
    k.event_key,
    coalesce(v.verdict, 'not_judged') AS verdict,
    CASE coalesce(v.verdict, '')
      WHEN 'confirmed' THEN 1 WHEN 'misused_path_not_seen' THEN 2 WHEN 'suspicious' THEN 3 WHEN 'exposed_no_abuse_seen' THEN 4
      WHEN 'exposed_not_evaluable' THEN 4 WHEN 'not_evaluable' THEN 5 WHEN 'explained' THEN 6 WHEN 'not_exposed' THEN 7 ELSE 8
    END AS rank
  FROM keys AS k
  LEFT JOIN verdict AS v ON v.provider = k.provider AND v.key_id = k.key AND v.customer = k.customer
)
SELECT
  customer,
  CASE min(rank)
    WHEN 1 THEN 'confirmed' WHEN 2 THEN 'misused without a read seen' WHEN 3 THEN 'suspicious' WHEN 4 THEN 'exposed'
    WHEN 5 THEN 'not evaluable' WHEN 6 THEN 'explained' WHEN 7 THEN 'not exposed' ELSE 'not judged'
  END AS category,
  count(*) AS keys,
  count(*) FILTER (WHERE rank = 1) AS confirmed,
  count(*) FILTER (WHERE rank = 2) AS misused_path_not_seen,
  count(*) FILTER (WHERE rank = 3) AS suspicious,
  count(*) FILTER (WHERE rank = 4) AS exposed,
  count(*) FILTER (WHERE rank = 5) AS not_evaluable,
  count(*) FILTER (WHERE rank = 6) AS explained,
  count(*) FILTER (WHERE rank = 7) AS not_exposed,
  count(*) FILTER (WHERE rank = 8) AS not_judged,
  min(event_key) AS first_event_key
FROM judged
GROUP BY customer
ORDER BY min(rank) NULLS LAST, customer NULLS LAST, min(event_key)
