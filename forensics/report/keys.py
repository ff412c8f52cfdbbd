"""View of the keys: their verdicts with reads, reasons, alternatives and rotation, most severe first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from forensics.model.verdict import Abuse, Exposure, headline
from forensics.report import words
from forensics.report.reading import CaseReading, Pointer, Row, read_json, read_time, texts
from forensics.report.words import Mark

#: Reads of one key that are shown; the rest is counted.
READS_SHOWN = 25
#: Records shown of one reason.
POINTERS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Span:
    """An interval of two naive UTC times."""

    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Cost:
    """A cost in units of its currency, what it rests on, and whether it is billed, estimated or assumed."""

    low: Decimal
    mid: Decimal
    high: Decimal
    currency: str
    basis: str
    kind: str = "billed"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an axis says what it says, its independent root, its query and the records behind it."""

    axis: str
    text: str
    root: str
    query_id: str
    query_anchor: str
    records: int
    pointers: tuple[Pointer, ...]


@dataclass(frozen=True, slots=True)
class Alternative:
    """An innocent explanation, whether it could be tested, and what came out."""

    text: str
    tested: bool
    result: str


@dataclass(frozen=True, slots=True)
class Read:
    """One access to the place where a key is stored."""

    time: datetime | None
    access: str
    outcome: str
    actor: str
    credential: str
    address: str
    pointer: Pointer


@dataclass(frozen=True, slots=True)
class Key:
    """A provider key with its verdict. `still_active` is None where the evidence cannot say.

    `as_of` is the horizon of the source `as_of_source`: up to when the evidence can be taken as complete.
    """

    anchor: str
    provider: str
    key_id: str
    customer: str
    kind: str
    hint: str
    location: str
    exposure: str
    exposure_word: str
    abuse: str
    abuse_word: str
    verdict: str
    mark: Mark
    decision: str
    exposed: Span | None
    first_use: Span | None
    cost: Cost | None
    rotated_at: datetime | None
    revoked_at: datetime | None
    still_active: bool | None
    last_use: datetime | None
    as_of: datetime | None
    as_of_source: str
    reasons: tuple[Reason, ...]
    alternatives: tuple[Alternative, ...]
    reads: tuple[Read, ...]
    reads_cut: int
    notes: tuple[str, ...]

    @property
    def at_risk(self) -> bool:
        """Whether the key got out or was misused, so that it must no longer work."""
        return (
            self.exposure in words.READ or self.exposure == "possibly" or self.abuse in {"established", "unexplained"}
        )


def read_keys(case: CaseReading) -> tuple[Key, ...]:
    """Return the keys of the last exposure run, most severe verdict first, then customer, provider and key id."""
    order = {name: place for place, name in enumerate(words.VERDICTS)}
    rows = case.rows("SELECT * FROM verdict")
    rows.sort(
        key=lambda r: (order.get(r["verdict"], len(order)), r["customer"] or "", r["provider"] or "", r["key_id"] or "")
    )
    answers: list[Row] = [read_json(row["answer"], {}) for row in rows]
    evidence = _evidence(case, answers)
    return tuple(_key(case, n, row, a, evidence) for n, (row, a) in enumerate(zip(rows, answers, strict=True), start=1))


def _evidence(case: CaseReading, answers: list[Row]) -> dict[str, str]:
    """Evidence of the first events that each reason names, so that it leads to its records."""
    reasons = [r for a in answers for r in a.get("reasons") or () if isinstance(r, dict)]
    wanted = sorted({key for r in reasons for key in texts(r.get("event_keys"))[:POINTERS_SHOWN]})
    rows = case.rows(
        """SELECT event_key, min(evidence) AS evidence FROM (
             SELECT event_key, evidence FROM activity
             UNION ALL SELECT event_key, evidence FROM ai_cost UNION ALL SELECT event_key, evidence FROM ai_key)
           WHERE event_key IN (SELECT unnest(CAST(? AS VARCHAR[]))) GROUP BY event_key ORDER BY event_key""",
        [wanted],
    )
    return {row["event_key"]: row["evidence"] or "" for row in rows}


