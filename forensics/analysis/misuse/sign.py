"""A sign: something in a key's use that departs from its past. Signs are weighed, and never establish misuse."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from forensics.analysis.facts import Reason, Row
from forensics.analysis.policy import Policy

#: Signs that are judged by whole days: their span says which days, not which hours.
BY_DAY = frozenset({"cost", "tier", "token_shape"})
#: Signs of use itself, which a launch of the customer may explain; others it does not.
OF_USE = frozenset({"volume", "cost", "model", "tier", "off_hours", "token_shape", "dormant", "remainder"})


@dataclass(frozen=True, slots=True)
class Sign:
    """A departure with its kind, its root, and the time it spans; `start` and `end` are None where it has none."""

    kind: str
    text: str
    root: str
    query_id: str
    event_keys: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None

    def reason(self) -> Reason:
        """Return it as a reason of the abuse axis."""
        return Reason("abuse", self.text, self.root, self.query_id, self.event_keys)

    def as_json(self, policy: Policy) -> Row:
        """Return it for `exposure --json`."""
        return {
            "sign": self.kind,
            "weight": policy.weight(self.kind),
            "root": self.root,
            "text": self.text,
            "from": self.start,
            "to": self.end,
        }


def within(sign: Sign, since: datetime | None, until: datetime | None) -> bool:
    """Return whether a sign lies in a stated time; one that is judged by day, in the days that the time touches."""
    if sign.start is None or sign.end is None:
        return False
    if sign.kind in BY_DAY:
        day = timedelta(days=1)
        since = since and since.replace(hour=0, minute=0, second=0, microsecond=0)
        until = until and until.replace(hour=0, minute=0, second=0, microsecond=0) + day
    return (since is None or sign.start >= since) and (until is None or sign.end <= until)


def weighed(signs: Iterable[Sign], policy: Policy) -> int:
    """Return the weight of signs together; those of one root count once, by the heaviest."""
    by_root: dict[str, int] = {}
    for sign in signs:
        by_root[sign.root] = max(by_root.get(sign.root, 0), policy.weight(sign.kind))
    return sum(by_root.values())
