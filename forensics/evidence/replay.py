"""Level 3: read the packaged evidence into a new case, run the packaged queries, and compare every result."""

from __future__ import annotations

import tempfile
import threading
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from forensics.analysis.addresses.enrich import enrich_case
from forensics.analysis.context import catalogue
from forensics.analysis.indicators.search import search_case
from forensics.analysis.refresh import hunt_case
from forensics.analysis.verdicts import exposure_case
from forensics.enrichment.facts import REFERENCE_SOURCES
from forensics.evidence.checks import Check, CheckFailedError, CheckUndecidedError, Package, check, require
from forensics.evidence.gather import ACCOUNT, findings_json, verdicts_json
from forensics.evidence.log_integrity import PINNED, check_logs
from forensics.evidence.manifest import canonical
from forensics.evidence.results import bound, last_runs, table_facts
from forensics.evidence.structure import PINNED_KEYS, PRICES
from forensics.evidence.tool import SAME_REPORT, SAME_TOOL, tool_facts
from forensics.ingest.discover import Found
from forensics.ingest.indicator_files import INDICATOR_SOURCE
from forensics.ingest.maps import MAP_SOURCE
from forensics.ingest.receipts import ReceiptFacts, ReceiptTable
from forensics.ingest.run import Ingest, IngestOptions
from forensics.ingest.unpacking import Unpacking, is_locked, is_wider, limits_of
from forensics.model.clock import Clock
from forensics.model.errors import ForensicsError, QueryFault
from forensics.model.outcome import State
from forensics.model.query import Query, QueryKind
from forensics.model.times import parse_time
from forensics.queries.catalogue import Catalogue, load_catalogue
from forensics.queries.queryfile import EmptyStore
from forensics.queries.sound import known_sound
from forensics.report.render import render_report
from forensics.store.building_blocks import compute_blocks
from forensics.store.case_folder import CaseFolder, init_case
from forensics.store.duckdb_engine import DuckDBEngine, canonical_lines, rows_of
from forensics.store.schema import statements
from forensics.store.withdrawing import Withdrawal, withdraw_rows

#: A packaged query may come from anybody; one that runs longer is stopped.
QUERY_SECONDS = 600
_SHOWN = 300


class _Receipts(ReceiptTable):
    """The packaged receipts in place of a receipt table, and the clock that each was read by.

    Names are the sender's and only looked up, never opened. Where no time of receipt was stated, the moment of reading
    decides which of two exports counts; so reading a file again takes the moment that the package notes.
    """

    def __init__(self, sources: list[dict[str, Any]], created: datetime) -> None:
        super().__init__()
        self._created = created
        self._now = created
        self._waiting: defaultdict[str, deque[dict[str, Any]]] = defaultdict(deque)
        for source in sources:
            self._waiting[source["name"]].append(source)

    def find(self, name: str) -> ReceiptFacts | None:
        source = self._waiting[name].popleft()
        self._now = _time(source["read_as_of"]) or self._created
        return ReceiptFacts(
            owner=source["owner"] or "",
            basis=source["owner_basis"] or "",
            organisation=source["organisation"] or "",
            from_whom=source["from_whom"] or "",
            received_at=_time(source["received_at"]),
            means=source["means"] or "",
            sender_sha256=source["sender_sha256"] or "",
            window_from=_time(source["window_from"]),
            window_until=_time(source["window_until"]),
            zone=source["zone"] or "",
        )

    def clock(self) -> datetime:
        """Return the moment the file at hand was read, in UTC."""
        return self._now.replace(tzinfo=UTC)


def _time(text: str | None) -> datetime | None:
    return parse_time(text) if text else None


