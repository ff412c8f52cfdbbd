"""Results of the queries that ran last, run again; and what the event tables hold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from forensics.analysis.context import catalogue
from forensics.evidence.manifest import canonical
from forensics.evidence.structure import is_query_id
from forensics.model.errors import QueryFault
from forensics.model.outcome import CanonicalRows, State
from forensics.model.query import CASE_PARAMETERS, Parameter, Query
from forensics.queries.binding import parse_value
from forensics.resources import queries_folder
from forensics.store.building_blocks import compute_blocks
from forensics.store.duckdb_engine import DuckDBEngine, canonical_lines
from forensics.store.schema import EVENT_TABLES

_LAST_RUNS = """
SELECT query_id, query_sha256, parameters, state, reason, result_sha256 FROM query_run
WHERE basis IN (SELECT fingerprint FROM result_basis)
QUALIFY row_number() OVER (PARTITION BY query_id ORDER BY run_id DESC) = 1
ORDER BY query_id
"""
_OCCURRENCES = """
SELECT event_key, coalesce(own_key, event_key) AS own_key, file_sha256, receipt_id, member_path, record_no, byte_offset, byte_length, json_pointer,
       record_sha256
FROM occurrence ORDER BY receipt_id, record_no, byte_offset, json_pointer, own_key
"""
_STEP = 10_000


@dataclass(frozen=True, slots=True)
class QueryResult:
    """A query as it ran: its file, its parameters by name as (type, text), its state, and its canonical lines."""

    id: str
    file: bytes
    parameters: dict[str, dict[str, str]]
    state: str
    reason: str
    rows: int | None
    lines: bytes | None

    def pinned(self) -> dict[str, Any]:
        """Return the query's entry in package.json."""
        return {
            "id": self.id,
            "sql_sha256": sha256(self.file).hexdigest(),
            "params_sha256": sha256(canonical(self.parameters)).hexdigest(),
            "state": self.state,
            "reason": self.reason,
            "rows": self.rows,
            "logical_sha256": sha256(self.lines).hexdigest() if self.lines is not None else None,
        }


def stated_parameters(query: Query, text: str | None) -> dict[str, dict[str, str]]:
    """Return the ledger's parameters of a run with their types. Raises QueryFault for one the query does not declare."""
    declared = {p.name: p.type for p in query.parameters} | CASE_PARAMETERS
    values = json.loads(text or "{}")
    unknown = sorted(set(values) - set(declared))
    if unknown:
        raise QueryFault(f"{query.id} ran with parameters it does not declare: {', '.join(unknown)}", place=query.place)
    return {name: {"type": declared[name], "value": str(values[name])} for name in sorted(values)}


def bound(parameters: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Return values ready to be bound. Raises UsageFault for a value that is not of its type."""
    return {
        name: parse_value(Parameter(name, stated["type"], "", None), stated["value"])
        for name, stated in parameters.items()
    }


def packaged_queries(connection: Any) -> list[QueryResult]:
    """Run every query of the last hunt and exposure again and return them in the order of their ids.

    Raises QueryFault when a query is not the one that ran or gives another result than the ledger has.
    """
    compute_blocks(connection)  # as the hunt did: the same rows
    engine = DuckDBEngine(connection)
    queries = {query.id: query for query in catalogue()}
    out = []
    for identity, digest, parameters, state, reason, result in connection.execute(_LAST_RUNS).fetchall():
        query = queries.get(identity)
        if query is None or query.sha256 != digest or not is_query_id(identity):
            raise QueryFault(f"{identity} is not the query that ran", hint="run the hunt again, then pack")
        stated = stated_parameters(query, parameters)
        rows = _again(engine, query, stated, state)
        if rows is not None and result and rows.sha256 != result:
            raise QueryFault(
                f"{identity} gives another result than the last hunt noted", hint="run the hunt again, then pack"
            )
        out.append(
            QueryResult(
                identity,
                (queries_folder().parent / query.place).read_bytes(),
                stated,
                state,
                reason or "",
                len(rows.rows) if rows else None,
                canonical_lines(rows.columns, rows.types, rows.rows) if rows else None,
            )
        )
    return out


def last_runs(connection: Any, queries: Iterable[Query]) -> Iterator[tuple[str, str, bytes, str | None]]:
    """Yield (query id, SHA-256 of its file, canonical parameters, logical hash of the result) of the last run of each of `queries`."""
    known = {query.id: query for query in queries}
    for identity, digest, parameters, _, _, result in connection.execute(_LAST_RUNS).fetchall():
        if identity in known and known[identity].sha256 == digest:
            yield identity, digest, canonical(stated_parameters(known[identity], parameters)), result


def _again(engine: DuckDBEngine, query: Query, stated: dict[str, dict[str, str]], state: str) -> CanonicalRows | None:
    try:
        return engine.run(query.sql, bound(stated), by_key=query.by_key)
    except QueryFault:
        if state == State.FAILED:
            return None  # that it fails is its result
        raise


def table_facts(connection: Any) -> list[dict[str, Any]]:
    """Return rows and hash of what identifies the rows of each event table, and of every place a record was seen."""
    selects = {name: f"SELECT event_key FROM {name} ORDER BY event_key" for name in EVENT_TABLES}  # noqa: S608 - own names
    return [_table(connection, name, sql) for name, sql in sorted((selects | {"occurrence": _OCCURRENCES}).items())]


def _table(connection: Any, name: str, sql: str) -> dict[str, Any]:
    cursor = connection.execute(sql)
    digest, count = sha256(), 0
    while rows := cursor.fetchmany(_STEP):
        count += len(rows)
        digest.update(b"".join(json.dumps(row, separators=(",", ":")).encode("ascii") + b"\n" for row in rows))
    return {"name": name, "rows": count, "keys_sha256": digest.hexdigest()}
