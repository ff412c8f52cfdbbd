"""Load one query file: header, statement, parameters, columns. All faults of a file come at once.

The parser is DuckDB's own: what is judged is what runs.
Source: https://duckdb.org/docs/stable/data/json/sql_to_and_from_json
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb

from forensics.model.errors import QueryFault
from forensics.model.query import (
    BASELINE_VIEWS,
    BASELINE_WINDOW,
    CASE_PARAMETERS,
    DETECTION_COLUMNS,
    Query,
    QueryKind,
    Severity,
)
from forensics.model.times import parse_time
from forensics.queries import header as headers
from forensics.queries import statement

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "enable_external_access": "false",
    "threads": "1",
}
#: The tree of a statement, without what says nothing.
_TREE = "SELECT json_serialize_sql(?, skip_null := true, skip_empty := true, skip_default := true)"
_ANY_TIME = parse_time("2026-01-01T00:00:00Z")
_PLAIN = ("VARCHAR", "BIGINT", "HUGEINT", "INTEGER", "BOOLEAN", "TIMESTAMP", "DATE", "DECIMAL")


class EmptyStore:
    """A store without rows, in memory, to ask which columns a query gives.

    `ddl` are the statements that make it; the store itself knows them. Stores of the same statements are equal.
    """

    def __init__(self, ddl: Sequence[str]) -> None:
        self._ddl = tuple(ddl)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EmptyStore) and self._ddl == other._ddl

    def __hash__(self) -> int:
        return hash(self._ddl)

    @functools.cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(":memory:", config=_CONFIG)
        for sql in self._ddl:
            connection.execute(sql)
        connection.execute("SET lock_configuration=true")
        return connection

    @property
    def judge(self) -> str:
        """What a statement is judged by: the engine's version, and a hash of the store's tables and views."""
        return f"duckdb {duckdb.__version__} store {sha256(chr(10).join(self._ddl).encode()).hexdigest()}"

    def columns(self, sql: str, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return name and SQL type of each column of `sql`. Raises QueryFault."""
        try:
            # Described, not run: the plan need not be made, which takes longer than all else here.
            described = self._connection.cursor().execute(f"DESCRIBE {sql}", dict(values)).fetchall()
        except duckdb.Error as error:
            raise QueryFault(_first_line(error)) from error
        return [(str(name), str(kind)) for name, kind, *_ in described]


class _Faults:
    """The faults of one file, each with its line."""

    def __init__(self) -> None:
        self.found: list[tuple[int, str]] = []

    def add(self, line: int, message: str) -> None:
        self.found.append((line, message))


def place_of(path: Path, root: Path | None) -> str:
    """Return how a file is named to people: from the folder that holds `root`, else its bare name."""
    if root is not None and path.is_relative_to(root.parent):
        return path.relative_to(root.parent).as_posix()
    return path.name


def load(
    path: Path, *, root: Path | None = None, store: EmptyStore | None = None, sound: frozenset[str] = frozenset()
) -> Query:
    """Load a query file below the folder `root`, from which messages name it.

    With `store` the columns are checked too. A file whose SHA-256 is among `sound` had no fault in its statement when it
    was judged against the same store by the same engine: its header alone is read. Raises QueryFault with a line
    `path:line: what` for every fault.
    """
    place = place_of(path, root)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise QueryFault(f"{place}:1: the file cannot be read") from error
    known = sha256(data).hexdigest() in sound
    query, faults = _judged(data, f"{path.parent.name}.{path.stem}", store, known)
    if query is None:
        raise QueryFault("\n".join(f"{place}:{line}: {text}" for line, text in faults))
    return replace(query, place=place)


# What a file holds follows from its bytes: a replay loads the packaged queries, which most often are the installed ones.
@functools.lru_cache(maxsize=1024)
def _judged(
    data: bytes, identity: str, store: EmptyStore | None, known: bool
) -> tuple[Query | None, tuple[tuple[int, str], ...]]:
    """Return the query of a file that stands where `identity` says, as yet of no place; or its faults in the order of lines.

    `known`: its statement was judged before.
    """
    faults = _Faults()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None, ((1, "the file is not UTF-8 text"),)
    header = headers.read(text, faults.add)
    _check_name(identity, header, faults)
    if header.end and not known:
        _check_statement(text, header, faults, store)
    if faults.found:
        return None, tuple(sorted(set(faults.found)))
    body = "".join(text.splitlines(keepends=True)[header.end :]).strip() + "\n"
    return _query(header, body, sha256(data).hexdigest()), ()


def _query(header: headers.Header, sql: str, digest: str) -> Query:
    return Query(
        id=header.text("id"),
        kind=QueryKind(header.text("kind")),
        title=header.text("title"),
        severity=Severity(header.text("severity", Severity.INFO)),
        confidence=header.text("confidence", "high"),
        sources=header.texts("sources"),
        description=header.text("description"),
        sql=sql,
        sha256=digest,
        place="",
        attack=header.texts("attack"),
        attack_v19=header.texts("attack_v19"),
        attack_version=header.text("attack_version"),
        atlas=header.texts("atlas"),
        misses=header.text("misses"),
        false_positives=header.texts("false_positives"),
        next_steps=header.texts("next_steps"),
        references=header.texts("references"),
        needs=header.texts("needs"),
        baseline_days=header.values.get("baseline_days", 0),
        portable=header.values.get("portable", True),
        portable_reason=header.text("portable_reason"),
        by_key=header.values.get("by_key", False),
        parameters=header.parameters,
    )