def reproduction(package: Package, password: str | None = None, *, wider: bool = False) -> list[Check]:
    """Return the checks of level 3. Works in a temporary folder and leaves nothing.

    `password` opens encrypted archives, `wider` lets archives grow beyond the default limits where the package says so.
    """
    with tempfile.TemporaryDirectory(prefix="keytrail-verify-") as scratch:
        rebuilt: list[tuple[CaseFolder, Catalogue]] = []

        def build() -> str:
            gone = package.facts.get("purged", [])
            if gone:
                raise CheckUndecidedError(f"{len(gone)} originals were purged and cannot be read again")
            _openable(package.lines("data/inventory/sources.jsonl"), password, wider=wider)
            with _as_failure():
                rebuilt.append(_rebuild(package, Path(scratch), password))
            return f"{len(package.facts['sources'])} receipts were read again into a new case"

        built = check("reproduction.ingest", build)
        if not rebuilt:
            return [built]
        folder, queries = rebuilt[0]
        connection = folder.reader()
        try:
            checks = [
                built,
                check("reproduction.account", lambda: _account(package, connection)),
                check("reproduction.tables", lambda: _tables(package, connection)),
                check("reproduction.queries", lambda: _queries(package, connection, queries)),
                check("reproduction.findings", lambda: _findings(package, connection)),
                check("reproduction.verdicts", lambda: _verdicts(package, connection)),
            ]
        finally:
            connection.close()
        # The report opens the store itself, and a locked connection cannot be shared.
        return [*checks, _report(package, folder), check("reproduction.tool", lambda: _tool(package))]


def _openable(sources: list[dict[str, Any]], password: str | None, *, wider: bool) -> None:
    """Raise CheckUndecidedError for archives that cannot be opened as they were: a package may come from anybody."""
    locked = sum(is_locked(source.get("unpacking")) for source in sources)
    if locked and password is None:
        raise CheckUndecidedError(f"{locked} archives were opened by a password: verify with --ask-password")
    larger = sum(is_wider(source.get("unpacking")) for source in sources)
    if larger and not wider:
        raise CheckUndecidedError(f"{larger} files were opened beyond the default limits: verify with --allow-limits")


@contextmanager
def _as_failure() -> Iterator[None]:
    try:
        yield
    except ForensicsError as error:
        raise CheckFailedError(str(error)) from error


def _created(package: Package) -> datetime:
    moment = parse_time(package.facts["created"])
    if moment is None:
        raise CheckFailedError("package.json has no time of creation")
    return moment


def _rebuild(package: Package, scratch: Path, password: str | None) -> tuple[CaseFolder, Catalogue]:
    """Make a case from the packaged settings, receipts, originals and decisions, with fresh results of the queries returned."""
    sources = package.lines("data/inventory/sources.jsonl")
    files = {source["receipt"]: source["file"] for source in package.facts["sources"]}
    created = _created(package)
    receipts = _Receipts(sources, created)
    times = package.facts["times"]
    init_case(scratch / "case", _at(times["opened"]), settings=package.read("data/settings/case.toml"))
    reading = CaseFolder(scratch / "case", receipts.clock)
    found = [
        _found(package, source, files[source["receipt_id"]], password)
        for source in sorted(sources, key=lambda s: s["receipt_id"])
    ]
    with reading.writer("verify") as connection:
        _read_again(reading, connection, found, receipts, package.facts.get("withdrawn", []))
    folder = CaseFolder(scratch / "case", lambda: created.replace(tzinfo=UTC))
    folder.work_path.write_bytes(package.read("data/settings/work.jsonl"))
    for name in PRICES:
        if name in package.listing.files:
            (folder.root / Path(name).name).write_bytes(package.read(name))
    queries = _catalogue(package, scratch / "queries")
    if "verify-logs" in times:
        if PINNED_KEYS in package.listing.files:
            (folder.root / PINNED).write_bytes(package.read(PINNED_KEYS))
        check_logs(folder, _at(times["verify-logs"]), password=password)
    if "enrich" in times:
        enrich_case(folder, _at(times["enrich"]))
    hunt_case(folder, queries, _at(times["hunt"]))
    exposure_case(folder, queries, _at(times["exposure"]))
    if "ioc" in times:
        search_case(folder, _at(times["ioc"]))
    return folder, queries


