"""Findings: the rows of a detection, grouped into what a person would call one thing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from forensics.model.errors import QueryFault
from forensics.model.evidence_file import FINDING_EVENT
from forensics.model.outcome import CanonicalRows, State
from forensics.model.query import CONFIDENCES, DETECTION_COLUMNS, Query, Severity
from forensics.store.duckdb_engine import canonical_value

#: Later than any time in a log: findings without a time come last among equals.
_NEVER = datetime.fromisoformat("9999-12-31")
_CONTRACT = tuple(name for name, _ in DETECTION_COLUMNS)
#: Columns of a detection that table finding_event has under the same name, in the table's order.
_KEPT = tuple(name for name in FINDING_EVENT.names if name in _CONTRACT)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one query found under one finding_key. Times are naive UTC; `events` are its rows in order.

    `suppression`: number of the suppression that every event fits; see `analysis.suppressions`.
    """

    finding_id: str
    query_id: str
    finding_key: str
    severity: Severity
    confidence: str
    title: str
    first_seen: datetime | None
    last_seen: datetime | None
    actor: str | None
    resource_count: int
    state: State
    event_keys: tuple[str, ...]
    events: tuple[dict[str, Any], ...]
    suppression: int | None = None

    @property
    def event_count(self) -> int:
        """Return the number of distinct events."""
        return len(self.event_keys)


def lowered(severity: Severity) -> Severity:
    """Return the next lower severity; the lowest stays."""
    return list(Severity)[max(severity.rank - 1, 0)]


def finding_digest(query_id: str, finding_key: str) -> str:
    """Return 64 hex digits that stand for a finding: SHA-256 over query id, line feed, finding_key."""
    return sha256(f"{query_id}\n{finding_key}".encode("utf-8", "surrogatepass")).hexdigest()


def group(query: Query, rows: CanonicalRows, *, baseline: bool) -> list[Finding]:
    """Return the findings in the rows of a detection, in the order of their first row.

    Without `baseline` the state of all is no_baseline and their severity low: a first sight where nothing was seen
    before alarms nobody. Where only the rows of one finding say `baseline_state` = none, that finding is no_baseline
    and one step less severe: somebody new among known ones may be the intruder. Raises QueryFault when the rows break the column contract.
    """
    if rows.columns[: len(_CONTRACT)] != _CONTRACT:
        raise QueryFault(f"columns must begin with {', '.join(_CONTRACT)}")
    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in rows.dicts():
        if row["finding_key"] is None or row["event_key"] is None:
            raise QueryFault("a row has no finding_key or no event_key")
        grouped.setdefault(row["finding_key"], []).append(row)
    return [_finding(query, key, found, baseline) for key, found in grouped.items()]


def _finding(query: Query, key: str, rows: list[dict[str, Any]], baseline: bool) -> Finding:
    known = baseline and any(row.get("baseline_state") != "none" for row in rows)
    less = lowered(query.severity) if baseline else min(query.severity, Severity.LOW, key=lambda s: s.rank)
    times = [row["event_time"] for row in rows if row["event_time"] is not None]
    actors = Counter(row["actor"] for row in rows if row["actor"] is not None)
    return Finding(
        finding_id=f"F-{finding_digest(query.id, key)[:8]}",
        query_id=query.id,
        finding_key=key,
        severity=query.severity if known else less,
        confidence=query.confidence,
        title=query.title,
        first_seen=min(times, default=None),
        last_seen=max(times, default=None),
        actor=min(actors, key=lambda a: (-actors[a], a), default=None),
        resource_count=len({row["resource"] for row in rows if row["resource"] is not None}),
        state=State.FINDING if known else State.NO_BASELINE,
        event_keys=tuple(dict.fromkeys(row["event_key"] for row in rows)),
        events=tuple(rows),
    )


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings with the gravest first: severity, confidence, first seen, query, finding_key.

    Findings whose short ids are equal get sixteen digits instead of eight: an id names one finding.
    """
    found = list(findings)
    short = Counter(f.finding_id for f in found)
    told_apart = (
        replace(f, finding_id=f"F-{finding_digest(f.query_id, f.finding_key)[:16]}") if short[f.finding_id] > 1 else f
        for f in found
    )
    return tuple(sorted(told_apart, key=_gravity))


def _gravity(finding: Finding) -> tuple[int, int, datetime, str, str]:
    return (
        -finding.severity.rank,
        -CONFIDENCES.index(finding.confidence),
        finding.first_seen or _NEVER,
        finding.query_id,
        finding.finding_key,
    )


def finding_row(finding: Finding) -> dict[str, Any]:
    """Return the row of table finding."""
    return {
        "finding_id": finding.finding_id,
        "query_id": finding.query_id,
        "finding_key": finding.finding_key,
        "severity": str(finding.severity),
        "confidence": finding.confidence,
        "title": finding.title,
        "first_seen": finding.first_seen,
        "last_seen": finding.last_seen,
        "event_count": finding.event_count,
        "actor": finding.actor,
        "resource_count": finding.resource_count,
        "state": str(finding.state),
        "suppression": finding.suppression,
    }


def finding_event_rows(finding: Finding) -> list[dict[str, Any]]:
    """Return the rows of table finding_event, in the query's order; further columns are JSON in `details`."""
    out = []
    for row in finding.events:
        details = {name: canonical_value(value) for name, value in row.items() if name not in _CONTRACT}
        text = json.dumps(details, ensure_ascii=False, separators=(",", ":"))
        out.append({"finding_id": finding.finding_id, **{name: row[name] for name in _KEPT}, "details": text})
    return out
