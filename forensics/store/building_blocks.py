"""Views that many queries of a hunt read, computed once a hunt instead of once a query.

A table in memory, packed, stands before each view, on this connection alone; the store stays read-only.
Sources: https://duckdb.org/docs/stable/sql/statements/attach (in-memory databases, COMPRESS),
https://duckdb.org/docs/stable/sql/statements/create_view (temporary views)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model.query import BASELINE_VIEWS
from forensics.store.schema import TABLES, VIEW_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

#: Each view, in the order in which they rest on each other.
_BLOCKS = ("secret_access", "key_usage", "key_unit", "covered_unit", "key_made", "key_read", "first_seen")
#: What decides which rows of usage and of the inventory count: small, and asked for by every query over them.
_OVERLAPS = ("ai_usage_earlier", "ai_key_name", "ai_usage_mixed", "ai_key_standing")
#: Every view but those that depend on the baseline of a run.
_LASTING = tuple(name for name in VIEW_NAMES if name not in BASELINE_VIEWS)
#: A view of more rows stays one: what is kept lies in memory, which the queries need themselves.
MOST_ROWS = 1_000_000
#: Of a store of no more rows every view is computed: to plan views within views anew for each of two hundred queries
#: takes longer than to read them all once.
SMALL_ROWS = 50_000


def is_small(connection: duckdb.DuckDBPyConnection, most_rows: int = SMALL_ROWS) -> bool:
    """Whether the tables of the store hold at most `most_rows` rows together, as the engine estimates them."""
    count = "SELECT coalesce(sum(estimated_size), 0) FROM duckdb_tables() WHERE NOT temporary AND table_name IN (SELECT unnest($names))"
    return bool(connection.execute(count, {"names": sorted(TABLES)}).fetchall()[0][0] <= most_rows)


def compute_blocks(
    connection: duckdb.DuckDBPyConnection, most_rows: int = MOST_ROWS, small_rows: int = SMALL_ROWS
) -> list[str]:
    """Compute the blocks of at most `most_rows` rows, or every view of a store of at most `small_rows`; return their names.

    Rows are the views' own, so every query gives the same with and without.
    """
    small = is_small(connection, small_rows)
    connection.execute("ATTACH ':memory:' AS blocks (READ_WRITE, COMPRESS)")
    if small:
        for view in _LASTING:
            connection.execute(f"CREATE TABLE blocks.{view} AS SELECT * FROM {view}")
            _stand_before(connection, view)
        return list(_LASTING)
    for view in _OVERLAPS:
        connection.execute(f"CREATE TABLE blocks.{view} AS SELECT * FROM {view}")
        _stand_before(connection, view)
    computed = []
    for view in _BLOCKS:
        connection.execute(f"CREATE TABLE blocks.{view} AS SELECT * FROM {view} LIMIT {most_rows + 1}")
        if connection.execute(f"SELECT count(*) FROM blocks.{view}").fetchall()[0][0] > most_rows:
            connection.execute(f"DROP TABLE blocks.{view}")
            continue
        _stand_before(connection, view)
        connection.execute("CHECKPOINT blocks")  # packs what was written
        computed.append(view)
    return computed


def _stand_before(connection: duckdb.DuckDBPyConnection, view: str) -> None:
    connection.execute(f"CREATE TEMP VIEW {view} AS SELECT * FROM blocks.main.{view}")


def beside(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Return a second connection to the same store that sees the blocks of the first; queries of both run side by side."""
    other = connection.cursor()
    held = "SELECT table_name FROM duckdb_tables() WHERE database_name = 'blocks' ORDER BY table_name"
    for (view,) in connection.execute(held).fetchall():
        _stand_before(other, view)
    return other


def compute_overlaps(connection: duckdb.DuckDBPyConnection) -> None:
    """Settle once which rows of usage are told anew by a later export, and which keys have exports of several kinds."""
    _hold(connection, _OVERLAPS)


def compute_ahead(connection: duckdb.DuckDBPyConnection) -> None:
    """Compute every view of a small store; of others what `compute_overlaps` does. For a connection that runs one query at a time."""
    _hold(connection, _LASTING if is_small(connection) else _OVERLAPS)


def _hold(connection: duckdb.DuckDBPyConnection, views: Sequence[str]) -> None:
    for view in views:
        connection.execute(f"CREATE TEMP TABLE {view} AS SELECT * FROM main.{view}")
