"""Usage of many keys, some keys at a time: what is computed for each key by itself need not hold the usage of all.

A temporary table of some keys stands before the view `ai_usage_series`, on this connection alone; the store stays
read-only. Source: https://duckdb.org/docs/stable/sql/statements/create_table (temporary tables)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

#: Rows of usage that are worked on at once, unless one key alone has more.
PART_ROWS = 400_000

#: Keys in the order in which results stand, each with the part it falls into.
_PARTS = """
CREATE TEMP TABLE usage_part AS
SELECT provider, owner, key_id, CAST(
    (sum(n) OVER (ORDER BY provider NULLS LAST, owner NULLS LAST, key_id ROWS UNBOUNDED PRECEDING) - n) // $most_rows AS BIGINT) AS part
FROM (
  SELECT provider, owner, key_id, count(*) AS n
  FROM (SELECT provider, owner, key_id FROM ai_usage WHERE key_id IS NOT NULL
        UNION ALL SELECT provider, owner, key_id FROM ai_usage_keyed WHERE named_by IS NOT NULL)
  GROUP BY provider, owner, key_id)
"""
#: Bounds of each part: what lies outside of them is not even read.
_BOUNDS = """
SELECT part, min(provider) AS provider_low, max(provider) AS provider_high, min(owner) AS owner_low, max(owner) AS owner_high,
  count(*) - count(owner) AS unowned, count(*) - count(provider) AS unnamed, min(key_id) AS key_low, max(key_id) AS key_high
FROM usage_part GROUP BY part ORDER BY part
"""
#: What queries of single keys read; hashes and places of records would take as much memory again.
_COLUMNS = (
    "event_key", "provider", "owner", "organisation", "key_id", "granularity_s", "bucket_start", "bucket_end", "model",
    "endpoint", "service_tier", "is_batch", "requests", "input_tokens_total", "input_tokens_uncached", "cache_read_tokens",
    "cache_write_tokens", "output_tokens", "source_id", "grouped_by", "views", "named_by", "raw",
)  # fmt: skip
_SERIES = """
CREATE TEMP TABLE ai_usage_series AS
SELECT {columns} FROM main.ai_usage_series AS s
WHERE s.key_id >= $key_low AND s.key_id <= $key_high{bounds}
  AND (coalesce(s.provider, ''), s.owner IS NULL, coalesce(s.owner, ''), s.key_id)
    IN (SELECT (coalesce(provider, ''), owner IS NULL, coalesce(owner, ''), key_id) FROM usage_part WHERE part = $part)
"""


def usage_parts(connection: duckdb.DuckDBPyConnection, most_rows: int = PART_ROWS) -> Iterator[int]:
    """Yield once for each part of the keys, in the order provider, owner, key (NULL last), while only its usage is seen.

    A query over `ai_usage_series` whose rows each rest on one key, in that order, gives part after part what it would
    give at once. A store with at most `most_rows` rows of usage is one part, and its view stays as it is.
    """
    rows = connection.execute("SELECT count(*) FROM ai_usage WHERE coalesce(key_id, key_name) IS NOT NULL").fetchall()[
        0
    ][0]
    if rows <= most_rows:
        yield 0
        return
    try:
        connection.execute(_PARTS, {"most_rows": most_rows})
        cursor = connection.execute(_BOUNDS)
        names = [column[0] for column in cursor.description or ()]
        for row in cursor.fetchall():
            bounds = dict(zip(names, row, strict=True))
            _narrow(connection, bounds)
            yield bounds["part"]
            connection.execute("DROP TABLE temp.ai_usage_series")
    finally:
        for name in ("ai_usage_series", "usage_part"):
            connection.execute(f"DROP TABLE IF EXISTS temp.{name}")


def _narrow(connection: duckdb.DuckDBPyConnection, bounds: dict[str, Any]) -> None:
    """Let the view show the keys of one part alone; a bound is only taken where every key has a value."""
    used, sql = ["part", "key_low", "key_high"], ""
    for column, lacking in (("provider", "unnamed"), ("owner", "unowned")):
        if not bounds[lacking]:
            sql += f" AND s.{column} >= ${column}_low AND s.{column} <= ${column}_high"
            used += [f"{column}_low", f"{column}_high"]
    connection.execute(
        _SERIES.format(columns=", ".join(f"s.{c}" for c in _COLUMNS), bounds=sql), {name: bounds[name] for name in used}
    )
