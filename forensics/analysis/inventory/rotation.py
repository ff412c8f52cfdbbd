"""Whether a key that got out no longer works: rotated in the store, revoked at the provider, still used, and how late.

Overwriting a stored value does not end a key; only the provider does. And a value stored while the intruder could still
read is exposed like the one before it, so a rotation before containment does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from forensics.analysis.facts import Row
from forensics.analysis.inventory.aliases import Listed
from forensics.analysis.keys import Key
from forensics.analysis.policy import Policy
from forensics.analysis.usage import Series
from forensics.model.case import Settings
from forensics.model.clock import iso
from forensics.model.verdict import SEEN, Abuse, Exposure

#: States of a check, the worst first.
STATES = ("not_effective", "not_done", "unproven", "not_evaluable", "effective", "not_needed")
_OVER = frozenset({"inactive", "archived", "expired", "disabled", "blocked", "deleted", "revoked"})
_WRITES = frozenset({"new_value", "maybe_new_value"})
#: Kinds of places whose changes CloudTrail shows.
_LOGGED = frozenset({"secret", "ssm", "lambda"})


@dataclass(frozen=True, slots=True)
class Access:
    """Until when the intruder could read: the stated containment, or the last successful act seen, whichever is later."""

    until: datetime | None
    basis: str


def access_of(settings: Settings, suspects: Sequence[Row]) -> Access:
    """Return until when the intruder had access, and on what that rests; None when neither is known."""
    last = max((row["event_time"] for row in suspects if row["outcome"] == "success"), default=None)
    if settings.contained is None:
        return Access(last, "last act of the intruder seen, as no containment is stated" if last else "not known")
    if last is not None and last > settings.contained:
        return Access(last, f"an act of the intruder after the containment stated for {iso(settings.contained)}")
    return Access(settings.contained, "containment as stated")


@dataclass(slots=True)
class Subject:
    """What the check of one key rests on.

    `writes` are changes of its place by anybody but the intruder, `taken` those by the intruder; `revoked` is the
    provider's own record of its end, `listed` its newest list; `horizons` tell until when usage, audit and store can
    say anything.
    """

    key: Key
    exposure: str
    abuse: str
    exposed_from: datetime | None
    exposed_to: datetime | None
    writes: list[Row]
    taken: list[Row]
    revoked: Row | None
    listed: Listed | None
    series: Series | None
    horizons: dict[str, datetime | None]


@dataclass(slots=True)
class Check:
    """The result: `why` in words, `event_keys` of the records behind it; seconds are latencies, None where unknown."""

    state: str
    why: list[str] = field(default_factory=list)
    rotated_at: datetime | None = None
    rotated_basis: str = ""
    revoked_at: datetime | None = None
    revoked_basis: str = ""
    access: Access = Access(None, "not known")
    used_after_rotation: Row | None = None
    used_after_revocation: Row | None = None
    latency: dict[str, int | None] = field(default_factory=dict)
    event_keys: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return it for `keys --json`."""
        return {
            "state": self.state, "why": self.why, "rotated_at": self.rotated_at, "rotated_basis": self.rotated_basis,
            "revoked_at": self.revoked_at, "revoked_basis": self.revoked_basis,
            "access_until": self.access.until, "access_basis": self.access.basis,
            "used_after_rotation": self.used_after_rotation, "used_after_revocation": self.used_after_revocation,
            "latency_seconds": self.latency, "event_keys": self.event_keys,
        }  # fmt: skip


def check(subject: Subject, access: Access, settings: Settings, policy: Policy) -> Check:
    """Return whether rotation and revocation of one key were done, late and effective."""
    found = Check("not_done", access=access)
    began = subject.exposed_from or settings.t0
    later = [w for w in subject.writes if w["change"] in _WRITES and (began is None or w["event_time"] >= began)]
    _revocation(subject, found)
    _rotation(subject, later, found, policy)
    found.latency = _latency(subject, found, settings)
    _judge(subject, later, found)
    return found


