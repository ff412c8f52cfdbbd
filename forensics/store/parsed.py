"""Run a statement of the program that is parsed once a process: one that runs for every group of files, or in many stores.

To parse one of the larger takes some milliseconds, which is more than it takes to run it over a few records.
Source: https://duckdb.org/docs/stable/clients/python/reference/ (extract_statements)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

#: Statements kept, of some ten kilobytes each: more than the program has.
_MOST = 1024
_kept: dict[str, duckdb.Statement] = {}


def execute(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None
) -> duckdb.DuckDBPyConnection:
    """Run `sql` as `connection.execute` does; a parsed statement is of no store, so each connection may run it.

    Raises duckdb.Error.
    """
    statement = _kept.get(sql)
    if statement is None:
        found = connection.extract_statements(sql)
        if len(found) != 1:
            return connection.execute(sql, parameters)
        statement = found[0]
        if len(_kept) >= _MOST:
            _kept.clear()
        _kept[sql] = statement
    return connection.execute(statement, parameters)
