"""The life of a key: made, stored, read, used, rotated, revoked, last seen; each with its basis and its record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from forensics.analysis.coverage import Coverage
from forensics.analysis.facts import Facts, Row
from forensics.analysis.inventory.aliases import Listed
from forensics.analysis.inventory.kinds import Judged
from forensics.analysis.inventory.rotation import Check, is_over
from forensics.analysis.inventory.versions import Statement
from forensics.analysis.keys import Key

#: Steps of a life in the order in which they come, for events of one time.
STEPS = ("made", "stored", "read", "used", "rotated", "revoked")
_LIST = "provider list"


@dataclass(frozen=True, slots=True)
class LifeEvent:
    """One step. `basis` is stated, store log, provider log, provider list or usage; `end` bounds a bucket or a row of acts."""

    step: str
    start: datetime
    end: datetime
    basis: str
    text: str
    event_key: str = ""
    query_id: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it for `keys --json`."""
        return {
            "step": self.step, "from": self.start, "to": self.end, "basis": self.basis, "text": self.text,
            "event_key": self.event_key, "query_id": self.query_id,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Horizon:
    """Until when a source can say anything of a key; None when it was not supplied."""

    source: str
    until: datetime | None


@dataclass(slots=True)
class Life:
    """Everything known of one key. `aliases` are (kind, value, basis)."""

    key: Key
    statement: Statement | None
    judged: Judged
    answer: Row
    aliases: tuple[tuple[str, str, str], ...]
    events: list[LifeEvent]
    horizons: tuple[Horizon, ...]
    rotation: Check
    made_with: list[Row] = field(default_factory=list)

    def first(self, step: str) -> LifeEvent | None:
        """Return the first event of a step."""
        return next((e for e in self.events if e.step == step), None)

    @property
    def last_seen(self) -> LifeEvent | None:
        """Return the last use that was counted."""
        return max((e for e in self.events if e.step == "used"), key=lambda e: e.end, default=None)

    def as_json(self) -> dict[str, Any]:
        """Return the key's object of `keys --json`."""
        s, last = self.statement, self.last_seen
        return {
            "provider": self.key.provider, "key_id": self.key.key_id, "customer": self.key.customer,
            "basis": self.key.basis, "kind": self.judged.kind.id, "kind_basis": self.judged.basis,
            "kind_title": self.judged.kind.title, "consequence": self.judged.kind.consequence, "action": self.judged.kind.action,
            "location": f"{self.key.location_kind}:{self.key.location_region}:{self.key.location}" if self.key.location else "",
            "stated_in": s.version if s else None, "stated_by": s.author if s else "", "stated_as_of": s.stated_at if s else None,
            "resolved_by": s.resolved_by if s else "", "candidates": list(s.candidates) if s else [],
            "aliases": [{"kind": kind, "value": value, "basis": basis} for kind, value, basis in self.aliases],
            "exposure": self.answer["exposure"], "abuse": self.answer["abuse"], "verdict": str(self.answer["verdict"]),
            "events": [e.as_json() for e in self.events],
            "last_seen": last.end if last else None,
            "horizons": [{"source": h.source, "until": h.until} for h in self.horizons],
            "rotation": self.rotation.as_json(), "made_with": self.made_with,
        }  # fmt: skip


def aliases_of(key: Key, statements: Iterable[Statement], listed: Listed | None) -> tuple[tuple[str, str, str], ...]:
    """Return every name by which versions of the inventory and the provider's list know a key, sorted."""
    found: set[tuple[str, str, str]] = set()
    for s in statements:
        found |= {
            (kind, value, "inventory")
            for kind, value in (
                ("id", s.key_id), ("name", s.key_name), ("hint", s.hint), ("sha256", s.sha256), ("place", s.place_text),
                ("arn", s.location_raw if s.location_raw.startswith("arn:") else ""),
            )
            if value
        }  # fmt: skip
    if listed is not None:
        pairs = (("id", listed.key_id), ("name", listed.key_name), ("hint", listed.hint), ("sha256", listed.sha256))
        found |= {(kind, value, _LIST) for kind, value in pairs if value}
    if not found:
        found.add(("place" if key.basis == "secret_name" else "id", key.key_id, key.basis))
    return tuple(sorted(found))


def events_of(
    key: Key,
    answer: Row,
    history: Iterable[Row],
    acts: Iterable[Row],
    use: Iterable[Row],
    listed: Listed | None,
    facts: Facts,
) -> list[LifeEvent]:
    """Return the steps of a key in order. `history` is of its place, `acts` name it, `use` is of it."""
    events = [*_stated(key), *_stored(history, facts), *_reads(answer), *_acts(key, acts), *_used(use)]
    if listed is not None:
        events += _listed(listed)
    return sorted(events, key=lambda e: (e.start, STEPS.index(e.step), e.end, e.basis, e.text, e.event_key))


def _stated(key: Key) -> list[LifeEvent]:
    stated = (("made", key.created_at), ("rotated", key.rotated_at), ("revoked", key.revoked_at))
    return [
        LifeEvent(step, when, when, "stated", f"{step} as the inventory states it", key.event_key)
        for step, when in stated
        if when is not None
    ]


_CHANGES = {
    "made": ("stored", "its place was made"),
    "new_value": ("rotated", "a new value was stored in its place"),
    "maybe_new_value": ("rotated", "its place was changed; the log does not tell whether the value was"),
    "removed": ("rotated", "its place was removed"),
}


def _stored(history: Iterable[Row], facts: Facts) -> list[LifeEvent]:
    out = []
    for row in history:
        step, text = _CHANGES[row["change"]]
        who = row["session_name"] or row["actor"] or "an unnamed principal"
        by = " (held to be the intruder)" if row["event_key"] in facts.suspects else ""
        words = f"{text}: {row['action']} by {who}{by}"
        when = row["event_time"]
        out.append(LifeEvent(step, when, when, "store log", words, row["event_key"], "exposure.place_history"))
    return out


def _reads(answer: Row) -> list[LifeEvent]:
    reads = [r for r in answer["reads"] if r["outcome"] == "success"]
    if not reads:
        return []
    low, high = min(r["event_time"] for r in reads), max(r["event_time"] for r in reads)
    who = sorted({r["session_name"] or r["actor"] or "an unnamed principal" for r in reads})
    count = "once" if len(reads) == 1 else f"{len(reads)} times"
    text = f"read {count} by {', '.join(who[:3])}" + (f" and {len(who) - 3} more" if len(who) > 3 else "")
    return [LifeEvent("read", low, high, "store log", text, reads[0]["event_key"], "exposure.location_reads")]


def _acts(key: Key, acts: Iterable[Row]) -> list[LifeEvent]:
    out = []
    for act in acts:
        if act["target_key_id"] != key.key_id or act["outcome"] == "failure":
            continue
        making = act["act"].endswith("created")
        if not making and not act["ends"]:
            continue
        who = act["actor_email"] or act["actor_key_id"] or "somebody the log does not name"
        text = f"{act['action']} by {who}" + (f" from {act['source_ip']}" if act["source_ip"] else "")
        step, when = "made" if making else "revoked", act["event_time"]
        out.append(LifeEvent(step, when, when, "provider log", text, act["event_key"], "exposure.provider_acts"))
    return out


def _used(use: Iterable[Row]) -> list[LifeEvent]:
    out = []
    for row in use:
        text = "single requests" if row["source"] == "requests" else "usage counted by the provider"
        for which in ("first", "last"):
            start, end = row[f"{which}_from"], row[f"{which}_to"]
            out.append(
                LifeEvent("used", start, end, "usage", f"{which} of {text}", row["event_key"], "exposure.key_use")
            )
    return out


def _listed(listed: Listed) -> list[LifeEvent]:
    out = []
    if listed.created_at:
        out.append(
            LifeEvent(
                "made", listed.created_at, listed.created_at, _LIST, "made as the provider lists it", listed.event_key
            )
        )
    if listed.last_used_at:
        out.append(
            LifeEvent(
                "used",
                listed.last_used_at,
                listed.last_used_at,
                _LIST,
                "last use as the provider lists it",
                listed.event_key,
            )
        )
    if is_over(listed) and listed.received_at:
        text = f"{listed.status} in the provider's list of that time"
        out.append(LifeEvent("revoked", listed.received_at, listed.received_at, _LIST, text, listed.event_key))
    return out


def horizons_of(key: Key, coverage: Coverage) -> tuple[Horizon, ...]:
    """Return until when usage, audit and the store's log can say anything of a key: the last complete hour of each."""
    whose = {key.customer, ""} if key.customer else None
    out = []
    for kind in ("usage", "audit"):
        ends = [
            s.horizon for s in coverage.streams
            if s.kind == kind and s.what == key.provider and s.horizon and (whose is None or s.who in whose)
        ]  # fmt: skip
        out.append(Horizon(kind, max(ends, default=None)))
    trails = [
        s.horizon for s in coverage.streams
        if s.kind == "cloudtrail" and s.horizon and (not key.location_region or s.what == key.location_region)
    ]  # fmt: skip
    # Of several accounts the earliest end counts: which of them holds the place is not known.
    out.append(Horizon("store", min(trails, default=None)))
    return tuple(out)
