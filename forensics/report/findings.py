"""View of the findings: the most severe first, each with its records, its query and its innocent explanations."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from forensics.analysis.credentials.chains import SEPARATOR
from forensics.report import words
from forensics.report.charts.svg import clipped
from forensics.report.reading import CaseReading, Pointer, Row, read_json
from forensics.report.words import Mark

#: Records shown of one finding; findings shown in full; findings listed beyond those.
EVENTS_SHOWN = 50
FINDINGS_SHOWN = 150
LISTED = 1_000
_DETAILS_SHOWN = 4
#: Chains of credentials shown of one finding.
CHAINS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Event:
    """A record behind a finding."""

    time: datetime | None
    actor: str
    action: str
    resource: str
    address: str
    credential: str
    place: str
    outcome: str
    details: tuple[tuple[str, str], ...]
    pointer: Pointer


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding with at most `EVENTS_SHOWN` records and the count of the rest."""

    anchor: str
    finding_id: str
    title: str
    mark: Mark
    confidence: str
    state: str
    query_id: str
    query_anchor: str
    subject: str
    first: datetime | None
    last: datetime | None
    count: int
    rows: int
    actors: tuple[str, ...]
    credentials: tuple[str, ...]
    chains: tuple[tuple[tuple[str, ...], str], ...]
    addresses: tuple[str, ...]
    resources: tuple[str, ...]
    resource_count: int
    tainted: bool
    integrity: str
    suppressed: str
    events: tuple[Event, ...]
    cut: int
    description: str
    false_positives: tuple[str, ...]
    next_steps: tuple[str, ...]
    attack: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """Findings in full, those only listed, and counts by severity; `groups` of those not suppressed, as `hunt` shows them."""

    shown: tuple[Finding, ...]
    listed: tuple[Finding, ...]
    cut: int
    total: int
    groups: int
    suppressed: int
    severities: tuple[tuple[Mark, int], ...]


_ORDER = """
SELECT f.*, s.reason AS suppressed_for, s.decided_by AS suppressed_by, row_number() OVER (
  ORDER BY CASE WHEN f.suppression IS NULL THEN 0 ELSE 1 END, CASE severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 WHEN 'low' THEN 3 ELSE 4 END,
           CASE WHEN f.state = 'no_baseline' THEN 1 ELSE 0 END,
           CASE confidence WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 2 END,
           first_seen NULLS LAST, query_id, finding_key, finding_id) AS place
FROM finding f LEFT JOIN suppression s ON s.number = f.suppression ORDER BY place
"""
_GROUPS = "SELECT count(*) AS n FROM finding_group WHERE suppression IS NULL"
_EVENTS = """
SELECT * FROM (
  SELECT e.*, row_number() OVER (PARTITION BY finding_id ORDER BY event_time NULLS LAST, event_key, action, resource, details) AS place
  FROM finding_event e)
WHERE place <= ? ORDER BY finding_id, place
"""
_ROWS = """
SELECT finding_id, count(*) AS n,
       bool_or(credential_id IN (SELECT value FROM tainted WHERE kind = 'credential')
            OR source_ip IN (SELECT value FROM tainted WHERE kind = 'address')
            OR actor IN (SELECT value FROM tainted WHERE kind = 'principal')) AS tainted
FROM finding_event GROUP BY finding_id ORDER BY finding_id
"""
_INTEGRITY = """
SELECT e.finding_id, count(DISTINCT i.event_key) AS judged,
       count(DISTINCT i.event_key) FILTER (i.integrity = 'signed') AS signed,
       count(DISTINCT i.event_key) FILTER (i.in_failed_file) AS failed
FROM finding_event AS e JOIN event_integrity AS i ON i.event_key = e.event_key
GROUP BY e.finding_id ORDER BY e.finding_id
"""
_CHAINS = """
SELECT * FROM (
  SELECT c.*, row_number() OVER (PARTITION BY finding_id ORDER BY events DESC, credential_id) AS place FROM finding_chain c)
WHERE place <= ? ORDER BY finding_id, place
"""