def _read_again(
    folder: CaseFolder, connection: Any, found: list[Found], receipts: _Receipts, withdrawn: list[dict[str, Any]]
) -> None:
    """Ingest the originals in the order of receipt, each exhibit withdrawn after the receipt after which it was."""
    at = 0
    for act in withdrawn:
        part = found[at : act["after_receipt"]]
        if part:
            Ingest(folder, connection, IngestOptions(copy=False)).run(part, receipts, lambda *_: None)
            at += len(part)
        moment = _time(act["withdrawn_at"])
        if moment is None:
            raise CheckFailedError("a withdrawal has no time")
        who = Withdrawal(act["file_sha256"], act["exhibit"], act["reason"], act["withdrawn_by"] or "", moment)
        withdraw_rows(connection, who)
    Ingest(folder, connection, IngestOptions(copy=False)).run(found[at:], receipts, lambda *_: None)


def _at(text: str) -> Clock:
    """Return a clock that stands at a time of the package. Raises CheckFailedError for a text that is none."""
    moment = _time(text)
    if moment is None:
        raise CheckFailedError(f"package.json has a time that is none: {text[:40]!r}")
    return lambda: moment.replace(tzinfo=UTC)


def _catalogue(package: Package, root: Path) -> Catalogue:
    """Return the packaged queries, and the installed ones that no hunt runs.

    They are loaded by the rules for all queries: one SELECT, no file or network function. An installed detection that
    the package does not have stays out: it would find what the packaged hunt did not look for.
    """
    for pinned in package.facts["queries"]:
        family, _, name = pinned["id"].partition(".")
        path = root / family / f"{name}.sql"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(package.read(f"data/queries/{pinned['id']}.sql"))
    store = EmptyStore(statements())
    packaged = {q.id: q for q in load_catalogue(root, store=store, portable=False, sound=known_sound(store))}
    installed = {q.id: q for q in catalogue() if q.kind is not QueryKind.DETECTION}
    return Catalogue(tuple(query for _, query in sorted((installed | packaged).items())))


def _found(package: Package, source: dict[str, Any], name: str | None, password: str | None) -> Found:
    if name is None:
        return Found(package.root, source["name"], problem=source["reason"] or "cannot be read")
    noted = source.get("unpacking")
    how = Unpacking(limits_of(noted), password if is_locked(noted) else None)
    return Found(
        package.path(name),
        source["name"],
        is_map=source["source_id"] == MAP_SOURCE,
        is_indicators=source["source_id"] == INDICATOR_SOURCE,
        reference=source["source_id"] if source["source_id"] in REFERENCE_SOURCES else "",
        unpacking=how,
    )


def _account(package: Package, connection: Any) -> str:
    stated = {row["receipt_id"]: row for row in package.lines("data/inventory/ledger.jsonl")}
    digests = {source["receipt"]: source["sha256"] for source in package.facts["sources"]}
    again = {row["receipt_id"]: row for row in rows_of(connection, "SELECT * FROM receipt ORDER BY receipt_id")}
    require([f"{len(again)} receipts again, {len(stated)} packaged"] if len(again) != len(stated) else [])
    require(
        f"receipt {number}: {name} was {stated[number][name]}, is {row[name]} again"
        for number, row in again.items()
        for name in ACCOUNT
        if row[name] != stated[number][name]
    )
    require(f"receipt {n} is of another file again" for n, row in again.items() if row["file_sha256"] != digests[n])
    return f"the account of {len(again)} receipts came out again"


def _tables(package: Package, connection: Any) -> str:
    stated = {table["name"]: table for table in package.facts["tables"]}
    again = table_facts(connection)
    require(
        f"{table['name']}: {stated[table['name']]['rows']} rows packaged, {table['rows']} again, or other records"
        for table in again
        if table != stated[table["name"]]
    )
    return "; ".join(f"{table['name']} {table['rows']}" for table in again if table["rows"]) or "no rows"


