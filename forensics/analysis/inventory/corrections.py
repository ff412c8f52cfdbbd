"""Which verdicts a newer version of the inventory moves: the same evidence judged under both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from forensics.analysis.facts import Row
from forensics.analysis.inventory.register import Register

_SHOWN = ("customer", "location", "exposure", "abuse", "verdict")


@dataclass(frozen=True, slots=True)
class Move:
    """A key whose verdict, customer or place version `version` changed; None on a side where the key was not known."""

    version: int
    provider: str
    key_id: str
    before: Row | None
    after: Row | None

    def as_json(self) -> dict[str, Any]:
        """Return it for `keys --json`."""
        return {
            "version": self.version, "provider": self.provider, "key_id": self.key_id, "before": self.before, "after": self.after,
        }  # fmt: skip


def moves(register: Register, judged: Callable[[Register], list[Row]]) -> list[Move]:
    """Return what each version after the first moved, in the order of versions; `judged` gives the answers of a register."""
    if len(register.versions) < 2:
        return []
    states = [judged(register.before(v.number)) for v in register.versions[1:]] + [judged(register)]
    out = []
    for version, before, after in zip(register.versions[1:], states[:-1], states[1:], strict=True):
        out += _compared(version.number, before, after)
    return out


def _compared(version: int, before: Iterable[Row], after: Iterable[Row]) -> list[Move]:
    old, new = _by_key(before), _by_key(after)
    out = []
    for provider, key_id in sorted({*old, *new}):
        was, now = old.get((provider, key_id), []), new.get((provider, key_id), [])
        gone = [row for row in was if row not in now]
        come = [row for row in now if row not in was]
        out += [Move(version, provider, key_id, a, b) for a, b in zip_longest(gone, come)]
    return out


def _by_key(answers: Iterable[Row]) -> dict[tuple[str, str], list[Row]]:
    found: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for answer in answers:
        shown = {name: str(answer[name]) for name in _SHOWN}
        found[answer["provider"], answer["key_id"]].append(shown)
    return {key: sorted(rows, key=lambda r: tuple(r.values())) for key, rows in found.items()}
