"""Views that resolve overlapping exports of usage and costs: what counts, what was superseded, and by how much."""

from __future__ import annotations

#: The provider's own interface before its downloads, of two kinds of export of the same thing.
_RANK = "CASE WHEN source_id IN ('openai_usage', 'anthropic_usage', 'openai_costs', 'anthropic_cost') THEN 0 ELSE 1 END"

#: Rows of usage that an export received later tells anew: of one bucket and grouping (its native id names owner,
#: organisation and every dimension) and one kind of export, the one received last counts, then the larger hash.
#: Only rows that another one of the same bucket stands beside are put in order; a hash finds them, values decide.
AI_USAGE_EARLIER = """
CREATE VIEW ai_usage_earlier AS
WITH several AS (
  SELECT hash(provider, native_id, grouped_by) AS h FROM ai_usage GROUP BY h HAVING count(*) > 1)
SELECT event_key FROM (
  SELECT u.event_key, row_number() OVER (
    PARTITION BY u.provider, u.native_id, u.grouped_by
    ORDER BY u.received_at DESC NULLS LAST, u.file_sha256 DESC NULLS LAST, u.event_key) AS place
  FROM ai_usage AS u
  WHERE hash(u.provider, u.native_id, u.grouped_by) IN (SELECT h FROM several))
WHERE place > 1
"""

#: Usage with overlaps resolved.
AI_USAGE_CURRENT = """
CREATE VIEW ai_usage_current AS
SELECT u.* FROM ai_usage AS u WHERE u.event_key NOT IN (SELECT event_key FROM ai_usage_earlier)
"""

_MEASURES = (
    "requests", "input_tokens_total", "cache_read_tokens", "cache_write_tokens", "output_tokens", "other_quantity",
)  # fmt: skip

#: One row a measure of a bucket that a later export reports otherwise than an earlier one.
AI_USAGE_SUPERSEDED = (
    """
CREATE VIEW ai_usage_superseded AS
WITH placed AS (
  SELECT u.*, row_number() OVER (
    PARTITION BY provider, native_id, grouped_by
    ORDER BY received_at DESC NULLS LAST, file_sha256 DESC NULLS LAST, event_key) AS place
  FROM ai_usage AS u),
pairs AS (
  SELECT e AS earlier, l AS later
  FROM placed AS e
  JOIN placed AS l ON l.provider = e.provider AND l.native_id = e.native_id AND l.place = 1
    AND l.grouped_by IS NOT DISTINCT FROM e.grouped_by
  WHERE e.place > 1)
"""
    + "\nUNION ALL\n".join(
        f"""SELECT later.provider AS provider, later.owner AS owner, later.organisation AS organisation,
  later.source_id AS source_id, later.endpoint AS endpoint, later.bucket_start AS bucket_start,
  later.granularity_s AS granularity_s, later.grouped_by AS grouped_by, later.key_id AS key_id, later.model AS model,
  '{measure}' AS measure, earlier.{measure} AS earlier, later.{measure} AS later,
  coalesce(later.{measure}, 0) - coalesce(earlier.{measure}, 0) AS difference,
  earlier.evidence AS earlier_evidence, later.evidence AS later_evidence, earlier.event_key AS earlier_event_key,
  later.event_key AS event_key
FROM pairs WHERE earlier.{measure} IS DISTINCT FROM later.{measure}"""
        for measure in _MEASURES
    )
    + "\n"
)

#: Names that one key alone has within an owner and provider, by any version of the inventory and the newest list of the
#: provider. A name that several keys have is in no row: it names none of them.
AI_KEY_NAME = """
CREATE VIEW ai_key_name AS
WITH listed AS (
  SELECT provider, owner, key_name, key_id FROM provider_key
  QUALIFY row_number() OVER (
    PARTITION BY provider, owner, coalesce(key_id, key_sha256, key_name, hint) ORDER BY received_at DESC NULLS LAST, event_key) = 1)
SELECT provider, owner, key_name, min(key_id) AS key_id
FROM (
  SELECT coalesce(key_provider, provider) AS provider, customer AS owner, key_name, key_id FROM ai_key
  UNION ALL SELECT coalesce(key_provider, provider), owner, key_name, key_id FROM ai_key
  UNION ALL SELECT provider, owner, key_name, key_id FROM listed)
WHERE coalesce(owner, '') <> '' AND coalesce(key_name, '') <> '' AND coalesce(key_id, '') <> ''
GROUP BY provider, owner, key_name
HAVING count(DISTINCT key_id) = 1
"""

#: Usage of a key, by its id or, where the export has none, by a name that is its alone; `named_by` is that name.
AI_USAGE_KEYED = """
CREATE VIEW ai_usage_keyed AS
SELECT u.*, CAST(NULL AS VARCHAR) AS named_by FROM ai_usage_current AS u WHERE u.key_id IS NOT NULL
UNION ALL
SELECT u.* REPLACE (n.key_id AS key_id), u.key_name AS named_by
FROM ai_usage_current AS u
JOIN ai_key_name AS n ON n.provider = u.provider AND n.owner = u.owner AND n.key_name = u.key_name
WHERE u.key_id IS NULL
"""

