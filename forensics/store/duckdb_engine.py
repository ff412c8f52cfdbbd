"""DuckDB connections: one for writing, one locked and read-only for queries. And the engine over the latter.

Settings: https://duckdb.org/docs/stable/operations_manual/securing_duckdb/overview
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import orjson

from forensics.model.errors import CaseFault, QueryFault
from forensics.model.outcome import CanonicalRows
from forensics.model.query import BASELINE_WINDOW
from forensics.store import parsed
from forensics.store.level_views import tell_baseline
from forensics.store.usage_parts import PART_ROWS, usage_parts

_Config = dict[str, str | bool | int | float | list[str]]
_OFFLINE: _Config = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
}
_ALLOWED = ("VARCHAR", "BIGINT", "HUGEINT", "INTEGER", "BOOLEAN", "TIMESTAMP", "DATE", "DECIMAL")


#: Rows that are fetched and hashed at once.
_PART = 20_000


@dataclass(frozen=True, slots=True)
class ByKey:
    """A query that is run over some keys at a time: its SELECT and what is bound."""

    sql: str
    parameters: Mapping[str, Any]


#: Rows of a row group. A transaction with as many rows writes its blocks at once instead of twice, through the log.
ROW_GROUP = 30_720


#: What the engine may take while it writes.
WRITER_MEMORY = "256MB"


def open_writer(path: Path | str, *, threads: int = 1, memory: str = WRITER_MEMORY) -> duckdb.DuckDBPyConnection:
    """Open the store for writing (`:memory:` for a scratch store).

    Raises CaseFault when another process holds it or it is not a database.
    """
    config: _Config = {"threads": str(threads), "memory_limit": memory, "preserve_insertion_order": "true"}
    scratch = str(path) == ":memory:"
    if not scratch:
        config["temp_directory"] = f"{path}.tmp"
    try:
        connection = duckdb.connect(":memory:", config=_OFFLINE | config)
        if not scratch:
            quoted = str(path).replace("'", "''")
            connection.execute(f"ATTACH '{quoted}' AS store (ROW_GROUP_SIZE {ROW_GROUP})")
            connection.execute("USE store")
    except duckdb.Error as error:
        raise CaseFault("the store cannot be opened for writing", place=str(path), hint=first_line(error)) from error
    connection.execute("SET TimeZone='UTC'")
    # Checkpoints after every group would write the same blocks again and again, and leave holes in the file.
    connection.execute("SET checkpoint_threshold='256MB'")
    connection.execute("SET enable_external_access=false")
    return connection


def open_reader(path: Path, *, threads: int = 2, memory: str = "1GB") -> duckdb.DuckDBPyConnection:
    """Open the store read-only and locked: no file, no network, no setting can be reached from SQL.

    Raises CaseFault when it cannot be opened.
    """
    config: _Config = _OFFLINE | {
        "threads": str(threads),
        "memory_limit": memory,
        "enable_external_access": "false",
    }
    try:
        connection = duckdb.connect(str(path), read_only=True, config=config)
    except duckdb.Error as error:
        raise CaseFault("the store cannot be opened", place=path.name, hint=first_line(error)) from error
    connection.execute("SET GLOBAL TimeZone='UTC'")  # also for connections made beside this one
    connection.execute("SET lock_configuration=true")
    return connection


def first_line(error: Exception) -> str:
    """Return what an error of the engine says, without where in the SQL."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def rows_of(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()
) -> list[dict[str, Any]]:
    """Run one SELECT with bound values and return its rows as dictionaries by column name."""
    cursor = connection.execute(sql, parameters) if parameters else connection.execute(sql)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def canonical_value(value: object) -> object:
    """Return the form of a value that is hashed and printed as JSON: text for integers, decimals and times."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    if isinstance(value, int | Decimal):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    return str(value)


def canonical_lines(columns: tuple[str, ...], types: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> bytes:
    """Return the JSON lines whose SHA-256 is the logical hash of a result."""
    head = [[c, t] for c, t in zip(columns, types, strict=True)]
    first = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return first + b"\n" + (_lines(types, rows) if rows else b"")


def _check(columns: tuple[str, ...], types: tuple[str, ...]) -> None:
    for name, kind in zip(columns, types, strict=True):
        if not kind.startswith(_ALLOWED) or kind.endswith("]"):
            raise QueryFault(
                f"column {name} is {kind}",
                hint="results hold text, integers, decimals, booleans and times",
            )


def _lines(types: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> bytes:
    """Return the canonical lines of rows; column by column, as most hold text that is its own canonical value."""
    columns = [
        column if kind == "VARCHAR" else map(canonical_value, column)
        for kind, column in zip(types, zip(*rows, strict=True), strict=True)
    ]
    return b"".join(_line(values) + b"\n" for values in zip(*columns, strict=True))


def _line(values: tuple[Any, ...]) -> bytes:
    """Return canonical values as JSON, without the line's end."""
    try:
        return orjson.dumps(values)
    except TypeError:  # half of a surrogate pair, which orjson refuses
        return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