def is_over(listed: Listed) -> bool:
    """Whether the provider's list says that the key no longer works.

    The status that OpenAI lists is not the key's: it tells whether the key's owner still has access to the project.
    """
    return listed.status in _OVER and listed.provider != "openai"


def _revocation(subject: Subject, found: Check) -> None:
    key, listed = subject.key, subject.listed
    if subject.revoked is not None:
        found.revoked_at, found.revoked_basis = subject.revoked["event_time"], "provider log"
        found.event_keys.append(subject.revoked["event_key"])
    elif listed is not None and is_over(listed):
        found.revoked_at, found.revoked_basis = listed.received_at, "provider list"
        found.event_keys.append(listed.event_key)
    elif key.revoked_at is not None:
        found.revoked_at, found.revoked_basis = key.revoked_at, "stated"
    if found.revoked_at is not None:
        found.used_after_revocation = _use_after(subject.series, found.revoked_at)


def _rotation(subject: Subject, later: list[Row], found: Check, policy: Policy) -> None:
    stated = subject.key.rotated_at
    if later:
        # The last certain write counts: an earlier value was replaced by it.
        certain = [w for w in later if w["change"] == "new_value"]
        chosen = (certain or later)[-1]
        found.rotated_at = chosen["event_time"]
        found.rotated_basis = "store log" if certain else "store log, which does not tell whether the value changed"
        found.event_keys += [w["event_key"] for w in later]
    elif stated is not None and (subject.exposed_from is None or stated >= subject.exposed_from):
        found.rotated_at, found.rotated_basis = stated, "stated"
    if found.rotated_at is not None and not _is_successor(subject.key, found.rotated_at, policy):
        first = min([found.rotated_at, *(w["event_time"] for w in later)])
        found.used_after_rotation = _use_after(subject.series, first)


def _is_successor(key: Key, rotated_at: datetime, policy: Policy) -> bool:
    """Whether the row names the key that the rotation brought: it was made at about that time or later."""
    slack = timedelta(minutes=policy.stated_minutes)
    return key.created_at is not None and key.created_at >= rotated_at - slack


def _use_after(series: Series | None, moment: datetime) -> Row | None:
    """Return use in buckets wholly after a time; a bucket that straddles it belongs to neither side."""
    if series is None:
        return None
    late = series.buckets.used_since(moment)
    if not late:
        return None
    return {
        "from": late[0].start, "to": late[-1].end, "buckets": len(late), "requests": sum(b.requests for b in late),
        "tokens": sum(b.tokens for b in late), "event_keys": [late[0].event_keys[0], late[-1].event_keys[-1]],
    }  # fmt: skip


def _latency(subject: Subject, found: Check, settings: Settings) -> dict[str, int | None]:
    ends = (("rotated", found.rotated_at), ("revoked", found.revoked_at))
    starts = (("exposed", subject.exposed_from), ("detected", settings.detected), ("contained", settings.contained))
    return {f"{a}_to_{b}": _seconds(start, end) for a, start in starts for b, end in ends}


def _seconds(start: datetime | None, end: datetime | None) -> int | None:
    return None if start is None or end is None else (end - start) // timedelta(seconds=1)


def _judge(subject: Subject, later: list[Row], found: Check) -> None:
    exposed = subject.exposure in {e.value for e in SEEN}
    if not exposed and subject.abuse not in {Abuse.ESTABLISHED, Abuse.UNEXPLAINED}:
        clear = subject.exposure == Exposure.NONE_SEEN
        found.state = "not_needed" if clear else "not_evaluable"
        found.why.append(
            "neither exposure nor misuse was seen" if clear else "whether it was exposed could not be evaluated"
        )
        return
    faults = [*_still_used(found), *_too_early(subject, later, found)]
    if faults:
        found.state, found.why = "not_effective", faults
    elif made := _made_after(subject):
        found.state = "not_evaluable"
        found.why.append(
            f"the inventory says that this key was made at {iso(made)}, after its place was read: the key"
            " that was read is its predecessor"
        )
    elif found.revoked_basis in {"provider log", "provider list"}:
        found.state = "effective"
        found.why.append(f"the {found.revoked_basis} shows that it ended{_no_use(subject)}")
    elif found.rotated_at is not None or found.revoked_at is not None:
        found.state = "unproven"
        found.why += _unproven(subject, found)
    else:
        found.state = "not_done"
        found.why.append(_nothing(subject))


