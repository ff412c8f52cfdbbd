"""Checks of a package: five states, a reason for each, and an opened package to read from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from forensics.evidence.manifest import PACKAGE, PAYLOAD_MANIFEST, TAG_MANIFEST, read_json, read_lines, read_manifest
from forensics.evidence.structure import Listing

_CHUNK = 1 << 20
_SHOWN = 5
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class CheckState(StrEnum):
    """How a check or a level ended."""

    PASS = "pass"  # noqa: S105 - a state, no password
    FAIL = "fail"
    NOT_RUN = "not_run"
    NOT_APPLICABLE = "not_applicable"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: `<level>.<what>`, its state, and the reason or what was seen."""

    id: str
    state: CheckState
    detail: str


class CheckFailedError(Exception):
    """A check found something wrong; its text says what and where."""


class CheckUndecidedError(Exception):
    """A check can be decided neither way here; its text says why."""


def require(faults: Iterable[str]) -> None:
    """Raise CheckFailedError with the first `faults` and the number of the others, if there are any."""
    found = list(faults)
    if found:
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise CheckFailedError("; ".join(found[:_SHOWN]) + more)


def check(identity: str, work: Callable[[], str]) -> Check:
    """Run one check. `work` returns what was seen, or raises CheckFailedError or CheckUndecidedError.

    Whatever else a hostile file makes it raise while it is read is a failure of the check.
    """
    try:
        return Check(identity, CheckState.PASS, work())
    except CheckFailedError as failed:
        return Check(identity, CheckState.FAIL, str(failed))
    except CheckUndecidedError as undecided:
        return Check(identity, CheckState.UNDECIDED, str(undecided))
    except KeyError as error:
        return Check(identity, CheckState.FAIL, f"a name is missing: {error}")
    except FileNotFoundError as error:
        return Check(identity, CheckState.FAIL, f"a file is missing: {Path(error.filename or '').name}")
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, OSError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        return Check(identity, CheckState.FAIL, f"cannot be read: {reason}")


def level(checks: Iterable[Check]) -> CheckState:
    """Return the state of a level: the gravest of its checks."""
    states = {c.state for c in checks}
    order = (CheckState.FAIL, CheckState.UNDECIDED, CheckState.NOT_RUN, CheckState.PASS)
    return next((state for state in order if state in states), CheckState.NOT_APPLICABLE)


class Package:
    """A package on disk: read by name, never through a link. Its parsed parts are read once."""

    def __init__(self, root: Path, listing: Listing) -> None:
        self.root = root
        self.listing = listing

    def path(self, name: str) -> Path:
        """Return the place of a listed file. Raises CheckFailedError for any other name."""
        if name not in self.listing.files:
            raise CheckFailedError(f"{name} is missing")
        return self.root / name

    def read(self, name: str) -> bytes:
        """Return a file's bytes. Raises CheckFailedError when it is missing, OSError when it is a link by now."""
        descriptor = os.open(self.path(name), os.O_RDONLY | _NOFOLLOW)
        with os.fdopen(descriptor, "rb") as stream:
            return stream.read()

    def sha256(self, name: str) -> str:
        """Return the SHA-256 of a file, read in pieces."""
        digest = sha256()
        descriptor = os.open(self.path(name), os.O_RDONLY | _NOFOLLOW)
        with os.fdopen(descriptor, "rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    def json(self, name: str) -> Any:
        """Return a file's JSON value. Raises ValueError for any that is not strict JSON."""
        return read_json(self.read(name))

    def lines(self, name: str) -> list[dict[str, Any]]:
        """Return the objects of a JSON-lines file. Raises ValueError naming the first line that is none."""
        return read_lines(self.read(name))

    @cached_property
    def payload(self) -> dict[str, str]:
        """Path -> SHA-256 as the payload manifest has it."""
        return read_manifest(self.read(PAYLOAD_MANIFEST))

    @cached_property
    def tags(self) -> dict[str, str]:
        """Path -> SHA-256 as the tag manifest has it."""
        return read_manifest(self.read(TAG_MANIFEST))

    @cached_property
    def facts(self) -> dict[str, Any]:
        """package.json. Raises ValueError when it is no object."""
        value = self.json(PACKAGE)
        if not isinstance(value, dict):
            raise ValueError("package.json is no object")  # noqa: TRY004 - a fault of the text, not of a call
        return value
