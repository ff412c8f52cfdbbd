"""Run exposure over a case: taint, queries, verdicts; and store them with their fingerprint."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from forensics.analysis import exposure, facts, keys, lineage
from forensics.analysis.cloud_cost import cloud_use, use_rows
from forensics.analysis.context import Window, catalogue_sha256, window_of
from forensics.analysis.coverage import coverage_of
from forensics.analysis.horizon import trail_horizons
from forensics.analysis.inventory.book import Book, Ground, make_book
from forensics.analysis.inventory.in_use import read_seen
from forensics.analysis.inventory.register import read_register
from forensics.analysis.policy import DEFAULT
from forensics.analysis.posture.judge import posture_of, posture_rows
from forensics.analysis.pricing import tables as pricing
from forensics.model.outcome import CanonicalRows, State
from forensics.queries.binding import bind
from forensics.queries.catalogue import Catalogue
from forensics.store import casevalues
from forensics.store.basis import components, fingerprint
from forensics.store.building_blocks import compute_ahead
from forensics.store.duckdb_engine import ByKey, DuckDBEngine, rows_of
from forensics.store.eventstore import EventStore, text_json

if TYPE_CHECKING:
    from forensics.model.clock import Clock
    from forensics.store.case_folder import CaseFolder

_COVERAGE = """
SELECT provider, owner, source_id, endpoint, granularity_s, grouped_by, covered_from, covered_until, truncated, received_at
FROM ai_coverage ORDER BY provider, owner, source_id, endpoint, granularity_s, covered_from, covered_until, received_at NULLS LAST, file_sha256
"""


@dataclass(slots=True)
class ExposureResult:
    """Verdicts of a case: one answer a key, ids the inventory does not list, and the runs of its queries."""

    answers: list[dict[str, Any]]
    unlisted: list[dict[str, Any]]
    template: str
    window: Window
    runs: list[dict[str, Any]] = field(default_factory=list)
    tainted: list[dict[str, Any]] = field(default_factory=list)
    cloud_use: list[dict[str, Any]] = field(default_factory=list)
    posture: list[dict[str, Any]] = field(default_factory=list)
    book: Book = field(default_factory=Book)


def prepare(folder: CaseFolder) -> list[dict[str, Any]]:
    """Bring the case's own relations up to date: values, networks, and what is held to be the intruder's."""
    settings = folder.settings()
    tables = pricing.tables_of(folder)
    with folder.writer("exposure") as connection:
        store = EventStore(connection)

        def work() -> None:
            casevalues.load(connection, settings)
            store.replace("model_price", pricing.rows_for(connection, tables))
            store.replace("tainted", [t.row() for t in lineage.taints(connection, settings)])

        store.transact(work)
        return rows_of(connection, "SELECT * FROM tainted ORDER BY since, kind, value")


def compute(
    folder: CaseFolder, queries: Catalogue, since: datetime | None = None, until: datetime | None = None
) -> ExposureResult:
    """Compute the verdicts over a locked, read-only store. Writes nothing; `prepare` comes before."""
    settings = folder.settings()
    connection = folder.reader()
    try:
        window = window_of(connection, settings, since, until)
        compute_ahead(connection)
        engine = DuckDBEngine(connection)
        runs: list[dict[str, Any]] = []
        by_key = _by_key(engine, queries, window, runs)

        def run(query_id: str) -> list[dict[str, Any]]:
            if query_id in by_key:
                return by_key.pop(query_id).dicts()
            query = queries.by_id(query_id)
            values = bind(query, since=window.since, until=window.until, baseline_until=window.baseline_until)
            started = time.monotonic()
            rows = engine.run(query.sql, values)
            spent = int((time.monotonic() - started) * 1000)
            runs.append(_run_row(query, values, engine.name, rows, spent))
            return rows.dicts()

        coverage = rows_of(connection, _COVERAGE)
        gathered = facts.gather(run, coverage, settings, window.since, window.until, window.baseline_until)
        gathered.trails = trail_horizons(connection, window.since, window.until)
        register = read_register(connection)
        listed = keys.of_register(register)
        seen = keys.ids_seen(connection)
        known = listed or keys.without_inventory(connection)
        answers = exposure.judge(known, gathered, names=register.names())
        ground = Ground(
            register,
            known,
            answers,
            gathered,
            coverage_of(connection, settings, window.since, window.until),
            read_seen(connection, register.lists),
            run("exposure.place_history"),
            run("exposure.key_use"),
            DEFAULT,
        )
        book = make_book(ground, lambda state: exposure.judge(keys.of_register(state), gathered, names=state.names()))
        _note_ambiguous(answers, book)
        return ExposureResult(
            answers,
            exposure.unlisted(listed, seen) if listed else [],
            keys.template(known),
            window,
            runs,
            cloud_use=cloud_use(gathered),
            posture=posture_of(run, answers, window.baseline_until),
            book=book,
        )
    finally:
        connection.close()


def _note_ambiguous(answers: list[dict[str, Any]], book: Book) -> None:
    """Say of each key that a name in a log may mean that the name counts for none of those that have it."""
    for remark in book.remarks:
        # Remarks with rows are of the inventory, whose keys say so themselves.
        for answer in answers if remark.kind == "ambiguous" and not remark.rows else ():
            if answer["provider"] == remark.provider and answer["key_id"] in remark.keys:
                answer["notes"].append(f"{remark.text}; it counts for none of them")


def _by_key(
    engine: DuckDBEngine, queries: Catalogue, window: Window, runs: list[dict[str, Any]]
) -> dict[str, CanonicalRows]:
    """Run the queries that are marked `by_key` together, some keys at a time; their time is noted for each alike."""
    chosen = [queries.by_id(query_id) for query_id in facts.QUERIES if queries.by_id(query_id).by_key]
    bound = [bind(q, since=window.since, until=window.until, baseline_until=window.baseline_until) for q in chosen]
    started = time.monotonic()
    found = engine.run_by_key([ByKey(q.sql, values) for q, values in zip(chosen, bound, strict=True)])
    spent = int((time.monotonic() - started) * 1000) // len(chosen)
    for query, values, rows in zip(chosen, bound, found, strict=True):
        runs.append(_run_row(query, values, engine.name, rows, spent))
    return {query.id: rows for query, rows in zip(chosen, found, strict=True)}


def _run_row(query: Any, values: dict[str, Any], engine: str, rows: CanonicalRows, milliseconds: int) -> dict[str, Any]:
    return {
        "query_id": query.id,
        "query_sha256": query.sha256,
        "parameters": text_json(values),
        "engine": engine,
        "state": (State.FINDING if rows.count else State.CLEAR).value,
        "reason": "rows for the verdicts",
        "row_count": rows.count,
        "result_sha256": rows.sha256,
        "milliseconds": milliseconds,
    }


def exposure_case(folder: CaseFolder, queries: Catalogue, clock: Clock, by: str = "") -> ExposureResult:
    """Compute the verdicts and store them with what they rest on."""
    tainted = prepare(folder)
    result = compute(folder, queries)
    result.tainted = tainted
    digest = catalogue_sha256(queries)
    with folder.writer("exposure") as connection:
        parts = components(connection, folder, digest)
        store, now = EventStore(connection), clock().replace(tzinfo=None)
        next_id = connection.execute("SELECT coalesce(max(run_id), 0) FROM query_run").fetchall()[0][0]

        def work() -> None:
            store.replace("verdict", exposure.verdict_rows(result.answers, text_json))
            store.replace("posture", posture_rows(result.posture, text_json))
            store.replace("model_use", use_rows(result.cloud_use, text_json))
            store.replace("key_book", result.book.rows(text_json))
            basis = fingerprint(parts)
            store.insert(
                "query_run",
                [
                    {**row, "run_id": next_id + n, "basis": basis, "run_at": now}
                    for n, row in enumerate(result.runs, start=1)
                ],
            )
            store.rest_on("exposure", basis, parts, now)

        store.transact(work)
        counts: dict[str, int] = {}
        for answer in result.answers:
            counts[str(answer["verdict"])] = counts.get(str(answer["verdict"]), 0) + 1
        folder.custody.append("exposure", by, fingerprint=fingerprint(parts), verdicts=dict(sorted(counts.items())))
    return result