def read_findings(case: CaseReading) -> Findings:
    """Return the findings of the last hunt."""
    rows = case.rows(_ORDER)
    events: dict[str, list[Row]] = {}
    for event in case.rows(_EVENTS, [EVENTS_SHOWN]):
        events.setdefault(event["finding_id"], []).append(event)
    counted = {row["finding_id"]: row for row in case.rows(_ROWS)}
    for row in case.rows(_CHAINS, [CHAINS_SHOWN]):
        one = (tuple((row["chain"] or "").split(SEPARATOR)), row["confidence"] or "")
        counted.setdefault(row["finding_id"], {}).setdefault("chains", []).append(one)
    for row in case.rows(_INTEGRITY):
        counted.setdefault(row["finding_id"], {}).update(row)
    found = [
        _finding(case, n, row, events.get(row["finding_id"], []), counted.get(row["finding_id"], {}))
        for n, row in enumerate(rows, start=1)
    ]
    tally = Counter(f.mark for f in found if not f.suppressed)
    marks = (*words.SEVERITIES.values(), words.UNKNOWN)
    return Findings(
        shown=tuple(found[:FINDINGS_SHOWN]),
        listed=tuple(found[FINDINGS_SHOWN : FINDINGS_SHOWN + LISTED]),
        cut=max(0, len(found) - FINDINGS_SHOWN - LISTED),
        total=sum(not f.suppressed for f in found),
        groups=case.rows(_GROUPS)[0]["n"],
        suppressed=sum(bool(f.suppressed) for f in found),
        severities=tuple((mark, tally[mark]) for mark in marks if tally[mark]),
    )


def _finding(case: CaseReading, n: int, row: Row, events: list[Row], counted: Row) -> Finding:
    query = case.queries.get(row["query_id"])
    rows = counted.get("n", 0)
    return Finding(
        anchor=f"f-{n}",
        finding_id=row["finding_id"] or "",
        title=row["title"] or "",
        mark=words.SEVERITIES.get(row["severity"], words.UNKNOWN),
        confidence=row["confidence"] or "",
        state=row["state"] or "",
        query_id=row["query_id"] or "",
        query_anchor=case.query_anchor(row["query_id"] or ""),
        subject=" · ".join((row["finding_key"] or "").split("|")),
        first=row["first_seen"],
        last=row["last_seen"],
        count=row["event_count"] or 0,
        rows=rows,
        actors=_distinct(events, "actor"),
        credentials=_distinct(events, "credential_id"),
        chains=tuple(counted.get("chains", ())),
        addresses=_distinct(events, "source_ip"),
        resources=_distinct(events, "resource"),
        resource_count=row["resource_count"] or 0,
        tainted=bool(counted.get("tainted")),
        integrity=_integrity(counted),
        suppressed=_suppressed(row),
        events=tuple(_event(case, e) for e in events),
        cut=max(0, rows - len(events)),
        description=query.description if query else "",
        false_positives=query.false_positives if query else (),
        next_steps=query.next_steps if query else (),
        attack=query.attack if query else (),
    )


def _suppressed(row: Row) -> str:
    """Say why and by whom a finding is suppressed; "" when it is not."""
    if row["suppression"] is None:
        return ""
    return f"{row['suppressed_for'] or 'no reason is kept'}, says {row['suppressed_by'] or 'nobody named'}"


def _integrity(counted: Row) -> str:
    """Say what the digests prove of the events behind a finding; "" when that was not checked."""
    judged, signed, failed = (counted.get(name) or 0 for name in ("judged", "signed", "failed"))
    if not judged:
        return ""
    if failed:
        return f"{failed} of {words.count(judged, 'event')} stand in a log file that failed its check"
    return f"{signed} of {words.count(judged, 'event')} signed"


def _distinct(events: list[Row], name: str, limit: int = 6) -> tuple[str, ...]:
    """Return the most frequent values of a column, ties by text."""
    tally = Counter(e[name] for e in events if e[name])
    return tuple(sorted(sorted(tally), key=lambda v: -tally[v])[:limit])


def _event(case: CaseReading, row: Row) -> Event:
    details = read_json(row["details"], {})
    shown = [(str(k), clipped(str(v), 80)) for k, v in sorted(details.items()) if v not in (None, "")]
    return Event(
        time=row["event_time"],
        actor=row["actor"] or "",
        action=row["action"] or "",
        resource=row["resource"] or "",
        address=row["source_ip"] or "",
        credential=row["credential_id"] or "",
        place=" ".join(p for p in (row["account_id"], row["region"]) if p),
        outcome=row["outcome"] or "",
        details=tuple(shown[:_DETAILS_SHOWN]),
        pointer=case.pointer(row["evidence"]),
    )
