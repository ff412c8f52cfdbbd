"""View of the answer: the headline, the figures and the three sentences, all from the same counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from forensics.model.text import term_safe
from forensics.report import words
from forensics.report.findings import Findings
from forensics.report.gaps import Gaps, gap_sentence
from forensics.report.intruder import Intruder
from forensics.report.keys import Cost, Key
from forensics.report.log_integrity import LogIntegrity
from forensics.report.reading import CaseReading


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the answer: its value in text, what it counts, and the result (query or verdict) it comes from.

    `kind` is the kind of result whose staleness it shares: hunt, exposure or empty.
    """

    value: str
    label: str
    source: str
    anchor: str
    kind: str


@dataclass(frozen=True, slots=True)
class CustomerLine:
    """A customer with its keys' most severe verdict."""

    name: str
    mark: words.Mark
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the report says first."""

    headline: str
    sentences: tuple[str, str, str]
    figures: tuple[Figure, ...]
    customers: tuple[CustomerLine, ...]
    decided: int
    keys: int


def make_answer(
    case: CaseReading,
    keys: tuple[Key, ...],
    findings: Findings,
    intruder: Intruder,
    gaps: Gaps,
    integrity: LogIntegrity,
) -> Answer:
    """Return the answer of the case."""
    headline = _headline(keys, findings)
    sentences = (headline + ".", _path(case, keys, intruder), gap_sentence(gaps, integrity))
    return Answer(
        headline=headline,
        sentences=(term_safe(sentences[0]), term_safe(sentences[1]), term_safe(sentences[2])),
        figures=_figures(case, keys, findings),
        customers=_customers(keys),
        decided=sum(k.decision not in {"open", ""} for k in keys),
        keys=len(keys),
    )


def _of(keys: tuple[Key, ...], *verdicts: str) -> int:
    return sum(k.verdict in verdicts for k in keys)


def _headline(keys: tuple[Key, ...], findings: Findings) -> str:
    established, open_ = _of(keys, "confirmed", "misused_path_not_seen"), _of(keys, "suspicious")
    read = sum(k.exposure in words.READ for k in keys)
    if not keys:
        return words.capital(words.count(findings.total, "finding")) + "; no verdict on a key has been made"
    if established:
        start = (
            f"{words.capital(words.count(established, 'provider key'))} {'was' if established == 1 else 'were'} misused"
        )
        return start + (f"; use of {words.in_words(open_)} more is not explained" if open_ else "")
    if open_:
        return f"No misuse is established; use of {words.count(open_, 'key')} is not explained"
    if read:
        return f"{words.capital(words.count(read, 'provider key'))} {'was' if read == 1 else 'were'} read; the evidence supplied shows no misuse"
    if _of(keys, "not_evaluable"):
        return f"No read and no misuse was seen; {words.count(_of(keys, 'not_evaluable'), 'key')} cannot be judged with this evidence"
    return "No key was read by an intruder and none was misused, as far as the evidence shows"


def _path(case: CaseReading, keys: tuple[Key, ...], intruder: Intruder) -> str:
    read = [k for k in keys if k.exposure in words.READ]
    known = f"{words.in_words(len(read))} of {words.count(len(keys), 'known key')}"
    active = sum(k.at_risk and k.still_active is True for k in keys)
    who = words.count(len(intruder.credentials), "credential")
    if not read:
        text = (
            f"The intruder's {who} read {known}."
            if intruder.credentials
            else "No credential is held to be an intruder's."
        )
    else:
        first = min((k.exposed.start for k in read if k.exposed and k.exposed.start), default=None)
        when = f" from {words.spoken(first)}" if first else ""
        text = f"{words.capital(known)} {'was' if len(read) == 1 else 'were'} read{when}, with {who} held to be the intruder's."
    if active:
        text += f" {words.capital(words.count(active, 'key'))} at risk {'was' if active == 1 else 'were'} still in use as of the horizon of {'its' if active == 1 else 'their'} usage{_as_of(k for k in keys if k.at_risk and k.still_active)}."
    return text


def _as_of(keys: Iterable[Key]) -> str:
    """Return the horizons of keys in words: one time, or the first and the last."""
    ends = sorted({k.as_of for k in keys if k.as_of})
    if not ends:
        return ""
    return f", {words.spoken(ends[0])}" + (f" to {words.spoken(ends[-1])}" if len(ends) > 1 else "")


def _figures(case: CaseReading, keys: tuple[Key, ...], findings: Findings) -> tuple[Figure, ...]:
    out = []
    if keys:
        read = sum(k.exposure in words.READ for k in keys)
        confirmed, open_ = _of(keys, "confirmed", "misused_path_not_seen"), _of(keys, "suspicious")
        out.append(
            Figure(f"{read} of {len(keys)}", "known keys read by the intruder", "verdict: exposure", "keys", "exposure")
        )
        out.append(
            Figure(
                f"{confirmed} · {open_}", "misuse established · suspicious, open", "verdict: abuse", "keys", "exposure"
            )
        )
        out += _cost_figures(keys)
        at_risk = [k for k in keys if k.at_risk]
        active, unknown = sum(k.still_active is True for k in at_risk), sum(k.still_active is None for k in at_risk)
        label = f"of {len(at_risk)} keys at risk still in use as of the horizon of their usage{_as_of(k for k in at_risk if k.still_active is not None)}"
        out.append(
            Figure(
                str(active),
                label + (f"; {unknown} not known" if unknown else ""),
                "verdict: still_active",
                "keys",
                "exposure",
            )
        )
    severe = sum(n for mark, n in findings.severities if mark.word in {"critical", "high"})
    out.append(
        Figure(
            words.number(findings.total),
            f"findings, {severe} of them critical or high",
            "table finding",
            "findings",
            "hunt",
        )
    )
    if case.window:
        first, last = case.window
        days = f"{words.day(first)} to {words.day(last)}"
        stated = case.settings.since and case.settings.until
        out.append(
            Figure(
                f"{words.number(case.hours)} h",
                f"window, {days}",
                "settings: window" if stated else "table activity",
                "method",
                "",
            )
        )
    return tuple(out)


def _cost_figures(keys: tuple[Key, ...]) -> list[Figure]:
    """Excess cost of keys misused or suspicious, one figure a kind and currency: they are never added to each other."""
    groups: dict[tuple[str, str], list[Cost]] = {}
    for key in keys:
        if key.cost and key.verdict in {"confirmed", "misused_path_not_seen", "suspicious"}:
            groups.setdefault((key.cost.kind, key.cost.currency), []).append(key.cost)
    return [
        Figure(
            f"{unit} {words.money(sum((c.low for c in costs), Decimal(0)))} to {words.money(sum((c.high for c in costs), Decimal(0)))}",
            f"excess cost {'as billed' if kind == 'billed' else 'estimated from list prices'}, middle"
            f" {words.money(sum((c.mid for c in costs), Decimal(0)))}, of {words.count(len(costs), 'key')} misused or suspicious",
            "verdict: excess_cost",
            "keys",
            "exposure",
        )
        for (kind, unit), costs in sorted(groups.items())
    ]


def _customers(keys: tuple[Key, ...]) -> tuple[CustomerLine, ...]:
    by_name: dict[str, list[Key]] = {}
    for key in keys:
        by_name.setdefault(key.customer, []).append(key)
    return tuple(CustomerLine(name, members[0].mark, tuple(members)) for name, members in by_name.items())


def assumed_t0(keys: tuple[Key, ...]) -> datetime | None:
    """Return the first exposure of a key, which stands for T0 where none is stated."""
    return min((k.exposed.start for k in keys if k.exposed and k.exposed.start), default=None)
