"""View of the ledger: every query that ran, with what it searched, how it ended and its text."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.model.query import QueryKind
from forensics.report import words
from forensics.report.reading import CaseReading, Row, read_json
from forensics.report.words import Mark


@dataclass(frozen=True, slots=True)
class Run:
    """The last run of a query. `covered` is whole per cent of the window's hours with a record of its sources."""

    anchor: str
    query_id: str
    title: str
    kind: str
    state: str
    mark: Mark
    reason: str
    rows: int
    records: int | None
    covered: int
    engine: str
    result_sha256: str
    query_sha256: str
    parameters: tuple[tuple[str, str], ...]
    sql: str
    description: str
    misses: str
    same_text: bool


@dataclass(frozen=True, slots=True)
class Ledger:
    """Detections that ran, the queries behind the verdicts, and counts by state."""

    detections: tuple[Run, ...]
    others: tuple[Run, ...]
    states: tuple[tuple[Mark, int], ...]
    engines: tuple[str, ...]

    @property
    def runs(self) -> tuple[Run, ...]:
        """All runs by query id."""
        return tuple(sorted((*self.detections, *self.others), key=lambda run: run.query_id))

    def in_state(self, *states: str) -> tuple[Run, ...]:
        """Return the detections that ended in one of `states`."""
        return tuple(run for run in self.detections if run.state in states)


def read_ledger(case: CaseReading) -> Ledger:
    """Return the newest run of each query."""
    rows = case.rows(
        """SELECT * EXCLUDE (place) FROM (
             SELECT *, row_number() OVER (PARTITION BY query_id ORDER BY run_id DESC) AS place FROM query_run)
           WHERE place = 1 ORDER BY query_id"""
    )
    runs = [_run(case, row) for row in rows]
    detections = [run for run in runs if run.kind != QueryKind.EXPOSURE]
    order = list(words.STATES)
    detections.sort(key=lambda run: (order.index(run.state) if run.state in order else len(order), run.query_id))
    counted = [(mark, sum(run.mark == mark for run in detections)) for mark in (*words.STATES.values(), words.UNKNOWN)]
    return Ledger(
        detections=tuple(detections),
        others=tuple(run for run in runs if run.kind == QueryKind.EXPOSURE),
        states=tuple((mark, n) for mark, n in counted if n),
        engines=tuple(sorted({run.engine for run in runs if run.engine})),
    )


def _run(case: CaseReading, row: Row) -> Run:
    query = case.queries.get(row["query_id"])
    parameters = read_json(row["parameters"], {})
    return Run(
        anchor=case.query_anchor(row["query_id"] or ""),
        query_id=row["query_id"] or "",
        title=query.title if query else "",
        kind=query.kind.value if query else "",
        state=row["state"] or "",
        mark=words.STATES.get(row["state"], words.UNKNOWN),
        reason=row["reason"] or "",
        rows=row["row_count"] or 0,
        records=row["records_searched"],
        covered=_covered(case, query.sources if query else ()),
        engine=row["engine"] or "",
        result_sha256=row["result_sha256"] or "",
        query_sha256=row["query_sha256"] or "",
        parameters=tuple(sorted((str(k), str(v)) for k, v in parameters.items())),
        sql=query.sql.strip() if query else "",
        description=query.description if query else "",
        misses=query.misses if query else "",
        same_text=bool(query and query.sha256 == row["query_sha256"]),
    )


def _covered(case: CaseReading, sources: tuple[str, ...]) -> int:
    hours: set[int] = set()
    for name, found in case.hours_by_source.items():
        if any(name == source or name.startswith(source + "_") for source in sources):
            hours |= found
    return words.share(len(hours), case.hours)
