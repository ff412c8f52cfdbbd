"""Times that an inventory states, held against the logs; and inventories that were made after a mass rotation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from forensics.analysis.facts import Facts, Row
from forensics.analysis.inventory.aliases import Listed
from forensics.analysis.inventory.remarks import Remark, of
from forensics.analysis.inventory.versions import Statement
from forensics.analysis.policy import Policy
from forensics.model.clock import iso
from forensics.model.times import to_epoch

_NEW_VALUE = frozenset({"new_value", "maybe_new_value"})
_CERTAIN_STORES = frozenset({"secret", "ssm"})


@dataclass(frozen=True, slots=True)
class Known:
    """What the logs tell of one key: changes of its place, acts that made or ended it, its use, its listing."""

    history: Sequence[Row]
    made: Sequence[Row]
    ended: Sequence[Row]
    use: Sequence[Row]
    listed: Listed | None


def contradicted(s: Statement, known: Known, facts: Facts, policy: Policy) -> list[Remark]:
    """Return where the stated times of one key disagree with each other or with the logs."""
    return [
        of("time_contradicted", [s], text, keys)
        for text, keys in (
            *_among_themselves(s), *_creation(s, known, policy), *_rotation(s, known, facts, policy), *_revocation(s, known, policy),
        )
    ]  # fmt: skip


_Fault = tuple[str, tuple[str, ...]]


def _among_themselves(s: Statement) -> list[_Fault]:
    out: list[_Fault] = []
    for name, when in (("rotated", s.rotated_at), ("revoked", s.revoked_at)):
        if when and s.created_at and when < s.created_at:
            out.append((f"stated as {name} at {iso(when)}, before it was made at {iso(s.created_at)}", ()))
    for name, when in (("made", s.created_at), ("rotated", s.rotated_at), ("revoked", s.revoked_at)):
        if when and s.as_of and when > s.as_of:
            out.append((f"stated as {name} at {iso(when)}, after the time of the statement, {iso(s.as_of)}", ()))
    return out


def _creation(s: Statement, known: Known, policy: Policy) -> list[_Fault]:
    if s.created_at is None:
        return []
    out: list[_Fault] = []
    slack = timedelta(hours=policy.created_hours)
    out += [
        (
            f"stated as made at {iso(s.created_at)}; the provider's log shows it made at {iso(a['event_time'])}",
            (a["event_key"],),
        )
        for a in known.made
        if abs(a["event_time"] - s.created_at) > slack
    ]
    k = known.listed
    if k and k.created_at and abs(k.created_at - s.created_at) > slack:
        out.append(
            (
                f"stated as made at {iso(s.created_at)}; the provider lists it as made at {iso(k.created_at)}",
                (k.event_key,),
            )
        )
    first = min((u for u in known.use), key=lambda u: u["first_to"], default=None)
    if first and first["first_to"] <= s.created_at:
        out.append(
            (
                f"stated as made at {iso(s.created_at)}; it was used before, by {iso(first['first_to'])}",
                (first["event_key"],),
            )
        )
    return out


def _rotation(s: Statement, known: Known, facts: Facts, policy: Policy) -> list[_Fault]:
    stated = s.rotated_at
    if stated is None or s.location_kind not in _CERTAIN_STORES:
        return []
    writes = [h for h in known.history if h["change"] in _NEW_VALUE]
    slack = timedelta(minutes=policy.stated_minutes)
    if any(abs(w["event_time"] - stated) <= slack for w in writes):
        return []
    if not _logged_at(s, stated, facts):
        return []
    near = sorted(writes, key=lambda w: (abs(w["event_time"] - stated), w["event_time"]))[:1]
    if near:
        w = near[0]
        text = f"stated as rotated at {iso(stated)}; the log shows no new value then, the nearest at {iso(w['event_time'])} ({w['action']})"
        return [(text, (w["event_key"],))]
    return [
        (
            f"stated as rotated at {iso(stated)}; the log of its store holds that hour and shows no new value in its place",
            (),
        )
    ]


def _logged_at(s: Statement, when: datetime, facts: Facts) -> bool:
    """Whether the region's log holds the hour of a stated time: elsewhere silence says nothing."""
    hour = to_epoch(when) // 3600
    regions = [s.location_region] if s.location_region else sorted(facts.hours)
    return any(row["hour"] == hour for region in regions for row in facts.hours.get(region, []))


def _revocation(s: Statement, known: Known, policy: Policy) -> list[_Fault]:
    stated = s.revoked_at
    if stated is None:
        return []
    out: list[_Fault] = []
    slack = timedelta(minutes=policy.stated_minutes)
    if known.ended and all(abs(a["event_time"] - stated) > slack for a in known.ended):
        act = known.ended[0]
        out.append(
            (
                f"stated as revoked at {iso(stated)}; the provider's log shows it ended at {iso(act['event_time'])}",
                (act["event_key"],),
            )
        )
    late = [u for u in known.use if u["last_from"] >= stated]
    if late:
        last = max(late, key=lambda u: (u["last_to"], u["event_key"]))
        out.append(
            (f"stated as revoked at {iso(stated)}; use was counted until {iso(last['last_to'])}", (last["event_key"],))
        )
    return out


def after_mass_rotation(statements: Iterable[Statement], began: datetime | None, policy: Policy) -> list[Remark]:
    """Return the versions that many keys made or rotated after the incident began give away as made after a rotation.

    Such a version may name the new keys only; which keys were read, an older inventory or the provider has to say.
    """
    if began is None:
        return []
    by_version: defaultdict[int, list[Statement]] = defaultdict(list)
    for s in statements:
        by_version[s.version].append(s)
    out = []
    for version, rows in sorted(by_version.items()):
        stated = (
            ("made", [(s.created_at, s) for s in rows if s.created_at and s.created_at >= began]),
            ("rotated", [(s.rotated_at, s) for s in rows if s.rotated_at and s.rotated_at >= began]),
        )
        for words, found in stated:
            dense = _dense(found, policy)
            if dense:
                low, high = dense[0][0], dense[-1][0]
                text = (
                    f"version {version}: {len(dense)} of {len(rows)} keys were {words} between {iso(low)} and {iso(high)}, after the"
                    f" incident began; {_CONSEQUENCE[words]}"
                )
                out.append(of("after_mass_rotation", [s for _, s in dense], text))
    return out


_CONSEQUENCE = {
    "made": "the keys that were read are their predecessors, which no row of it names: ask for an inventory from before",
    "rotated": "whether its ids are those of the old or of the new keys is open: ask",
}


_Dated = list[tuple[datetime, Statement]]


def _dense(rows: _Dated, policy: Policy) -> _Dated:
    """Return the largest group of rows within the time that makes a mass rotation, the earliest of equals."""
    rows.sort(key=lambda pair: (pair[0], pair[1].provider, pair[1].name, pair[1].record_no))
    width = timedelta(hours=policy.mass_rotation_hours)
    best: _Dated = []
    end = 0
    for start, (low, _) in enumerate(rows):
        while end < len(rows) and rows[end][0] - low <= width:
            end += 1
        if end - start > len(best):
            best = rows[start:end]
    return best if len(best) >= policy.mass_rotation_keys else []


def after_reads(s: Statement, first_read: datetime | None) -> list[Remark]:
    """Return that a key was made after the first read of its place: then that read was of another key."""
    if s.created_at is None or first_read is None or s.created_at <= first_read:
        return []
    text = f"made at {iso(s.created_at)}, after its place was read at {iso(first_read)}: the key read then is its predecessor"
    return [of("after_mass_rotation", [s], text)]