def _key(case: CaseReading, n: int, row: Row, a: Row, evidence: dict[str, str]) -> Key:
    reads = a["reads"] if isinstance(a.get("reads"), list) else []
    reads = [r for r in reads if isinstance(r, dict)]
    return Key(
        anchor=f"k-{n}",
        provider=row["provider"] or "",
        key_id=row["key_id"] or "",
        customer=row["customer"] or "",
        kind=_text(a.get("kind")),
        hint=_text(a.get("hint")),
        location=_text(a.get("location")),
        exposure=row["exposure"] or "",
        exposure_word=words.EXPOSURES.get(row["exposure"], row["exposure"] or ""),
        abuse=row["abuse"] or "",
        abuse_word=words.ABUSES.get(row["abuse"], row["abuse"] or ""),
        verdict=row["verdict"] or "",
        mark=words.VERDICTS.get(row["verdict"], words.UNKNOWN),
        decision=_text(a.get("decision")) or "open",
        exposed=_span(a.get("exposed_at")),
        first_use=_span(a.get("first_use_unexplained")),
        cost=read_cost(a.get("excess_cost"), _kind_of_cost(a)),
        rotated_at=read_time(a.get("rotated_at")),
        revoked_at=read_time(a.get("revoked_at")),
        still_active=a["still_active"] if isinstance(a.get("still_active"), bool) else None,
        last_use=read_time(a.get("last_use")),
        as_of=read_time(a.get("as_of")),
        as_of_source=_text(a.get("as_of_source")),
        reasons=tuple(_reason(case, r, evidence) for r in a.get("reasons") or () if isinstance(r, dict)),
        alternatives=tuple(
            Alternative(_text(v.get("text")), v.get("tested") is True, _text(v.get("result")))
            for v in a.get("alternatives") or ()
            if isinstance(v, dict)
        ),
        reads=tuple(_read(case, r) for r in reads[:READS_SHOWN]),
        reads_cut=max(0, len(reads) - READS_SHOWN),
        notes=texts(a.get("notes")),
    )


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else str(value)


def _span(value: Any) -> Span | None:
    if not isinstance(value, dict):
        return None
    span = Span(read_time(value.get("from")), read_time(value.get("to")))
    return span if span.start or span.end else None


def _kind_of_cost(answer: Row) -> str:
    """Return whether the quoted figure is billed or estimated; answers that do not say are billed."""
    first = next(iter(answer.get("costs") or ()), None)
    return _text(first.get("kind")) if isinstance(first, dict) else "billed"


def read_cost(value: Any, kind: str) -> Cost | None:
    """Return a cost from an answer; None for what is none."""
    if not isinstance(value, dict):
        return None
    try:
        low, mid, high = (Decimal(str(value.get(n))) for n in ("low", "mid", "high"))
    except InvalidOperation:
        return None
    if not all(x.is_finite() for x in (low, mid, high)):
        return None
    return Cost(low, mid, high, _text(value.get("currency")), _text(value.get("basis")), kind)


def _reason(case: CaseReading, value: Row, evidence: dict[str, str]) -> Reason:
    keys = texts(value.get("event_keys"))
    pointers = [case.pointer(evidence[k]) for k in keys[:POINTERS_SHOWN] if evidence.get(k)]
    query = _text(value.get("query_id"))
    return Reason(
        _text(value.get("axis")),
        _text(value.get("text")),
        _text(value.get("root")),
        query,
        case.query_anchor(query),
        len(keys),
        tuple(pointers),
    )


def _read(case: CaseReading, value: Row) -> Read:
    return Read(
        read_time(value.get("event_time")),
        words.EXPOSURES.get(_text(value.get("access")), _text(value.get("access"))),
        _text(value.get("outcome")),
        _text(value.get("session_name")) or _text(value.get("actor")),
        _text(value.get("credential_id")),
        _text(value.get("source_ip")),
        case.pointer(_text(value.get("evidence"))),
    )


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """A row of the printed table: an exposure, and the headline it makes with each abuse."""

    exposure: str
    marks: tuple[Mark, ...]


def verdict_table() -> tuple[VerdictRow, ...]:
    """Return the table that makes a headline from both axes, by the very function that makes verdicts."""
    return tuple(
        VerdictRow(words.EXPOSURES[e.value], tuple(words.VERDICTS[headline(e, a).value] for a in Abuse))
        for e in Exposure
    )