#: Keys of which usage of several kinds of export or groupings was received. `o` and `org` are owner and organisation.
AI_USAGE_MIXED = """
CREATE VIEW ai_usage_mixed AS
SELECT provider, coalesce(owner, '') AS o, coalesce(organisation, '') AS org, key_id
FROM ai_usage_keyed
GROUP BY ALL
HAVING min(source_id) <> max(source_id) OR min(coalesce(grouped_by, '')) <> max(coalesce(grouped_by, ''))
"""

#: Usage that names a key, of each bucket width in one view of it: of a key and bucket one kind of export, and of each
#: endpoint the grouping with the most dimensions. `views` counts the kinds and groupings that tell of the same bucket.
#: A key whose rows are all of one kind and grouping needs no choice: that is most of them, and spares the work.
AI_USAGE_SERIES = f"""
CREATE VIEW ai_usage_series AS
WITH keyed AS (
  SELECT u.*, coalesce(owner, '') AS o, coalesce(organisation, '') AS org, coalesce(endpoint, '') AS part,
    coalesce(grouped_by, '') AS dimensions, {_RANK} AS rank
  FROM ai_usage_keyed AS u
  WHERE bucket_start IS NOT NULL
    AND (provider, coalesce(owner, ''), coalesce(organisation, ''), key_id) IN (SELECT (provider, o, org, key_id) FROM ai_usage_mixed)),
kinds AS (
  SELECT provider, o, org, key_id, granularity_s, bucket_start, source_id, rank,
    max(length(dimensions)) AS detail, count(DISTINCT dimensions) AS groupings
  FROM keyed GROUP BY ALL),
kind AS (
  SELECT *, CAST(sum(groupings) OVER (PARTITION BY provider, o, org, key_id, granularity_s, bucket_start) AS BIGINT) AS views
  FROM kinds
  QUALIFY row_number() OVER (
    PARTITION BY provider, o, org, key_id, granularity_s, bucket_start ORDER BY rank, detail DESC, source_id) = 1),
grouping_of AS (
  SELECT provider, o, org, key_id, granularity_s, bucket_start, source_id, part, dimensions
  FROM (SELECT provider, o, org, key_id, granularity_s, bucket_start, source_id, part, dimensions, min(event_key) AS first_key
        FROM keyed GROUP BY ALL)
  QUALIFY row_number() OVER (
    PARTITION BY provider, o, org, key_id, granularity_s, bucket_start, source_id, part
    ORDER BY length(dimensions) DESC, dimensions, first_key) = 1)
SELECT k.* EXCLUDE (o, org, part, dimensions, rank), c.views
FROM keyed AS k
JOIN kind AS c ON c.provider = k.provider AND c.o = k.o AND c.org = k.org AND c.key_id = k.key_id
  AND c.granularity_s IS NOT DISTINCT FROM k.granularity_s AND c.bucket_start = k.bucket_start AND c.source_id = k.source_id
JOIN grouping_of AS g ON g.provider = k.provider AND g.o = k.o AND g.org = k.org AND g.key_id = k.key_id
  AND g.granularity_s IS NOT DISTINCT FROM k.granularity_s AND g.bucket_start = k.bucket_start
  AND g.source_id = k.source_id AND g.part = k.part AND g.dimensions = k.dimensions
UNION ALL
SELECT u.*, CAST(1 AS BIGINT) AS views
FROM ai_usage_keyed AS u
WHERE u.bucket_start IS NOT NULL
  AND (u.provider, coalesce(u.owner, ''), coalesce(u.organisation, ''), u.key_id) NOT IN (SELECT (provider, o, org, key_id) FROM ai_usage_mixed)
"""

#: Usage of each key in one series, for statistics. `holder` is provider, owner and organisation; `subject` the key of
#: a holder; times as unix seconds; `unit_s` the width that is compared, an hour at least. One bucket width a key: the one
#: with use on most days, of equals the finest. Two exports of the same use are never added, and an hourly export of the
#: last week does not put aside the days that a daily one alone tells.
KEY_USAGE = """
CREATE VIEW key_usage AS
WITH keyed AS (
  SELECT event_key, bucket_start, bucket_end, epoch_ms(bucket_start) // 1000 AS start_epoch, granularity_s,
    provider || '|' || coalesce(owner, '') || '|' || coalesce(organisation, '') AS holder,
    provider || '|' || coalesce(owner, '') || '|' || coalesce(organisation, '') || '|' || key_id AS subject,
    provider, owner, organisation, key_id, model, requests,
    coalesce(input_tokens_total, 0) + coalesce(output_tokens, 0) AS tokens, source_id, grouped_by
  FROM ai_usage_series
  WHERE granularity_s > 0),
width AS (
  SELECT subject, granularity_s
  FROM (SELECT subject, granularity_s, count(DISTINCT start_epoch // 86400) AS days FROM keyed GROUP BY subject, granularity_s)
  QUALIFY row_number() OVER (PARTITION BY subject ORDER BY days DESC, granularity_s) = 1)
SELECT k.event_key, k.bucket_start, k.bucket_end, k.start_epoch, k.granularity_s, k.holder, k.subject, k.provider,
  k.owner, k.organisation, k.key_id, k.model, k.requests, k.tokens,
  CASE WHEN k.granularity_s < 3600 THEN 3600 ELSE k.granularity_s END AS unit_s, k.source_id, k.grouped_by
FROM keyed AS k
JOIN width AS w ON w.subject = k.subject AND w.granularity_s = k.granularity_s
"""

