"""Empty stores in memory without the price of making each: one that a test gave back, emptied.

Making the tables and views of a store takes a sixth of a second; hundreds of tests need one.
"""

from __future__ import annotations

import weakref
from typing import Any

import duckdb

from forensics.ingest import scratch
from forensics.store.schema import TABLES, VIEW_NAMES, VIEWS

#: Stores that nobody holds any more.
_FREE: list[duckdb.DuckDBPyConnection] = []


def empty(connection: Any) -> None:
    """Delete all rows of a store."""
    filled = "SELECT table_name FROM duckdb_tables() WHERE NOT temporary AND estimated_size > 0 ORDER BY table_name"
    for (table,) in connection.execute(filled).fetchall():
        connection.execute(f'TRUNCATE "{table}"')


def _is_as_made(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether a store has the tables and views of a new one, nothing stands before one, and no transaction is open.

    What the writer of a store keeps for a run, under names of its own, it makes anew.
    """
    try:
        connection.execute("BEGIN")
        connection.execute("ROLLBACK")
        made = "SELECT count(*) FROM duckdb_{0}s() WHERE NOT internal AND NOT temporary"
        tables, views = (connection.execute(made.format(kind)).fetchall()[0][0] for kind in ("table", "view"))
        before = "SELECT count(*) FROM duckdb_{0}s() WHERE temporary AND list_contains($names, {0}_name)"
        names = {"names": [*TABLES, *VIEW_NAMES]}
        hidden = sum(connection.execute(before.format(kind), names).fetchall()[0][0] for kind in ("table", "view"))
    except duckdb.Error:
        return False
    return (tables, views, hidden) == (len(TABLES), len(VIEWS), 0)


class _Lent:
    """A connection to a store in memory; once closed, or held by nobody, its store is emptied for another test."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._back = weakref.finalize(self, _FREE.append, connection)

    def __getattr__(self, name: str) -> Any:
        if not self._back.alive:
            raise RuntimeError("the store was closed")
        return getattr(self._connection, name)

    def close(self) -> None:
        """Give the store back."""
        self._back()


def new_store() -> Any:
    """Return a connection to an empty store in memory, as `forensics.ingest.scratch.new_store` makes it."""
    while _FREE:
        connection = _FREE.pop()
        if _is_as_made(connection):
            empty(connection)
            return _Lent(connection)
        connection.close()
    return _Lent(scratch.new_store())
