"""What is wrong or open in an inventory: said, listed and never decided here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from forensics.analysis.facts import Row
from forensics.analysis.inventory.aliases import Listed
from forensics.analysis.inventory.in_use import Seen
from forensics.analysis.inventory.versions import Statement, Version
from forensics.model.clock import iso

#: Kinds of remarks in the order in which they are shown, each with its title.
TITLES = {
    "one_key_two_customers": "One key with several customers",
    "one_place_many_keys": "One stored secret with several keys",
    "not_in_inventory": "In use or listed by a provider, in no inventory",
    "ambiguous": "A name or hint that fits several keys",
    "after_mass_rotation": "Rows that name keys made after the reads",
    "time_contradicted": "Times that logs contradict",
    "kind_contradicted": "Kinds that do not agree",
    "other_owner": "Named by evidence of somebody else",
    "statements_differ": "Corrected or contradicted by a later version",
    "left_out": "Left out by a later version",
    "unidentified": "Rows without an id that logs could be joined by",
}


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to clear up. `keys` and `customers` are those concerned, sorted; `rows` are (version, row from 0)."""

    kind: str
    provider: str
    keys: tuple[str, ...]
    customers: tuple[str, ...]
    text: str
    rows: tuple[tuple[int, int], ...] = ()
    event_keys: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[Any, ...]:
        """A total order: by kind as listed, then by what it is about."""
        return list(TITLES).index(self.kind), self.provider, self.keys, self.customers, self.text, self.rows

    def as_json(self) -> dict[str, Any]:
        """Return it for `keys --json`."""
        return {
            "kind": self.kind, "provider": self.provider, "keys": list(self.keys), "customers": list(self.customers),
            "text": self.text, "rows": [{"version": v, "row": n} for v, n in self.rows], "event_keys": list(self.event_keys),
        }  # fmt: skip


def of(kind: str, about: Sequence[Statement], text: str, event_keys: Iterable[str] = ()) -> Remark:
    """Return a remark on some statements of one provider."""
    return Remark(
        kind, about[0].provider, tuple(sorted({s.name for s in about})), tuple(sorted({s.customer for s in about if s.customer})),
        text, tuple(sorted({(s.version, s.record_no) for s in about})),
        tuple(event_keys) or tuple(sorted({s.event_key for s in about})),
    )  # fmt: skip


def within(standing: Sequence[Statement]) -> list[Remark]:
    """Return what the standing statements say against each other."""
    out: list[Remark] = []
    by_key: defaultdict[tuple[str, ...], list[Statement]] = defaultdict(list)
    by_place: defaultdict[tuple[str, str, str], list[Statement]] = defaultdict(list)
    for s in standing:
        by_key[s.identity].append(s)
        if s.location:
            by_place[s.place].append(s)
        if s.candidates:
            out.append(
                of(
                    "ambiguous",
                    [s],
                    f"{s.hint or s.key_name or s.location_raw} fits {len(s.candidates)} keys: {', '.join(s.candidates)}",
                )
            )
        elif not s.key_id and not s.sha256:
            out.append(
                of(
                    "unidentified",
                    [s],
                    "neither id nor hash, and no list of the provider has its name or hint: usage cannot be joined",
                )
            )
    for rows in by_key.values():
        customers = sorted({s.customer for s in rows})
        if len(customers) > 1:
            out.append(
                of(
                    "one_key_two_customers",
                    rows,
                    f"listed for {', '.join(customers)}: whose use and whose notice it is, is open",
                )
            )
    for place, rows in by_place.items():
        keys = sorted({s.name for s in rows})
        if len({s.identity for s in rows}) > 1:
            text = f"{':'.join(place)} is said to hold {len(keys)} keys: a read of it exposes them all, unless one replaced the other"
            out.append(of("one_place_many_keys", rows, text))
    return out


def between(versions: Sequence[Version], statements: Sequence[Statement]) -> list[Remark]:
    """Return what a later version says otherwise than an earlier one, and what it no longer names."""
    out: list[Remark] = []
    by_key: defaultdict[tuple[str, ...], list[Statement]] = defaultdict(list)
    for s in statements:
        by_key[s.identity].append(s)
    for rows in by_key.values():
        for earlier, later in _pairs(rows):
            changed = differences(earlier, later)
            if changed:
                text = f"version {later.version} ({later.author or 'nobody named'}) against version {earlier.version} ({earlier.author or 'nobody named'}): {'; '.join(changed)}"
                out.append(of("statements_differ", [earlier, later], text))
        last = max(rows, key=lambda s: s.version)
        newer = [v for v in versions if v.number > last.version and v.author == last.author and v.holder == last.holder]
        if newer:
            whose = "of the same author" if last.author else "(nobody is named as the author of either)"
            text = f"in version {last.version}, no longer in version {newer[-1].number} {whose}: it stays known as stated then"
            out.append(of("left_out", [last], text))
    return out