def _check_name(expected: str, header: headers.Header, faults: _Faults) -> None:
    identity = header.text("id")
    if identity and identity != expected:
        faults.add(header.line("id"), f"id {identity!r} does not fit the file's place: {expected!r}")


@functools.cache
def _parsers() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:", config=_CONFIG)


def _parser() -> duckdb.DuckDBPyConnection:
    """Return a connection of one's own: files are loaded in several threads."""
    return _parsers().cursor()


def _check_statement(text: str, header: headers.Header, faults: _Faults, store: EmptyStore | None) -> None:
    # Blank lines stand for the header, so that every place in the SQL is a place in the file.
    body = "\n" * header.end + "".join(text.splitlines(keepends=True)[header.end :])
    first = header.end + 1
    try:
        found = _parser().extract_statements(body)
    except duckdb.Error as error:
        faults.add(_line_of(str(error), body, first), f"the SQL cannot be parsed: {_first_line(error)}")
        return
    if len(found) != 1:
        faults.add(first, f"there must be exactly one statement, not {len(found)}")
        return
    if found[0].type != duckdb.StatementType.SELECT or not _begins_with_select(body):
        faults.add(first, "the statement must be a SELECT, or WITH and a SELECT")
        return
    rows = _parser().execute(_TREE, [body]).fetchall()
    parsed: dict[str, Any] = json.loads(rows[0][0])
    if parsed.get("error"):
        faults.add(first, f"the SQL cannot be read as a tree: {parsed.get('error_message', '')}")
        return
    detection = header.text("kind") == QueryKind.DETECTION
    raw = body.encode()
    for fault in statement.check(parsed["statements"][0], detection=detection):
        line = first if fault.offset is None else raw[: fault.offset].count(b"\n") + 1
        faults.add(line, fault.message)
    used = frozenset(found[0].named_parameters)
    levels = statement.tables(parsed["statements"][0]) & frozenset(BASELINE_VIEWS)
    if levels and "baseline_until" not in used:
        faults.add(first, f"{min(levels)} holds what was usual before $baseline_until, which is not used")
    if header.values:
        told = {BASELINE_WINDOW} if levels else set()
        _check_parameters(used, header, detection, faults, told)
    if store is not None and not faults.found:
        _check_columns(body, used, header, detection, faults, store)


def _begins_with_select(body: str) -> bool:
    lines = (line.split("--", 1)[0].strip() for line in body.splitlines())
    opening = next((line for line in lines if line), "")
    return opening.split(None, 1)[0].upper() in {"SELECT", "WITH"} if opening else False


def _check_parameters(
    used: frozenset[str], header: headers.Header, detection: bool, faults: _Faults, told: set[str]
) -> None:
    """Check the parameters of a query; `told` are those that the views which it reads are told, used or not."""
    declared = {p.name for p in header.parameters}
    first = header.end + 1
    for name in sorted(used - declared - CASE_PARAMETERS.keys()):
        if name not in header.values.get("params", {}):
            faults.add(first, f"parameter ${name} is used but not declared in [params]")
    for name in sorted(declared - used - told):
        faults.add(header.line(name), f"parameter {name} is declared but ${name} is not used")
    if detection and not {"since", "until"} <= used:
        faults.add(first, "a detection must keep to the window: event_time >= $since AND event_time < $until")


def _check_columns(
    body: str,
    used: frozenset[str],
    header: headers.Header,
    detection: bool,
    faults: _Faults,
    store: EmptyStore,
) -> None:
    values = {p.name: p.default for p in header.parameters if p.name in used}
    values |= dict.fromkeys(used & CASE_PARAMETERS.keys(), _ANY_TIME)
    first = header.end + 1
    try:
        columns = store.columns(body, values)
    except QueryFault as error:
        faults.add(first, f"the SQL does not fit the store: {error.message}")
        return
    for name, kind in columns:
        if not kind.startswith(_PLAIN) or kind.endswith("]"):
            faults.add(first, f"column {name} is {kind}; results hold text, integers, decimals, booleans and times")
    doubled = sorted({name for name, _ in columns if [n for n, _ in columns].count(name) > 1})
    for name in doubled:
        faults.add(first, f"column {name} is there twice")
    if detection:
        for position, wanted in enumerate(DETECTION_COLUMNS):
            given = columns[position] if position < len(columns) else ("nothing", "")
            if given != wanted:
                faults.add(
                    first,
                    f"column {position + 1} must be {' '.join(wanted)}, not {' '.join(given).strip()}",
                )


def _line_of(message: str, body: str, first: int) -> int:
    """Return the line that a parser's message `LINE n:` names, else the first of the statement."""
    mark = message.find("LINE ")
    digits = message[mark + 5 :].split(":", 1)[0] if mark >= 0 else ""
    return int(digits) if digits.isdigit() and int(digits) <= body.count("\n") + 1 else first


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