class _Result:
    """A result as it comes, part after part, hashed at once."""

    def __init__(self) -> None:
        self._columns: tuple[str, ...] = ()
        self._types: tuple[str, ...] = ()
        self._digest = sha256()
        self._rows: list[tuple[Any, ...]] = []

    def add(self, cursor: duckdb.DuckDBPyConnection) -> None:
        described = cursor.description or []
        columns, types = tuple(d[0] for d in described), tuple(str(d[1]) for d in described)
        if not self._columns:
            _check(columns, types)
            self._columns, self._types = columns, types
            self._digest.update(canonical_lines(columns, types, ()))
        while rows := cursor.fetchmany(_PART):
            self._digest.update(_lines(types, rows))
            self._rows.extend(rows)

    def done(self) -> CanonicalRows:
        return CanonicalRows(self._columns, self._types, tuple(self._rows), self._digest.hexdigest())


class DuckDBEngine:
    """Runs one SELECT on a locked, read-only connection and gives canonical rows."""

    name = f"duckdb {duckdb.__version__}"

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def run(self, sql: str, parameters: Mapping[str, Any], *, by_key: bool = False) -> CanonicalRows:
        """Run `sql` with bound `parameters`; `by_key` as its query file says.

        Raises QueryFault for SQL that fails and for a column of a floating or nested type.
        """
        if by_key:
            return self.run_by_key([ByKey(sql, parameters)])[0]
        result = _Result()
        self._into(result, sql, parameters)
        return result.done()

    def run_by_key(self, wanted: Sequence[ByKey], most_rows: int = PART_ROWS) -> list[CanonicalRows]:
        """Run queries that are marked `by_key`, over some keys at a time; each gives what `run` gives.

        Raises QueryFault as `run` does.
        """
        results = [_Result() for _ in wanted]
        try:
            for _ in usage_parts(self._connection, most_rows):
                for each, result in zip(wanted, results, strict=True):
                    self._into(result, each.sql, each.parameters)
        except duckdb.Error as error:
            raise QueryFault(first_line(error)) from error
        return [result.done() for result in results]

    def _into(self, result: _Result, sql: str, parameters: Mapping[str, Any]) -> None:
        bound = dict(parameters)
        try:
            tell_baseline(self._connection, parameters)
            if BASELINE_WINDOW in bound and BASELINE_WINDOW not in self._named_in(sql):
                del bound[BASELINE_WINDOW]  # told to the views that the query reads, and not in its own text
            result.add(parsed.execute(self._connection, sql, bound))
        except duckdb.Error as error:
            raise QueryFault(first_line(error)) from error

    def _named_in(self, sql: str) -> set[str]:
        return {name for found in self._connection.extract_statements(sql) for name in found.named_parameters}