def _pairs(rows: Sequence[Statement]) -> list[tuple[Statement, Statement]]:
    """Return each row that has one row in an earlier version beside it, with the nearest earlier."""
    single: dict[int, Statement] = {}
    for s in sorted(rows, key=lambda s: (s.version, s.record_no)):
        single.setdefault(s.version, s)
    numbers = sorted(single)
    return [(single[a], single[b]) for a, b in pairwise(numbers)]


_COMPARED = ("customer", "kind", "hint", "key_name", "sha256", "place_text", "created_at", "rotated_at", "revoked_at")


def differences(earlier: Statement, later: Statement) -> list[str]:
    """Return in words what two statements of one key say otherwise; what only one of them says is a difference too."""
    out = []
    for name in _COMPARED:
        a, b = getattr(earlier, name), getattr(later, name)
        if a != b:
            old, new = (iso(x) if hasattr(x, "isoformat") else x or "nothing" for x in (a, b))
            out.append(f"{name.removesuffix('_text')} {old} -> {new}")
    return out


def unlisted(absent: Iterable[Seen], unsure: Iterable[tuple[Seen, list[tuple[str, str]]]]) -> list[Remark]:
    """Return keys that logs or lists name and no inventory does, and names that fit several keys."""
    out = []
    for key in absent:
        when = f" from {iso(key.first_seen)} to {iso(key.last_seen)}" if key.first_seen and key.last_seen else ""
        where = "listed by the provider" if key.source == "list" else f"in {key.source}{when}"
        text = f"{where}, by its {key.how}; evidence of {key.owner or 'nobody named'}"
        owners = (key.owner,) if key.owner else ()
        out.append(Remark("not_in_inventory", key.provider, (key.value,), owners, text, (), (key.event_key,)))
    for key, found in unsure:
        fits = tuple(key_id for _, key_id in found)
        text = f"the {key.how} {key.value} in {key.source} of {key.owner or 'nobody named'} fits {len(fits)} keys: {', '.join(fits)}"
        owners = (key.owner,) if key.owner else ()
        for provider in sorted({provider for provider, _ in found}):
            here = tuple(key_id for of, key_id in found if of == provider)
            out.append(Remark("ambiguous", provider, here, owners, text, (), (key.event_key,)))
    return out


def foreign(standing: Iterable[Statement], seen: Iterable[Seen]) -> list[Remark]:
    """Return keys that evidence of another owner names than the inventory's customer or the inventory's own holder."""
    named: defaultdict[tuple[str, str], list[Seen]] = defaultdict(list)
    for key in seen:
        if key.how == "id" and key.owner:
            named[key.provider, key.value].append(key)
    stated: defaultdict[tuple[str, str], list[Statement]] = defaultdict(list)
    for s in standing:
        if s.key_id and s.customer:
            stated[s.provider, s.key_id].append(s)
    out = []
    for pair, rows in stated.items():
        own = {owner for s in rows for owner in (s.customer, s.holder)}
        for key in named.get(pair, ()):
            if key.owner not in own:
                text = f"evidence of {key.owner} names it in {key.source}: the inventory gives it to {', '.join(sorted({s.customer for s in rows}))}"
                out.append(of("other_owner", rows, text, (key.event_key,)))
    return out


def kinds_differ(kinds: Iterable[tuple[Statement, str]]) -> list[Remark]:
    """Return statements whose kind another source contradicts: (statement, the other kind)."""
    return [of("kind_contradicted", [s], f"stated as {s.kind}, but {other}") for s, other in kinds if other]


def revived(standing: Iterable[Statement], lists: Iterable[Listed], active: frozenset[str]) -> list[Remark]:
    """Return keys stated as revoked that a later list of the provider has as active."""
    known = {(k.provider, k.key_id): k for k in lists if k.key_id}
    out = []
    for s in standing:
        k = known.get((s.provider, s.key_id))
        if (
            k
            and s.revoked_at
            and k.received_at
            and k.received_at > s.revoked_at
            and k.status in active
            and k.provider != "openai"
        ):
            text = f"stated as revoked at {iso(s.revoked_at)}; the provider's list of {iso(k.received_at)} has it as {k.status}"
            out.append(of("time_contradicted", [s], text, (k.event_key,)))
    return out


def ordered(found: Iterable[Remark]) -> list[Remark]:
    """Return remarks once each, in their order."""
    return sorted(set(found), key=lambda r: r.order)


def of_rows(rows: Iterable[Row]) -> list[Remark]:
    """Return remarks from their JSON, as the store keeps them."""
    return [
        Remark(
            r["kind"], r["provider"], tuple(r["keys"]), tuple(r["customers"]), r["text"],
            tuple((x["version"], x["row"]) for x in r["rows"]), tuple(r["event_keys"]),
        )
        for r in rows
    ]  # fmt: skip
