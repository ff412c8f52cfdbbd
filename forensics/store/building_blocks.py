"""Views that many queries of a hunt read, computed once a hunt instead of once a query.

A temporary table of the same name stands before the view, on this connection alone; the store stays read-only.
Source: https://duckdb.org/docs/stable/sql/statements/create_table (temporary tables)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

#: Each view, in the order in which they rest on each other, with the table whose rows bound its size.
_BLOCKS = (
    ("secret_access", "aws_event_item"),
    ("key_usage", "ai_usage"),
    ("key_unit", "ai_usage"),
    ("covered_unit", "ai_coverage"),
    ("key_made", "ai_key"),
    ("key_read", "aws_event_item"),
    ("first_seen", "aws_event"),
)
#: What decides which rows of usage count: small, and asked for by every query over usage.
_OVERLAPS = ("ai_usage_earlier", "ai_key_name", "ai_usage_mixed")
#: Above this many rows a view stays one: what is kept lies in memory, which the queries need themselves.
MOST_ROWS = 500_000


def compute_blocks(connection: duckdb.DuckDBPyConnection, most_rows: int = MOST_ROWS) -> list[str]:
    """Compute the blocks whose tables have at most `most_rows` rows; return their names.

    Rows are the views' own, so every query gives the same with and without.
    """
    compute_overlaps(connection)
    computed = []
    for view, table in _BLOCKS:
        # first_seen has a row for each principal and call, however many events there are.
        rows = connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
        if rows <= most_rows or view == "first_seen":
            connection.execute(f"CREATE TEMP TABLE {view} AS SELECT * FROM main.{view}")
            computed.append(view)
    return computed


def compute_overlaps(connection: duckdb.DuckDBPyConnection) -> None:
    """Settle once which rows of usage are told anew by a later export, and which keys have exports of several kinds."""
    for view in _OVERLAPS:
        connection.execute(f"CREATE TEMP TABLE {view} AS SELECT * FROM main.{view}")
