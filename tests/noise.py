"""`make noise`: what the pack says of the quiet weeks before the sample incident, week by week, and which queries say it.

Each week is judged twice: as if its first day were T0, with the weeks before it as baseline; and alone, in a store that
holds nothing earlier, without T0. Nothing happened in either, so all of medium severity or more is noise.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import duckdb

from forensics.analysis.context import Window, catalogue
from forensics.analysis.finding_groups import FindingGroup, groups_of
from forensics.analysis.findings import Finding
from forensics.analysis.hunt import HuntResult, run_hunt
from forensics.analysis.refresh import load_case_values
from forensics.ingest.run import IngestOptions, ingest
from forensics.model.outcome import State
from forensics.model.query import Severity
from forensics.store.case_folder import CaseFolder
from forensics.store.duckdb_engine import DuckDBEngine
from forensics.store.schema import TABLES, statements
from tests.building import clock, new_case
from tests.paths import REPOSITORY

WEEK = timedelta(days=7)
#: Tables of what happened, by the column that says when. Inventories and settings of the case stay whole.
_TIMED = {
    "aws_event": "event_time",
    "ai_usage": "bucket_start",
    "ai_request": "event_time",
    "ai_cost": "period_start",
    "ai_audit_event": "event_time",
    "vault_event": "event_time",
    "api_access": "event_time",
    "other_event": "event_time",
}
_OF_EVENTS = ("aws_event_item", "credential")


@dataclass(frozen=True, slots=True)
class Week:
    """A quiet week, `number` weeks before the incident: its events and what a hunt said. `alone`: nothing lies before it."""

    number: int
    alone: bool
    events: int
    result: HuntResult

    def grave(self, lowest: Severity = Severity.MEDIUM) -> list[Finding]:
        """Return the findings of at least this severity."""
        return [f for f in self.result.findings if f.severity.rank >= lowest.rank]

    def groups(self, lowest: Severity = Severity.MEDIUM) -> tuple[FindingGroup, ...]:
        """Return the groups of these findings, as `hunt` shows them: by query, principal and resource."""
        return groups_of(self.grave(lowest))

    def failed(self) -> list[str]:
        """Return the queries that did not run."""
        return [o.query_id for o in self.result.outcomes if o.state == State.FAILED]


def week_of(case: CaseFolder, number: int, *, alone: bool) -> Week:
    """Hunt over one quiet week of the sample case."""
    t0 = case.settings().t0
    if t0 is None:
        raise ValueError("the case states no T0")
    start = t0 - timedelta(days=1) - number * WEEK
    window = Window(start, start + WEEK, None if alone else start - timedelta(days=1), stated=True, assumed_t0=alone)
    connection = _only(case, window) if alone else case.reader()
    try:
        result = run_hunt(DuckDBEngine(connection), catalogue(), window, clock)
        sql = "SELECT count(*) FROM aws_event WHERE event_time >= $1 AND event_time < $2"
        events = connection.execute(sql, [window.since, window.until]).fetchall()[0][0]
    finally:
        connection.close()
    return Week(number, alone, events, result)


def _only(case: CaseFolder, window: Window) -> duckdb.DuckDBPyConnection:
    """Return a store in memory with what lies in the window and nothing else of what happened."""
    connection = duckdb.connect(":memory:")
    for statement in statements():
        connection.execute(statement)
    connection.execute(f"ATTACH '{case.store_path}' AS whole (READ_ONLY)")
    for table in sorted(TABLES, key=lambda t: t in _OF_EVENTS):
        limit = ""
        if table in _TIMED:
            limit = (
                f"WHERE {_TIMED[table]} >= TIMESTAMP '{window.since}' AND {_TIMED[table]} < TIMESTAMP '{window.until}'"
            )
        elif table in _OF_EVENTS:
            limit = "WHERE event_key IN (SELECT event_key FROM aws_event)"
        stored = ", ".join(TABLES[table].stored)
        connection.execute(f"INSERT INTO {table} BY NAME SELECT {stored} FROM whole.{table} {limit}")
    return connection


def table(weeks: list[Week]) -> Iterator[str]:
    """Yield the lines of the table and of the noisiest queries."""
    yield "| quiet week before the incident | earlier weeks | events | medium or more | a thousand events | groups | groups of high or more | low |"
    yield "|---|---|---|---|---|---|---|---|"
    for week in weeks:
        grave, low = week.grave(), len(week.grave(Severity.LOW)) - len(week.grave())
        thousandths = 10_000 * len(grave) // max(week.events, 1)
        yield (
            f"| {week.number} | {'none, no T0' if week.alone else 'baseline'} | {week.events:,} | {len(grave)}"
            f" | {thousandths // 10}.{thousandths % 10} | {len(week.groups())} | {len(week.groups(Severity.HIGH))} | {low} |"
        )
    yield ""
    yield "Noisiest queries, findings of any severity over all these weeks:"
    yield ""
    yield "| query | with earlier weeks | alone | gravest |"
    yield "|---|---|---|---|"
    counts: Counter[str] = Counter(f.query_id for w in weeks for f in w.result.findings)
    for query, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:10]:
        found = [(w.alone, f.severity) for w in weeks for f in w.result.findings if f.query_id == query]
        gravest = max((s for _, s in found), key=lambda s: s.rank)
        yield f"| `{query}` | {sum(not a for a, _ in found)} | {sum(a for a, _ in found)} | {gravest} |"


def main() -> None:
    """Print the tables over the sample incident."""
    sample = REPOSITORY / "sample_logs"
    with tempfile.TemporaryDirectory() as name:
        case = new_case(Path(name), (sample / "case.toml").read_bytes())
        ingest(case, [sample], IngestOptions(copy=False))
        load_case_values(case)
        weeks = [week_of(case, number, alone=alone) for alone in (False, True) for number in (1, 2, 3, 4)]
    sys.stdout.write("\n".join(table(weeks)) + "\n")


if __name__ == "__main__":
    main()