#: Reports of cloud costs, whose every line names an account (project, subscription): reports of two accounts are no views
#: of the same costs.
_OF_ACCOUNTS = "('aws_cost_report', 'azure_cost', 'gcp_billing')"

#: Every amount with its place among those of one line of one kind of export; the one received last has the first.
_COST_PLACED = """SELECT c.*, row_number() OVER (
      PARTITION BY provider, native_id, grouped_by
      ORDER BY received_at DESC NULLS LAST, file_sha256 DESC NULLS LAST, event_key) AS place
    FROM ai_cost AS c"""

#: Billed costs with overlaps resolved in the same way; of one owner, organisation and day in one view of them: a
#: grouping by the keys' ids before one by their names, that before others, the provider's interface before downloads,
#: then the grouping with most dimensions. Where reports of cloud costs stand alone, each account has its own choice.
#: Costs that tell a name and no id are of the key that alone has it: `named_by`.
AI_COST_CURRENT = f"""
CREATE VIEW ai_cost_current AS
WITH latest AS (
  SELECT * EXCLUDE (place), coalesce(owner, '') AS o, coalesce(organisation, '') AS org,
    coalesce(grouped_by, '') AS dimensions, CAST(period_start AS DATE) AS day,
    CASE WHEN source_id IN {_OF_ACCOUNTS} THEN 'account ' || coalesce(project_id, '') ELSE '' END AS account FROM (
    {_COST_PLACED})
  WHERE place = 1),
kinds AS (
  SELECT provider, o, org, day, source_id, dimensions, rank,
    CASE WHEN min(source_id) OVER (PARTITION BY provider, o, org, day) = max(source_id) OVER (PARTITION BY provider, o, org, day)
      THEN account ELSE '' END AS account
  FROM (SELECT DISTINCT provider, o, org, day, source_id, dimensions, account, {_RANK} AS rank FROM latest)),
kind AS (
  SELECT provider, o, org, day, source_id, dimensions, account
  FROM (SELECT DISTINCT * FROM kinds)
  QUALIFY row_number() OVER (
    PARTITION BY provider, o, org, day, account
    ORDER BY contains(dimensions, 'api_key_id') DESC, contains(dimensions, 'key') DESC, rank, length(dimensions) DESC, source_id, dimensions) = 1)
SELECT c.* EXCLUDE (o, org, dimensions, day, account) REPLACE (coalesce(c.key_id, n.key_id) AS key_id), n.key_name AS named_by
FROM latest AS c
JOIN kind AS k ON k.provider = c.provider AND k.o = c.o AND k.org = c.org AND k.day IS NOT DISTINCT FROM c.day
  AND k.source_id = c.source_id AND k.dimensions = c.dimensions AND k.account IN ('', c.account)
LEFT JOIN ai_key_name AS n ON c.key_id IS NULL AND n.provider = c.provider AND n.owner = c.owner AND n.key_name = c.key_name
"""

#: One row an amount of a line that a later export of the same kind and grouping bills otherwise. Amounts of two
#: currencies have no difference.
AI_COST_SUPERSEDED = f"""
CREATE VIEW ai_cost_superseded AS
WITH placed AS (
  {_COST_PLACED})
SELECT l.provider, l.owner, l.organisation, l.source_id, l.period_start, l.period_end, l.grouped_by, l.key_id, l.key_name,
  l.project_id, l.workspace_id, l.user_id, l.model, l.line_item, e.currency AS earlier_currency, l.currency,
  e.amount AS earlier, l.amount AS later,
  CASE WHEN l.currency IS NOT DISTINCT FROM e.currency
    THEN CAST(coalesce(l.amount, 0) - coalesce(e.amount, 0) AS DECIMAL(28, 12)) END AS difference,
  e.evidence AS earlier_evidence, l.evidence AS later_evidence, e.event_key AS earlier_event_key, l.event_key
FROM placed AS e
JOIN placed AS l ON l.provider = e.provider AND l.native_id = e.native_id AND l.place = 1
  AND l.grouped_by IS NOT DISTINCT FROM e.grouped_by
WHERE e.place > 1 AND (e.amount IS DISTINCT FROM l.amount OR e.currency IS DISTINCT FROM l.currency)
"""

#: In the order in which each can be made.
USAGE_VIEWS = (
    AI_USAGE_EARLIER, AI_USAGE_CURRENT, AI_USAGE_SUPERSEDED, AI_KEY_NAME, AI_USAGE_KEYED, AI_USAGE_MIXED, AI_USAGE_SERIES,
    KEY_USAGE, AI_COST_CURRENT, AI_COST_SUPERSEDED,
)  # fmt: skip
