"""View of the key inventory: its versions, whether each key still works, what it leaves open, and the lives of keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from forensics.analysis.inventory.remarks import TITLES
from forensics.report import words
from forensics.report.reading import CaseReading, Row, read_json, read_time, texts
from forensics.report.words import Mark

#: Rows shown at most: of keys, of remarks of one kind, of moves, of steps of one life.
KEYS_SHOWN, REMARKS_SHOWN, MOVES_SHOWN, STEPS_SHOWN = 300, 100, 200, 20

_STATES: dict[str, Mark] = {
    "not_effective": Mark("not effective", "■", "bad", "rotated or revoked, and yet not safe"),
    "not_done": Mark("not done", "▲", "bad", "it got out, and nothing shows that it was replaced or revoked"),
    "unproven": Mark(
        "not proven", "◐", "warn", "done by the store's log or by statement; no log of the provider shows it"
    ),
    "not_evaluable": Mark("not evaluable", "?", "dim", "the evidence cannot say"),
    "effective": Mark("effective", "◇", "good", "the provider shows its end, after the intruder lost access"),
    "not_needed": Mark("not needed", "○", "good", "neither exposure nor misuse was seen"),
}


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version of the inventory."""

    number: int
    exhibit: str
    author: str
    as_of: datetime | None
    basis: str
    rows: int


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a key's life."""

    start: datetime | None
    end: datetime | None
    step: str
    basis: str
    text: str


@dataclass(frozen=True, slots=True)
class Made:
    """What an exposed key made at the provider."""

    target: str
    action: str
    at: datetime | None
    by_key: str
    revoked_at: datetime | None
    last_use: datetime | None


@dataclass(frozen=True, slots=True)
class LifeLine:
    """A key with its rotation check. `late` and `late_revoked` are times from exposure in words, "" where unknown."""

    provider: str
    key_id: str
    customer: str
    kind: str
    consequence: str
    action: str
    mark: Mark
    why: tuple[str, ...]
    rotated_at: datetime | None
    rotated_basis: str
    revoked_at: datetime | None
    revoked_basis: str
    late_rotated: str
    late_revoked: str
    last_seen: datetime | None
    horizons: tuple[tuple[str, datetime | None], ...]
    names: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]
    steps_cut: int
    made: tuple[Made, ...]


@dataclass(frozen=True, slots=True)
class RemarkGroup:
    """Remarks of one kind: (provider, keys, customers, text)."""

    title: str
    lines: tuple[tuple[str, str, str, str], ...]
    cut: int


@dataclass(frozen=True, slots=True)
class MoveLine:
    """A verdict that a version moved; empty text where the key was not known."""

    version: int
    provider: str
    key_id: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """The whole section."""

    versions: tuple[VersionLine, ...]
    lives: tuple[LifeLine, ...]
    lives_cut: int
    tally: tuple[tuple[Mark, int], ...]
    remarks: tuple[RemarkGroup, ...]
    moves: tuple[MoveLine, ...]
    moves_cut: int


def read_inventory(case: CaseReading) -> Inventory:
    """Return what the last exposure run found of the inventory, the keys that are least safe first."""
    found: dict[str, list[Row]] = {"version": [], "life": [], "remark": [], "move": []}
    for row in case.rows("SELECT kind, body FROM key_book ORDER BY kind, place, body"):
        found.setdefault(row["kind"] or "", []).append(read_json(row["body"], {}))
    order = list(_STATES)
    lives = [_life(row) for row in found["life"]]
    ranks = {mark: n for n, mark in enumerate(_STATES.values())}
    lives.sort(key=lambda x: (ranks.get(x.mark, len(order)), x.customer, x.provider, x.key_id))
    moves = [_move(row) for row in found["move"]]
    return Inventory(
        tuple(_version(row) for row in found["version"]),
        tuple(lives[:KEYS_SHOWN]),
        max(0, len(lives) - KEYS_SHOWN),
        tuple((mark, sum(1 for x in lives if x.mark == mark)) for mark in _STATES.values()),
        tuple(group for group in (_group(kind, found["remark"]) for kind in TITLES) if group.lines),
        tuple(moves[:MOVES_SHOWN]),
        max(0, len(moves) - MOVES_SHOWN),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _objects(value: Any) -> list[Row]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _version(row: Row) -> VersionLine:
    return VersionLine(
        _whole(row.get("number")), _text(row.get("exhibit")), _text(row.get("author")), read_time(row.get("as_of")),
        _text(row.get("as_of_basis")), _whole(row.get("rows")),
    )  # fmt: skip


def _life(row: Row) -> LifeLine:
    check = row["rotation"] if isinstance(row.get("rotation"), dict) else {}
    late = check["latency_seconds"] if isinstance(check.get("latency_seconds"), dict) else {}
    steps = [
        Step(read_time(e.get("from")), read_time(e.get("to")), _text(e.get("step")), _text(e.get("basis")), _text(e.get("text")))
        for e in _objects(row.get("events"))
    ]  # fmt: skip
    return LifeLine(
        _text(row.get("provider")), _text(row.get("key_id")), _text(row.get("customer")), _text(row.get("kind_title")),
        _text(row.get("consequence")), _text(row.get("action")), _STATES.get(_text(check.get("state")), words.UNKNOWN),
        texts(check.get("why")), read_time(check.get("rotated_at")), _text(check.get("rotated_basis")),
        read_time(check.get("revoked_at")), _text(check.get("revoked_basis")), duration(late.get("exposed_to_rotated")),
        duration(late.get("exposed_to_revoked")), read_time(row.get("last_seen")),
        tuple((_text(h.get("source")), read_time(h.get("until"))) for h in _objects(row.get("horizons"))),
        tuple((_text(a.get("kind")), _text(a.get("value"))) for a in _objects(row.get("aliases"))),
        tuple(steps[:STEPS_SHOWN]), max(0, len(steps) - STEPS_SHOWN),
        tuple(_made(m) for m in _objects(row.get("made_with"))),
    )  # fmt: skip


def _made(row: Row) -> Made:
    return Made(
        _text(row.get("target")), _text(row.get("action")), read_time(row.get("at")), _text(row.get("by_key")),
        read_time(row.get("revoked_at")), read_time(row.get("last_use")),
    )  # fmt: skip


def duration(seconds: Any) -> str:
    """Return whole seconds in words, `9 h 54 min` or `2 days 3 h`; "" for none and for a time that runs backwards."""
    if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < 0:
        return ""
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min"
    return f"{hours // 24} days {hours % 24} h"


def _group(kind: str, rows: list[Row]) -> RemarkGroup:
    mine = [r for r in rows if r.get("kind") == kind]
    lines = [
        (_text(r.get("provider")), ", ".join(texts(r.get("keys"))), ", ".join(texts(r.get("customers"))), _text(r.get("text")))
        for r in mine
    ]  # fmt: skip
    return RemarkGroup(TITLES[kind], tuple(lines[:REMARKS_SHOWN]), max(0, len(lines) - REMARKS_SHOWN))


def _move(row: Row) -> MoveLine:
    return MoveLine(
        _whole(row.get("version")), _text(row.get("provider")), _text(row.get("key_id")), _side(row.get("before")), _side(row.get("after")),
    )  # fmt: skip


def _side(side: Any) -> str:
    if not isinstance(side, dict):
        return ""
    verdict = words.VERDICTS.get(_text(side.get("verdict")), words.UNKNOWN).word
    place = _text(side.get("location"))
    return f"{_text(side.get('customer')) or 'no customer'}: {verdict}" + (f", at {place}" if place else "")
