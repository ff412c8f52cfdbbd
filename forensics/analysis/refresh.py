"""Which stored results are out of date, and how they are made fresh."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from forensics.analysis.addresses.enrich import addresses_stale, enrich_case
from forensics.analysis.context import Window, catalogue, catalogue_sha256, window_of
from forensics.analysis.credentials.chains import chain_rows
from forensics.analysis.credentials.rules import graph_of
from forensics.analysis.hunt import HuntResult, run_hunt, store_rows
from forensics.analysis.indicators.search import is_stale, search_case
from forensics.analysis.suppressions import marked, suppressions_of
from forensics.analysis.verdicts import exposure_case
from forensics.model.outcome import State
from forensics.queries.catalogue import Catalogue
from forensics.store import casevalues
from forensics.store.basis import LABELS, components, fingerprint, hunt_parts, stale
from forensics.store.building_blocks import beside, compute_blocks
from forensics.store.duckdb_engine import DuckDBEngine
from forensics.store.eventstore import EventStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import duckdb

    from forensics.model.clock import Clock
    from forensics.model.query import Query
    from forensics.queries.binding import Value
    from forensics.store.case_folder import CaseFolder


def staleness(
    connection: duckdb.DuckDBPyConnection, folder: CaseFolder, queries: Catalogue | None = None
) -> dict[str, list[str]]:
    """Return for hunt and exposure what changed since they were computed; a kind that is fresh is absent."""
    return stale(connection, folder, catalogue_sha256(queries or catalogue()))


def load_case_values(folder: CaseFolder) -> None:
    """Bring the relations that queries join (own accounts, networks) to what the settings say."""
    settings = folder.settings()
    with folder.writer("hunt") as connection:
        store = EventStore(connection)
        store.transact(lambda: casevalues.load(connection, settings))


def compute_hunt(
    folder: CaseFolder,
    queries: Iterable[Query],
    clock: Clock,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    overrides: Mapping[str, Mapping[str, Value]] | None = None,
) -> tuple[HuntResult, Window]:
    """Run the detections over a locked, read-only store. Writes nothing."""
    connection = folder.reader()
    try:
        window = window_of(connection, folder.settings(), since, until)
        compute_blocks(connection)
        engines = [DuckDBEngine(one) for one in (connection, beside(connection))]
        result = run_hunt(engines, queries, window, clock, overrides)
        return marked(result, suppressions_of(folder)), window
    finally:
        connection.close()


def _know_addresses(folder: CaseFolder, clock: Clock, by: str) -> None:
    """Ask the files about addresses that the case holds, unless that was done: queries join what they say."""
    connection = folder.reader()
    try:
        ask = addresses_stale(connection, folder)
    finally:
        connection.close()
    if ask:
        enrich_case(folder, clock, by)


def hunt_case(folder: CaseFolder, queries: Catalogue, clock: Clock, by: str = "") -> tuple[HuntResult, Window]:
    """Run all detections with their defaults over the case's window and store what came, with what it rests on."""
    load_case_values(folder)
    _know_addresses(folder, clock, by)
    result, window = compute_hunt(folder, queries, clock)
    with folder.writer("hunt") as connection:
        store, now = EventStore(connection), clock().replace(tzinfo=None)
        parts = hunt_parts(components(connection, folder, catalogue_sha256(queries)))
        basis = fingerprint(parts)
        first = connection.execute("SELECT coalesce(max(run_id), 0) + 1 FROM query_run").fetchall()[0][0]
        rows = store_rows(result, basis=basis, first_run_id=first)

        def work() -> None:
            store.replace("finding", rows["finding"])
            store.replace("finding_event", rows["finding_event"])
            store.replace("suppression", [s.row() for s in suppressions_of(folder) if not s.undone])
            store.replace("finding_chain", chain_rows(result.findings, graph_of(connection)))
            store.insert("query_run", rows["query_run"])
            store.rest_on("hunt", basis, parts, now)

        store.transact(work)
        states = {s.value: sum(1 for o in result.outcomes if o.state == s) for s in State}
        folder.custody.append("hunt", by, fingerprint=basis, queries=len(result.outcomes), states=states)
    return result, window


def refresh(folder: CaseFolder, clock: Clock, by: str = "", queries: Catalogue | None = None) -> dict[str, list[str]]:
    """Compute again whatever is out of date; return what was, and why."""
    queries = queries or catalogue()
    connection = folder.reader()
    try:
        old = staleness(connection, folder, queries)
        if is_stale(connection, folder):
            old["ioc"] = ["indicators were not searched over this evidence"]
        if addresses_stale(connection, folder):
            old["enrich"] = ["files about addresses were not asked about this evidence"]
    finally:
        connection.close()
    if "enrich" in old:
        enrich_case(folder, clock, by)
        # Verdicts rest on the facts of addresses.
        old.setdefault("exposure", [LABELS["addresses"]])
    if "hunt" in old:
        hunt_case(folder, queries, clock, by)
    if "exposure" in old:
        exposure_case(folder, queries, clock, by)
    if "ioc" in old:
        search_case(folder, clock, by)
    return old
