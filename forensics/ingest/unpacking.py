"""How a file was opened, so that it can be opened again: its limits, and whether a password was needed. Never the password."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from forensics.ingest.unpack import LIMITS, Limits

#: What is said of a member of a zip archive that no password opened.
LOCKED = "encrypted: no password that opens it was given"
#: Parts of reasons that other limits or a password may change.
_MOVABLE = (
    *(LOCKED, "over the limit", "archives nested deeper", "members: the rest is not read", "compressed more than"),
)


@dataclass(frozen=True, slots=True)
class Unpacking:
    """What compressed files and archives may become, and what opens encrypted members."""

    limits: Limits = LIMITS
    password: str | None = None

    def noted(self, unlocked: int) -> str | None:
        """Return what is kept of it: JSON of limits that are not the defaults and of a password that opened something.

        None when there is nothing to keep. The password itself is not part of it.
        """
        usual = asdict(LIMITS)
        kept: dict[str, Any] = {n: v for n, v in asdict(self.limits).items() if v != usual[n]}
        if unlocked:
            kept["password"] = True
        return json.dumps(kept, sort_keys=True) if kept else None


def limits_of(noted: str | None) -> Limits:
    """Return the limits that a file was opened with, from what was kept. What is no number of a limit is left aside."""
    kept = _kept(noted)
    names = asdict(LIMITS)
    return replace(LIMITS, **{n: v for n, v in kept.items() if n in names and type(v) is int and v > 0})


def is_locked(noted: str | None) -> bool:
    """Return whether a password opened something in the file."""
    return _kept(noted).get("password") is True


def is_wider(noted: str | None) -> bool:
    """Return whether a file was opened with a limit above the default."""
    return any(value > asdict(LIMITS)[name] for name, value in asdict(limits_of(noted)).items())


def may_differ(reasons: Iterable[str]) -> bool:
    """Return whether any of these reasons may fall away with other limits or a password."""
    return any(part in reason for reason in reasons for part in _MOVABLE)


def _kept(noted: str | None) -> dict[str, Any]:
    try:
        found = json.loads(noted) if noted else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
