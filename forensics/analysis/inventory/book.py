"""The key book of a case: versions of the inventory, the life of every key with its rotation check, remarks, moves."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from forensics.analysis.coverage import Coverage
from forensics.analysis.facts import Facts, Row
from forensics.analysis.inventory import corrections, remarks
from forensics.analysis.inventory.aliases import Listed
from forensics.analysis.inventory.corrections import Move
from forensics.analysis.inventory.in_use import Seen, missing
from forensics.analysis.inventory.kinds import Judged, judge_kind, of_form
from forensics.analysis.inventory.life import Life, aliases_of, events_of, horizons_of
from forensics.analysis.inventory.register import Register
from forensics.analysis.inventory.remarks import Remark
from forensics.analysis.inventory.rotation import Access, Subject, access_of, check
from forensics.analysis.inventory.stated_times import Known, after_mass_rotation, after_reads, contradicted
from forensics.analysis.inventory.versions import Statement, Version
from forensics.analysis.keys import Key
from forensics.analysis.misuse.links import ends_key
from forensics.analysis.policy import Policy
from forensics.analysis.usage import owned, preferred, series_of
from forensics.model.verdict import SEEN, Abuse

#: Acts at a provider that leave something behind which outlives the key that did them.
_MAKES = re.compile(
    r".*(api_key|service_account|service_key|invite|user|federation_rule|federation_issuer)_(created|sent|added)"
)
_EARLIEST = datetime.fromisoformat("1970-01-01T00:00:00")
_ACTIVE = frozenset({"active", "enabled"})


@dataclass(slots=True)
class Book:
    """What is known of the keys of a case, each list in a total order."""

    versions: tuple[Version, ...] = ()
    lives: list[Life] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the shape of `keys --json`."""
        return {
            "versions": [asdict(v) for v in self.versions],
            "keys": [life.as_json() for life in self.lives],
            "remarks": [r.as_json() for r in self.remarks],
            "moves": [m.as_json() for m in self.moves],
        }

    def rows(self, dump: Callable[[object], str]) -> list[Row]:
        """Return rows of table key_book; `dump` writes an object as JSON text."""
        out = []
        names = {"versions": "version", "keys": "life", "remarks": "remark", "moves": "move"}
        for name, bodies in self.as_json().items():
            for place, body in enumerate(bodies, start=1):
                first = (body.get("keys") or [""])[0]
                customer = body.get("customer") or (body.get("customers") or [""])[0]
                out.append(
                    {
                        "kind": names[name], "place": place, "provider": body.get("provider", ""),
                        "key_id": body.get("key_id", first), "customer": customer, "body": dump(body),
                    }
                )  # fmt: skip
        return out


@dataclass(frozen=True, slots=True)
class Ground:
    """What a book is made of. `history` and `use` are rows of exposure.place_history and exposure.key_use."""

    register: Register
    keys: Sequence[Key]
    answers: Sequence[Row]
    facts: Facts
    coverage: Coverage
    seen: Sequence[Seen]
    history: Sequence[Row]
    use: Sequence[Row]
    policy: Policy


class _Index:
    """Rows by the key or place they are about."""

    def __init__(self, ground: Ground) -> None:
        self.history: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in ground.history:
            self.history[row["location_kind"], row["location"]].append(row)
        self.use: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in ground.use:
            self.use[row["provider"], row["key_id"]].append(row)
        self.targets: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
        self.actors: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
        for act in ground.facts.acts:
            # Some exporters write underscores for dots.
            row = {**act, "act": act["action"].replace(".", "_"), "ends": ends_key(act)}
            if row["target_key_id"]:
                self.targets[row["provider"], row["target_key_id"]].append(row)
            if row["actor_key_id"] and row["outcome"] != "failure":
                self.actors[row["provider"], row["actor_key_id"]].append(row)
        self.lists: defaultdict[tuple[str, str], list[Listed]] = defaultdict(list)
        for k in ground.register.lists:
            self.lists[k.provider, k.name].append(k)
        self.statements: defaultdict[tuple[str, str], list[Statement]] = defaultdict(list)
        for s in ground.register.statements:
            self.statements[s.provider, s.name].append(s)

    def of_place(self, key: Key) -> list[Row]:
        """Return the history of a key's place."""
        rows = self.history.get((key.location_kind, key.location), [])
        return [r for r in rows if not key.location_region or r["region"] == key.location_region]

    def listed(self, key: Key, holder: str) -> Listed | None:
        """Return the newest listing of a key by its own customer, the inventory's holder, or nobody named."""
        name = key.key_id
        found = [k for k in self.lists.get((key.provider, name), []) if k.owner in {holder, ""} or owned(key, k.owner)]
        return max(found, key=lambda k: (k.received_at or _EARLIEST, k.event_key), default=None)

    def acts(self, key: Key) -> list[Row]:
        """Return acts on a key in logs that may speak of it."""
        return [a for a in self.targets.get((key.provider, key.key_id), []) if owned(key, a["owner"] or "")]


def make_book(ground: Ground, judged: Callable[[Register], list[Row]]) -> Book:
    """Return the book; `judged` gives the verdicts of an earlier state of the register."""
    index = _Index(ground)
    answers = {_name(a): a for a in ground.answers}
    access = access_of(ground.facts.settings, list(ground.facts.suspects.values()))
    standing = {s.event_key: s for s in ground.register.standing}
    lives = [
        _life(key, standing.get(key.event_key), answers[_key_name(key)], ground, index, access) for key in ground.keys
    ]
    lives.sort(key=lambda x: (x.key.customer, x.key.provider, x.key.key_id, x.key.location, x.key.event_key))
    return Book(
        ground.register.versions,
        lives,
        remarks.ordered(_remarks(ground, index, lives)),
        corrections.moves(ground.register, judged),
    )


