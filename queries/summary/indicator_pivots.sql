-- ---
-- id = "summary.indicator_pivots"
-- kind = "summary"
-- title = "What else those used who stand in records with indicators"
-- sources = ["aws_cloudtrail"]
-- description = "Candidates, never indicators by themselves: addresses, agents and credentials of CloudTrail records that are tied to records in which an indicator was found by the last search of keytrail ioc. Step 1 are those of records with a credential of such a record, step 2 those of records with a credential that used an address of step 1. Only what at most three principals used in the whole evidence is listed, and no address of the case's own, as the last hunt or exposure took them from case.toml; what already stands in a record with an indicator is left out. Each row says how many records, principals and credentials tie it. Whoever takes one over states it in case.toml or a list."
-- references = ["https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html"]
-- ---
WITH hits AS (
  SELECT DISTINCT e.event_key, e.credential_id, e.source_ip, e.user_agent
  FROM indicator_hit AS h
  JOIN aws_event AS e ON e.event_key = h.event_key
  WHERE h.table_name = 'aws_event'
),
things AS (
  SELECT 'address' AS kind, source_ip AS value, event_key, event_time, actor, credential_id FROM aws_event WHERE source_class = 'public'
  UNION ALL
  SELECT 'user_agent', user_agent, event_key, event_time, actor, credential_id FROM aws_event
  UNION ALL
  SELECT 'credential', credential_id, event_key, event_time, actor, credential_id FROM aws_event
),
rare AS (
  SELECT kind, value
  FROM things
  WHERE coalesce(value, '') <> ''
  GROUP BY kind, value
  HAVING count(DISTINCT coalesce(actor, '')) <= 3
),
own_addresses AS (
  SELECT DISTINCT e.source_ip
  FROM aws_event AS e
  JOIN case_network AS n ON n.kind = 'own_egress' AND e.source_ip_key >= n.low AND e.source_ip_key <= n.high
),
first_credentials AS (
  SELECT DISTINCT credential_id FROM hits WHERE coalesce(credential_id, '') <> ''
),
first_addresses AS (
  SELECT DISTINCT t.value
  FROM things AS t
  JOIN first_credentials AS c ON c.credential_id = t.credential_id
  JOIN rare AS r ON r.kind = t.kind AND r.value = t.value
  LEFT JOIN own_addresses AS o ON o.source_ip = t.value
  WHERE t.kind = 'address'
    AND o.source_ip IS NULL
),
second_credentials AS (
  SELECT DISTINCT t.credential_id
  FROM things AS t
  JOIN first_addresses AS a ON a.value = t.value
  WHERE t.kind = 'address'
    AND coalesce(t.credential_id, '') <> ''
),
tied AS (
  SELECT credential_id, min(step) AS step
  FROM (
    SELECT credential_id, 1 AS step FROM first_credentials
    UNION ALL
    SELECT credential_id, 2 AS step FROM second_credentials
  )
  GROUP BY credential_id
),
known AS (
  SELECT 'address' AS kind, source_ip AS value FROM hits
  UNION
  SELECT 'user_agent', user_agent FROM hits
  UNION
  SELECT 'credential', credential_id FROM hits
)
SELECT
  min(c.step) AS step,
  t.kind,
  t.value,
  count(DISTINCT t.event_key) AS records,
  count(DISTINCT t.actor) AS principals,
  count(DISTINCT t.credential_id) AS credentials,
  min(t.event_time) AS first_seen,
  max(t.event_time) AS last_seen,
  min(t.event_key) AS first_event_key
FROM things AS t
JOIN tied AS c ON c.credential_id = t.credential_id
JOIN rare AS r ON r.kind = t.kind AND r.value = t.value
LEFT JOIN known AS k ON k.kind = t.kind AND k.value = t.value
LEFT JOIN own_addresses AS o ON t.kind = 'address' AND o.source_ip = t.value
WHERE k.value IS NULL
  AND o.source_ip IS NULL
GROUP BY t.kind, t.value
ORDER BY step NULLS LAST, records DESC NULLS LAST, t.kind NULLS LAST, t.value NULLS LAST, min(t.event_key)
