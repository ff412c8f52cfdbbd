"""View of the key events: one line for what matters, grouped by phase, never the full timeline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from forensics.report.findings import Finding, Findings
from forensics.report.keys import Key, Span
from forensics.report.reading import CaseReading
from forensics.report.words import Mark

#: Lines at most; which findings are left out is said on the page.
LINES = 60

_ENTRY, _LOOK, _POWER, _READ, _HIDE, _TAKE, _USE, _CLOSE = (
    "Entry",
    "Looking around",
    "More access",
    "Reading keys and secrets",
    "Covering tracks",
    "Taking data",
    "Use of models and keys",
    "Detection and response",
)
PHASES = (_ENTRY, _LOOK, _POWER, _READ, _HIDE, _TAKE, _USE, _CLOSE, "Other")
#: ATT&CK technique (v18) to phase; the first technique of a query that is listed here decides.
#: https://attack.mitre.org/versions/v18/matrices/enterprise/cloud/
_TECHNIQUES = {
    "T1078": _ENTRY, "T1110": _ENTRY, "T1199": _ENTRY, "T1535": _HIDE, "T1550": _ENTRY,
    "T1087": _LOOK, "T1526": _LOOK, "T1580": _LOOK, "T1069": _LOOK, "T1619": _LOOK, "T1538": _LOOK, "T1082": _LOOK,
    "T1548": _POWER, "T1098": _POWER, "T1136": _POWER, "T1556": _POWER, "T1484": _POWER,
    "T1552": _READ, "T1555": _READ, "T1528": _READ,
    "T1562": _HIDE, "T1070": _HIDE, "T1578": _HIDE,
    "T1530": _TAKE, "T1537": _TAKE, "T1213": _TAKE,
    "T1496": _USE,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what happened, from when to when, by whom, how many records, and where it is shown in full."""

    start: datetime
    end: datetime | None
    text: str
    subject: str
    records: int
    anchor: str
    label: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Phase:
    """Lines of one phase in order of time."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class KeyEvents:
    """Phases in the order an intrusion takes, and how many findings are left out and why."""

    phases: tuple[Phase, ...]
    lines: int
    left_out: int
    only_tainted: bool


def key_events(case: CaseReading, findings: Findings, keys: tuple[Key, ...]) -> KeyEvents:
    """Return the key events: acts of the intruder where any is known, else all findings; with the case's own dates."""
    candidates = [f for f in findings.shown if f.first is not None and not f.suppressed]
    only_tainted = any(f.tainted for f in candidates)
    chosen = [f for f in candidates if f.tainted or f.query_id.startswith("usage.")] if only_tainted else candidates
    if only_tainted and case.settings.t0:
        chosen = [f for f in chosen if f.last is None or f.last >= case.settings.t0]
    own = _own_dates(case) + _key_dates(keys)
    room = max(0, LINES - len(own))
    lines = own + [(_phase(case, f), _line(f)) for f in chosen[:room]]
    phases = []
    for title in PHASES:
        members = sorted(
            (line for phase, line in lines if phase == title), key=lambda x: (x.start, x.text, x.subject, x.anchor)
        )
        if members:
            phases.append(Phase(title, tuple(members)))
    return KeyEvents(tuple(phases), len(lines), findings.total - len(chosen[:room]), only_tainted)


def _phase(case: CaseReading, finding: Finding) -> str:
    if finding.query_id.startswith("usage."):
        return _USE
    query = case.queries.get(finding.query_id)
    for technique in query.attack if query else ():
        phase = _TECHNIQUES.get(technique.split(".")[0])
        if phase:
            return phase
    return "Other"


def _line(f: Finding) -> Line:
    assert f.first is not None
    who = f.actors[0] if f.actors else ""
    return Line(f.first, f.last if f.last != f.first else None, f.title, who, f.count, f.anchor, f.finding_id, f.mark)


def _own_dates(case: CaseReading) -> list[tuple[str, Line]]:
    s, note = case.settings, Mark("stated", "●", "note")
    dates = (
        (_ENTRY, s.t0, "T0: first act of the intruder, as the settings state"),
        (_CLOSE, s.detected, "Detected, as the settings state"),
        (_CLOSE, s.contained, "Contained, as the settings state"),
    )
    return [(phase, Line(when, None, text, "", 0, "method", "case.toml", note)) for phase, when, text in dates if when]


def _later(span: Span) -> datetime | None:
    return span.end if span.end != span.start else None


def _key_dates(keys: tuple[Key, ...]) -> list[tuple[str, Line]]:
    """First read, first unexplained use, rotation and revocation of keys that got out or were misused."""
    found: list[tuple[str, Line]] = []
    for key in [k for k in keys if k.at_risk][:12]:
        name = key.customer or key.key_id
        if key.exposed and key.exposed.start:
            found.append(
                (
                    _READ,
                    Line(
                        key.exposed.start, _later(key.exposed), "Key exposed", name, 0, key.anchor, "verdict", key.mark
                    ),
                )
            )
        if key.first_use and key.first_use.start:
            text = "First use in question"
            found.append(
                (_USE, Line(key.first_use.start, _later(key.first_use), text, name, 0, key.anchor, "verdict", key.mark))
            )
        for when, text in (
            (key.rotated_at, "Key replaced in the store"),
            (key.revoked_at, "Key revoked at the provider"),
        ):
            if when:
                found.append(
                    (_CLOSE, Line(when, None, text, name, 0, key.anchor, "verdict", Mark("done", "○", "good")))
                )
    return found