def _queries(package: Package, connection: Any, queries: Catalogue) -> str:
    engine = DuckDBEngine(connection)
    parameters = package.json("data/queries/params.json")
    compute_blocks(connection)
    # What hunt and exposure just ran over the same rows, with the same values, is not run once more.
    ran = {row[:-1]: row[-1] for row in last_runs(connection, queries)}
    faults = []
    for pinned in package.facts["queries"]:
        identity = pinned["id"]
        again = ran.get((identity, pinned["sql_sha256"], canonical(parameters[identity])))
        if again is not None and again == pinned["logical_sha256"]:
            continue
        try:
            rows = _timed(engine, connection, queries.by_id(identity), bound(parameters[identity]))
        except ForensicsError as error:
            if pinned["rows"] is not None:
                faults.append(f"{identity}: {error}")
            continue
        if pinned["rows"] is None:
            faults.append(f"{identity} failed when it was packaged and runs now")
        elif rows.sha256 != pinned["logical_sha256"]:
            stated = package.read(f"data/results/{identity}.jsonl")
            faults.append(
                f"{identity}: {_first_difference(stated, canonical_lines(rows.columns, rows.types, rows.rows))}"
            )
    require(faults)
    return f"{len(package.facts['queries'])} queries gave the logical hashes packaged"


def _timed(engine: DuckDBEngine, connection: Any, query: Query, values: dict[str, Any]) -> Any:
    timer = threading.Timer(QUERY_SECONDS, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        return engine.run(query.sql, values, by_key=query.by_key)
    except QueryFault as fault:
        raise QueryFault(f"{State.FAILED}: {fault}") from fault
    finally:
        timer.cancel()


def _first_difference(stated: bytes, again: bytes) -> str:
    before, after = stated.split(b"\n"), again.split(b"\n")
    number = next(
        (n for n, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]),
        min(len(before), len(after)),
    )
    old, new = (
        lines[number].decode("utf-8", "replace")[:_SHOWN] if number < len(lines) else "" for lines in (before, after)
    )
    return f"row {number} differs: packaged {old or 'nothing'}, again {new or 'nothing'}"


def _same_program(package: Package) -> bool:
    ours, theirs = tool_facts(), package.facts["tool"]
    return all(ours[name] == theirs.get(name) for name in SAME_TOOL)


def _differ(package: Package, what: str) -> None:
    """Raise for results that need the installed program: what another version makes decides nothing."""
    if _same_program(package):
        raise CheckFailedError(f"{what} came out different")
    raise CheckUndecidedError(f"{what} came out different, but another version of the program or its engines made them")


def _findings(package: Package, connection: Any) -> str:
    if findings_json(connection) != package.read("data/findings/findings.json"):
        _differ(package, "the findings")
    return f"{len(package.facts['findings'])} findings came out again to the byte"


def _verdicts(package: Package, connection: Any) -> str:
    if verdicts_json(connection) != package.read("data/findings/verdicts.json"):
        _differ(package, "the verdicts")
    return "the verdicts came out again to the byte"


def _report(package: Package, folder: CaseFolder) -> Check:
    def work() -> str:
        ours, theirs = tool_facts(), package.facts["tool"]
        with _as_failure():
            html = render_report(folder, folder.clock).html
        stated = package.read("data/report/report.html")
        if html != stated:
            if any(ours[name] != theirs.get(name) for name in (*SAME_REPORT, *SAME_TOOL)):
                raise CheckUndecidedError("the report has other bytes, but another version of the program made it")
            raise CheckFailedError(f"the report came out different: {_first_difference(stated, html)}")
        return "the report came out again to the byte"

    return check("reproduction.report", work)


def _tool(package: Package) -> str:
    if _same_program(package):
        return "identical: the same program, queries and engines made it"
    ours, theirs = tool_facts(), package.facts["tool"]
    other = [
        f"{name} {theirs.get(name)} then, {ours[name]} now" for name in SAME_TOOL if ours[name] != theirs.get(name)
    ]
    same = {query.id for query in catalogue()} == {query["id"] for query in package.facts["queries"]}
    return f"equivalent: made with {'; '.join(other)}{'' if same else '; the installed queries are others'}"