def _made_after(subject: Subject) -> datetime | None:
    """Return when the key was made by the inventory, if that is after the last read of its place."""
    made, read = subject.key.created_at, subject.exposed_to
    return made if made is not None and read is not None and made > read else None


def _still_used(found: Check) -> list[str]:
    out = []
    if found.used_after_revocation and found.revoked_at:
        use = found.used_after_revocation
        how = "revoked" if found.revoked_basis != "stated" else "revoked, as stated,"
        out.append(
            f"used in {use['buckets']} buckets wholly after it was {how} at {iso(found.revoked_at)}, to {iso(use['to'])}"
        )
    if found.used_after_rotation and found.rotated_at:
        use = found.used_after_rotation
        out.append(
            f"still used after a new value was stored, in {use['buckets']} buckets from {iso(use['from'])} to {iso(use['to'])}:"
            " overwriting the secret did not end it"
        )
    return out


def _too_early(subject: Subject, later: list[Row], found: Check) -> list[str]:
    """A value stored while the intruder could still read is exposed too, unless it was replaced again afterwards."""
    out = []
    if found.rotated_at is not None and subject.exposed_to is not None and found.rotated_at < subject.exposed_to:
        out.append(
            f"its place was read again at {iso(subject.exposed_to)}, after the new value was stored at {iso(found.rotated_at)}"
        )
    elif found.rotated_at is not None and found.access.until is not None and found.rotated_at < found.access.until:
        out.append(
            f"the new value was stored at {iso(found.rotated_at)}, before the intruder lost access at {iso(found.access.until)}"
            f" ({found.access.basis}): it counts as exposed too"
        )
    if subject.taken:
        last = subject.taken[-1]
        if not any(w["event_time"] > last["event_time"] for w in later):
            out.append(f"the value stored last is the intruder's own, of {iso(last['event_time'])} ({last['action']})")
            found.event_keys.append(last["event_key"])
    return out


def _unproven(subject: Subject, found: Check) -> list[str]:
    out = []
    if found.rotated_at is not None:
        out.append(
            f"a new value was stored at {iso(found.rotated_at)} ({found.rotated_basis}), which does not end the old key"
        )
    if found.revoked_basis == "stated" and found.revoked_at is not None:
        out.append(f"its revocation at {iso(found.revoked_at)} is stated only; no log or list of the provider shows it")
    else:
        out.append("no log or list of the provider shows that it was revoked")
    out.append(_no_use(subject).removeprefix("; "))
    return out


def _nothing(subject: Subject) -> str:
    store, audit = subject.horizons.get("store"), subject.horizons.get("audit")
    if subject.key.location_kind not in _LOGGED:
        place = "the logs do not show its place"
    else:
        place = f"no new value in its place is seen{_until(store)}" if store else "the log of its place was not sent"
    if audit or subject.listed:
        provider = f"no revocation at the provider is seen{_until(audit)}"
    else:
        provider = "neither a log nor a list of the provider was sent"
    return f"{place}; {provider}; none is stated"


def _no_use(subject: Subject) -> str:
    if subject.series is None:
        return "; no usage that names it was sent"
    return f"; no use was counted after it{_until(subject.series.end)}"


def _until(moment: datetime | None) -> str:
    return f", as of {iso(moment)}" if moment else ""
