"""Search the whole evidence for the indicators of a case, in one pass over each column."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from forensics.analysis.addresses.enrich import addresses_stale, enrich_case
from forensics.analysis.indicators.fields import FIELDS, TEXTS, Field
from forensics.analysis.indicators.matching import ANYWHERE, QUOTED, Matcher, Sought, TextFinder
from forensics.model.indicator import REGEX
from forensics.store.basis import check_fingerprint
from forensics.store.duckdb_engine import rows_of
from forensics.store.eventstore import EventStore

if TYPE_CHECKING:
    import duckdb

    from forensics.model.clock import Clock
    from forensics.store.case_folder import CaseFolder

Row = dict[str, Any]
_BATCH = 20_000
_IN_USE = """
SELECT indicator_id, min(kind) AS kind, min(value) AS value, min(match) AS match,
       CASE WHEN count(valid_from) = count(*) THEN min(valid_from) END AS valid_from,
       CASE WHEN count(valid_until) = count(*) THEN max(valid_until) END AS valid_until
FROM indicator WHERE file_sha256 NOT IN (SELECT file_sha256 FROM withdrawal)
GROUP BY indicator_id ORDER BY indicator_id
"""


def search(connection: duckdb.DuckDBPyConnection) -> tuple[list[Row], list[Row]]:
    """Return rows of indicator_hit and of indicator_search; both empty without indicators."""
    listed = rows_of(connection, _IN_USE)
    if not listed:
        return [], []
    sought = [Sought(r["indicator_id"], r["kind"], r["value"], r["match"]) for r in listed]
    validity = {r["indicator_id"]: (r["valid_from"], r["valid_until"]) for r in listed}
    hits: dict[tuple[str, str, str, str], Row] = {}
    searched: list[Row] = []
    for found, account in _passes(connection, sought):
        searched += account
        for row in found:
            low, high = validity[row["indicator_id"]]
            row["valid"] = _is_valid(row["event_time"], low, high)
            hits.setdefault((row["indicator_id"], row["event_key"], row["table_name"], row["field"]), row)
    return [hits[key] for key in sorted(hits)], searched


def _is_valid(moment: datetime | None, low: datetime | None, high: datetime | None) -> bool:
    return moment is None or ((low is None or moment >= low) and (high is None or moment < high))


def _passes(connection: duckdb.DuckDBPyConnection, sought: list[Sought]) -> Iterator[tuple[list[Row], list[Row]]]:
    kinds = {s.kind for s in sought}
    matcher, finder = Matcher(sought), TextFinder(sought)
    patterns = [s for s in sought if s.match == REGEX]
    for field in FIELDS:
        own = tuple(k for k in field.kinds if k in kinds)
        if own:
            yield list(_whole(connection, field, own, matcher, patterns)), _account(connection, field, own)
    for field in FIELDS if "asn" in kinds else ():
        if "address" in field.kinds:
            yield _in_systems(connection, field, [s for s in sought if s.kind == "asn"])
    wide = tuple(sorted(kinds & (ANYWHERE | QUOTED)))
    for field in TEXTS if finder else ():
        yield list(_inside(connection, field, finder)), _account(connection, field, wide)


def _account(connection: duckdb.DuckDBPyConnection, field: Field, kinds: tuple[str, ...]) -> list[Row]:
    sql = f"""SELECT count(*) AS records, min({field.time}) AS first, max({field.time}) AS last
              FROM {field.table} WHERE {field.column} IS NOT NULL"""  # noqa: S608 - own names
    account = rows_of(connection, sql)[0]
    return [{"kind": kind, "table_name": field.table, "field": field.column, **account} for kind in kinds]


def _whole(
    connection: duckdb.DuckDBPyConnection,
    field: Field,
    kinds: tuple[str, ...],
    matcher: Matcher,
    patterns: list[Sought],
) -> Iterator[Row]:
    """Compare each distinct value once; then fetch the rows of those that are indicators."""
    column = f"CAST({field.column} AS VARCHAR)"
    distinct = f"SELECT DISTINCT {column} AS value FROM {field.table} WHERE {field.column} IS NOT NULL"  # noqa: S608 - own names
    met: defaultdict[str, set[str]] = defaultdict(set)
    for (value,) in connection.execute(distinct).fetchall():
        met[value].update(matcher.found(kinds, value))
    for pattern in patterns if "user_agent" in kinds else ():
        sql = f"SELECT value FROM ({distinct}) WHERE regexp_matches(value, $pattern, 'i')"  # noqa: S608 - own names
        for (value,) in connection.execute(sql, {"pattern": pattern.value}).fetchall():
            met[value].add(pattern.identity)
    pairs = [(value, identity) for value, identities in met.items() for identity in sorted(identities)]
    if not pairs:
        return
    values, identities = zip(*pairs, strict=True)
    connection.register("met", pa.table({"value": values, "indicator_id": identities}))
    sql = f"""SELECT m.indicator_id, t.event_key, t.{field.time} AS event_time
              FROM {field.table} AS t JOIN met AS m ON m.value = CAST(t.{field.column} AS VARCHAR)"""  # noqa: S608 - own names
    for row in rows_of(connection, sql):
        yield row | {"table_name": field.table, "field": field.column}
    connection.unregister("met")


def _in_systems(
    connection: duckdb.DuckDBPyConnection, field: Field, systems: list[Sought]
) -> tuple[list[Row], list[Row]]:
    """Return hits and account of autonomous systems: only addresses of which a file names theirs were searched."""
    known = f"""{field.table} AS t JOIN (
        SELECT DISTINCT source_ip, value FROM address_fact WHERE fact = 'asn'
    ) AS f ON f.source_ip = t.{field.column}"""  # noqa: S608 - own names
    account = rows_of(
        connection,
        f"SELECT count(DISTINCT t.event_key) AS records, min(t.{field.time}) AS first, max(t.{field.time}) AS last FROM {known}",  # noqa: S608 - own names
    )[0]
    wanted = {s.value: s.identity for s in systems}
    connection.register("met", pa.table({"value": list(wanted), "indicator_id": list(wanted.values())}))
    hits = rows_of(
        connection,
        f"""SELECT DISTINCT m.indicator_id, t.event_key, t.{field.time} AS event_time
            FROM {known} JOIN met AS m ON m.value = f.value""",  # noqa: S608 - own names
    )
    connection.unregister("met")
    place = {"table_name": field.table, "field": field.column}
    return [row | place for row in hits], [{"kind": "asn", **place, **account}]


def _inside(connection: duckdb.DuckDBPyConnection, field: Field, finder: TextFinder) -> Iterator[Row]:
    """Look through each text once for all indicators."""
    sql = f"""SELECT event_key, {field.time}, lower(CAST({field.column} AS VARCHAR)) FROM {field.table}
              WHERE {field.column} IS NOT NULL"""  # noqa: S608 - own names
    for batch in connection.sql(sql).to_arrow_reader(_BATCH):
        keys, moments, texts = (batch.column(n) for n in range(3))
        for place, identity in finder.found(*_joined(texts)):
            yield {
                "indicator_id": identity, "event_key": keys[place].as_py(), "event_time": moments[place].as_py(),
                "table_name": field.table, "field": field.column,
            }  # fmt: skip


def _joined(texts: pa.Array) -> tuple[memoryview, memoryview]:
    """Return the bytes of all texts one after the other, and where each begins and the last ends.

    Layout: https://arrow.apache.org/docs/format/Columnar.html#variable-size-binary-layout
    """
    plain = pa.concat_arrays([texts.cast(pa.large_string())])
    _, bounds, data = plain.buffers()
    return memoryview(data or b"").cast("B"), memoryview(bounds).cast("q")[plain.offset : plain.offset + len(plain) + 1]


def is_stale(connection: duckdb.DuckDBPyConnection, folder: CaseFolder) -> bool:
    """Whether there are indicators that were not searched over the evidence as it is now."""
    any_listed = connection.execute("SELECT count(*) FROM indicator").fetchall()[0][0]
    row = connection.execute("SELECT fingerprint FROM result_basis WHERE kind = 'ioc'").fetchall()
    return bool(any_listed) and (not row or row[0][0] != check_fingerprint(connection, folder))


def _know_systems(folder: CaseFolder, clock: Clock, by: str) -> None:
    """Ask the files about addresses first where autonomous systems are sought."""
    connection = folder.reader()
    try:
        ask = any(r["kind"] == "asn" for r in rows_of(connection, _IN_USE)) and addresses_stale(connection, folder)
    finally:
        connection.close()
    if ask:
        enrich_case(folder, clock, by)


def search_case(folder: CaseFolder, clock: Clock, by: str = "") -> int:
    """Search the evidence of a case and store what was hit and what was searched; returns the number of hits."""
    _know_systems(folder, clock, by)
    connection = folder.reader()
    try:
        hits, searched = search(connection)
    finally:
        connection.close()
    with folder.writer("ioc") as writing:
        store, basis, now = EventStore(writing), check_fingerprint(writing, folder), clock().replace(tzinfo=None)

        def work() -> None:
            store.replace("indicator_hit", hits)
            store.replace("indicator_search", searched)
            store.rest_on("ioc", basis, {}, now)

        store.transact(work)
        folder.custody.append("ioc", by, fingerprint=basis, hits=len(hits))
    return len(hits)
