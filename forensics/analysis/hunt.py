"""The hunt: run every detection over the store and say of each what came, or why nothing could.

Nothing is written here. `store_rows` gives the rows for the tables finding, finding_event and query_run; who
holds the case writes them once the connection that was read from is closed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from typing import Any

from forensics.analysis.context import Window
from forensics.analysis.evaluable import Fact, Holdings, establish, take_stock
from forensics.analysis.findings import Finding, finding_event_rows, finding_row, group, in_order
from forensics.analysis.regular import without_regular
from forensics.model.clock import Clock
from forensics.model.errors import QueryFault
from forensics.model.outcome import Outcome, State
from forensics.model.query import Query, QueryKind, Severity
from forensics.queries.binding import Value, bind
from forensics.queries.engine import QueryEngine
from forensics.store.duckdb_engine import canonical_value

_BATCH = 20_000
#: Provider's ids of events. Buckets of usage and costs have none.
_EVENT_IDS = """
SELECT event_key, min(event_id) AS event_id FROM (
  SELECT event_key, event_id FROM aws_event
  UNION ALL SELECT event_key, event_id FROM ai_audit_event
  UNION ALL SELECT event_key, request_id FROM ai_request) AS events
WHERE event_key IN (SELECT unnest($keys)) AND event_id IS NOT NULL AND event_id <> ''
GROUP BY event_key
ORDER BY event_key
"""


@dataclass(frozen=True, slots=True)
class QueryRun:
    """One query as it was run: what the ledger keeps beside its outcome. `run_at` is naive UTC."""

    query: Query
    parameters: Mapping[str, Value]
    engine: str
    milliseconds: int
    run_at: datetime


@dataclass(frozen=True, slots=True)
class HuntResult:
    """What a hunt gave: an outcome and a run for each query in the order of ids; findings, gravest first."""

    outcomes: tuple[Outcome, ...]
    findings: tuple[Finding, ...]
    runs: tuple[QueryRun, ...]

    @property
    def finding_events(self) -> tuple[dict[str, Any], ...]:
        """Return the rows of table finding_event, in the order of findings."""
        return tuple(row for finding in self.findings for row in finding_event_rows(finding))


def run_hunt(
    engine: QueryEngine | Sequence[QueryEngine],
    queries: Iterable[Query],
    window: Window,
    clock: Clock,
    overrides: Mapping[str, Mapping[str, Value]] | None = None,
) -> HuntResult:
    """Run the detections among `queries`; one that fails does not stop the others.

    Several engines over one store run as many queries side by side; what comes and its order are the same.
    `overrides`: parameters by query id. Without a stated T0 (`window.baseline_until` is None) the baseline
    ends where the window begins, and a query that needs a baseline is no_baseline: what came is kept with low
    severity. So is what a query that knows habits finds of the same actor day after day. Raises UsageFault for a parameter that its query does not declare.
    """
    engines = list(engine) if isinstance(engine, Sequence) else [engine]
    detections = sorted((q for q in queries if q.kind == QueryKind.DETECTION), key=lambda q: q.id)
    holdings = take_stock(engines[0], window.since, window.until)
    facts = establish(engines[0], (n for q in detections for n in q.needs), window.since, window.until)
    free: SimpleQueue[QueryEngine] = SimpleQueue()
    for one in engines:
        free.put(one)

    def run(query: Query) -> tuple[Outcome, list[Finding], QueryRun]:
        mine = free.get()
        try:
            return _timed(mine, query, parameters[query.id], holdings, facts, window, clock)
        finally:
            free.put(mine)

    parameters = {q.id: _bound(q, window, overrides) for q in detections}
    with ThreadPoolExecutor(len(engines)) as pool:
        done = list(pool.map(run, detections))
    outcomes = [outcome for outcome, _, _ in done]
    findings = [finding for _, found, _ in done for finding in found]
    ids = event_ids(engines[0], {key for outcome in outcomes for key in outcome.event_keys})
    named = (replace(o, event_ids=tuple(ids.get(k, k) for k in o.event_keys)) for o in outcomes)
    return HuntResult(tuple(named), in_order(findings), tuple(run for _, _, run in done))


def _bound(query: Query, window: Window, overrides: Mapping[str, Mapping[str, Value]] | None) -> Mapping[str, Value]:
    stated = (overrides or {}).get(query.id)
    return bind(query, since=window.since, until=window.until, baseline_until=window.baseline_until, overrides=stated)


def _timed(
    engine: QueryEngine,
    query: Query,
    bound: Mapping[str, Value],
    holdings: Holdings,
    facts: Mapping[str, Fact],
    window: Window,
    clock: Clock,
) -> tuple[Outcome, list[Finding], QueryRun]:
    started = clock()
    outcome, found = _run_one(engine, query, bound, holdings, facts, window.baseline_until)
    took = (clock() - started) // timedelta(milliseconds=1)
    return outcome, found, QueryRun(query, bound, engine.name, took, started.astimezone(UTC).replace(tzinfo=None))


def _run_one(
    engine: QueryEngine,
    query: Query,
    bound: Mapping[str, Value],
    holdings: Holdings,
    facts: Mapping[str, Fact],
    baseline_until: datetime | None,
) -> tuple[Outcome, list[Finding]]:
    searched = holdings.records_searched(query)
    lacking = [facts[name].reason for name in query.needs if not facts[name].holds]
    unable = holdings.why_unsearchable(query) or "; ".join(lacking)
    if unable:
        return _without_rows(query, State.NOT_EVALUABLE, unable, searched), []
    no_baseline = holdings.why_no_baseline(query, baseline_until)
    try:
        rows = engine.run(query.sql, bound)
        findings = group(query, rows, baseline=not no_baseline)
        if not no_baseline and "baseline_until" in bound and holdings.knows_no_habits(query, baseline_until):
            findings = without_regular(findings, holdings.days_searched(query))
    except QueryFault as fault:
        return _without_rows(query, State.FAILED, str(fault), searched), []
    missing = holdings.missing(query)
    notes = [
        f"{_counted(searched, 'record')} searched",
        *([f"not supplied: {', '.join(missing)}"] if missing else []),
    ]
    if not findings:
        state = State.NO_BASELINE if no_baseline else State.CLEAR
        reason = "; ".join([no_baseline or "no record fits", *notes])
        return replace(_without_rows(query, state, reason, searched), rows=rows), []
    state = State.FINDING if any(f.state == State.FINDING for f in findings) else State.NO_BASELINE
    if state == State.NO_BASELINE:
        notes.insert(0, no_baseline or "nothing earlier to compare with")
    elif regular := sum(f.state == State.NO_BASELINE for f in findings):
        notes.insert(0, f"{_counted(regular, 'finding')} without baseline")
    times = [t for f in findings for t in (f.first_seen, f.last_seen) if t is not None]
    keys = tuple(dict.fromkeys(key for f in findings for key in f.event_keys))
    outcome = Outcome(
        query_id=query.id,
        state=state,
        reason="; ".join([f"{_counted(len(findings), 'finding')} from {_counted(len(keys), 'event')}", *notes]),
        severity=max((f.severity for f in findings), key=lambda s: s.rank),
        count=len(keys),
        first_seen=min(times, default=None),
        last_seen=max(times, default=None),
        event_keys=keys,
        records_searched=searched,
        rows=rows,
    )
    return outcome, findings


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _without_rows(query: Query, state: State, reason: str, searched: int) -> Outcome:
    return Outcome(query.id, state, reason, Severity(query.severity), records_searched=searched)


def event_ids(engine: QueryEngine, keys: set[str]) -> dict[str, str]:
    """Return the provider's id of each event that has one."""
    ordered = sorted(keys)
    found: dict[str, str] = {}
    for start in range(0, len(ordered), _BATCH):
        found |= dict(engine.run(_EVENT_IDS, {"keys": ordered[start : start + _BATCH]}).rows)
    return found