def _name(answer: Row) -> tuple[str, ...]:
    return answer["provider"], answer["key_id"], answer["customer"], answer["location"]


def _key_name(key: Key) -> tuple[str, ...]:
    place = f"{key.location_kind}:{key.location_region}:{key.location}" if key.location else ""
    return key.provider, key.key_id, key.customer, place


def _life(key: Key, s: Statement | None, answer: Row, ground: Ground, index: _Index, access: Access) -> Life:
    facts, history, acts = ground.facts, index.of_place(key), index.acts(key)
    listed = index.listed(key, s.holder if s else "")
    horizons = horizons_of(key, ground.coverage)
    use = preferred(key, index.use.get((key.provider, key.key_id), []))
    exposed = answer["exposed_at"] or {"from": None, "to": None}
    subject = Subject(
        key, answer["exposure"], answer["abuse"], exposed["from"], exposed["to"],
        [h for h in history if h["event_key"] not in facts.suspects],
        [h for h in history if h["event_key"] in facts.suspects and h["change"] == "new_value"],
        next((a for a in acts if a["ends"] and a["outcome"] != "failure"), None),
        listed, series_of(key, facts), {h.source: h.until for h in horizons},
    )  # fmt: skip
    judged = judge_kind(
        key.kind, listed.kind if listed else "", of_form(key.provider, key.hint, key.key_id, s.key_name if s else "")
    )
    return Life(
        key, s, judged, answer, aliases_of(key, index.statements.get((key.provider, key.key_id), ()), listed),
        events_of(key, answer, history, acts, use, listed, facts), horizons,
        check(subject, access, facts.settings, ground.policy), _made_with(key, judged, answer, ground, index),
    )  # fmt: skip


def _made_with(key: Key, judged: Judged, answer: Row, ground: Ground, index: _Index) -> list[Row]:
    """Return what an exposed or abused key made at the provider since then, and what those keys made in turn.

    Each with whether it still works: ended by the provider's log, or used last when.
    """
    exposed = answer["exposure"] in {e.value for e in SEEN}
    if not exposed and answer["abuse"] not in {Abuse.ESTABLISHED, Abuse.UNEXPLAINED}:
        return []
    begun = answer["exposed_at"]["from"] if answer["exposed_at"] else ground.facts.settings.t0
    known = {(k.provider, k.key_id) for k in ground.keys}
    out: list[Row] = []
    frontier, met = [key.key_id], {key.key_id}
    while frontier:
        maker = frontier.pop(0)
        for act in index.actors.get((key.provider, maker), []):
            if (
                not _MAKES.fullmatch(act["act"])
                or (begun and act["event_time"] < begun)
                or not owned(key, act["owner"] or "")
            ):
                continue
            target = act["target_key_id"] or act["target_id"] or ""
            out.append(_made(key, maker, act, target, index, known))
            if act["target_key_id"] and target not in met:
                met.add(target)
                frontier.append(target)
    return out


def _made(key: Key, maker: str, act: Row, target: str, index: _Index, known: set[tuple[str, str]]) -> Row:
    heir = replace(key, key_id=target)
    ended = next((a for a in index.acts(heir) if a["ends"] and a["outcome"] != "failure"), None)
    last = max((u["last_to"] for u in preferred(heir, index.use.get((key.provider, target), []))), default=None)
    return {
        "target": target, "is_key": bool(act["target_key_id"]), "action": act["action"], "at": act["event_time"], "by_key": maker,
        "source_ip": act["source_ip"], "in_inventory": (key.provider, target) in known,
        "revoked_at": ended["event_time"] if ended else None, "last_use": last, "event_key": act["event_key"],
    }  # fmt: skip


def _remarks(ground: Ground, index: _Index, lives: Sequence[Life]) -> Iterable[Remark]:
    register, facts = ground.register, ground.facts
    if not register.versions:
        return
    yield from remarks.within(register.standing)
    yield from remarks.between(register.versions, register.statements)
    yield from remarks.foreign(register.standing, ground.seen)
    yield from remarks.revived(register.standing, register.lists, _ACTIVE)
    yield from remarks.kinds_differ([(x.statement, x.judged.differs) for x in lives if x.statement])
    yield from remarks.unlisted(*missing(ground.seen, register.statements, register.names(), _stated_names(facts)))
    reads = [x.answer["exposed_at"]["from"] for x in lives if x.answer["exposed_at"]]
    began = min([*reads, *([facts.settings.t0] if facts.settings.t0 else [])], default=None)
    yield from after_mass_rotation(register.statements, began, ground.policy)
    for life in lives:
        if life.statement is None:
            continue
        acts, key = index.acts(life.key), life.key
        known = Known(
            index.of_place(key), [a for a in acts if a["act"].endswith("created")], [a for a in acts if a["ends"]],
            preferred(key, index.use.get((key.provider, key.key_id), [])), index.listed(key, life.statement.holder),
        )  # fmt: skip
        yield from contradicted(life.statement, known, facts, ground.policy)
        yield from after_reads(life.statement, life.answer["exposed_at"]["from"] if life.answer["exposed_at"] else None)


def _stated_names(facts: Facts) -> dict[str, set[str]]:
    out: defaultdict[str, set[str]] = defaultdict(set)
    for s in facts.settings.statements:
        if s.key_alias:
            out[s.customer].add(s.key_alias)
    return dict(out)


def stored(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Return the objects of table key_book by kind, in order."""
    out: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        out[row["kind"]].append(json.loads(row["body"]))
    return dict(out)