def store_rows(result: HuntResult, *, basis: str, first_run_id: int) -> dict[str, list[dict[str, Any]]]:
    """Return the rows to store by table: finding, finding_event, query_run.

    `basis` is the fingerprint of all the result rests on; runs are numbered from `first_run_id`.
    """
    outcomes = {outcome.query_id: outcome for outcome in result.outcomes}
    return {
        "finding": [finding_row(finding) for finding in result.findings],
        "finding_event": list(result.finding_events),
        "query_run": [
            _run_row(run, outcomes[run.query.id], basis, first_run_id + place) for place, run in enumerate(result.runs)
        ],
    }


def _run_row(run: QueryRun, outcome: Outcome, basis: str, run_id: int) -> dict[str, Any]:
    parameters = {name: canonical_value(value) for name, value in sorted(run.parameters.items())}
    return {
        "run_id": run_id,
        "basis": basis,
        "query_id": run.query.id,
        "query_sha256": run.query.sha256,
        "parameters": json.dumps(parameters, ensure_ascii=False, separators=(",", ":")),
        "engine": run.engine,
        "state": str(outcome.state),
        "reason": outcome.reason,
        "row_count": len(outcome.rows.rows) if outcome.rows else 0,
        "records_searched": outcome.records_searched,
        "result_sha256": outcome.rows.sha256 if outcome.rows else None,
        "milliseconds": run.milliseconds,
        "run_at": run.run_at,
    }
