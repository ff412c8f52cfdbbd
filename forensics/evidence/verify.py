"""Verify a package, folder or ZIP: every level its variant allows, and what none of them proves."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from forensics.evidence.checks import Check, CheckState, Package, level
from forensics.evidence.completeness import completeness
from forensics.evidence.integrity import integrity
from forensics.evidence.replay import reproduction
from forensics.evidence.structure import Listing, walk
from forensics.evidence.unzip import unzip
from forensics.model.clock import Clock
from forensics.model.errors import ExitCode, UsageFault

LEVELS = ("integrity", "completeness", "reproduction")

NOT_PROVEN = (
    "Who sealed the package: this version writes no signature. Compare the digest with the one you were told another way.",
    "When it was sealed: there is no trusted time stamp. Times and names in the custody log are as its machine had them.",
    "That the logs are what AWS and the providers wrote: what `keytrail verify-logs` found is in the report; a key that came with the evidence proves nothing of its sender, and exports carry no proof.",
    "That the senders handed over all their logs: the package proves what was received, not what was kept back.",
)


@dataclass(frozen=True, slots=True)
class Verification:
    """What verifying gave: the state of each level, every check, and what is not proven."""

    levels: dict[str, CheckState]
    checks: tuple[Check, ...]
    not_proven: tuple[str, ...]

    @property
    def exit_code(self) -> ExitCode:
        """5 when anything fails, 6 when something is undecided or did not run, else 0."""
        states = set(self.levels.values())
        if CheckState.FAIL in states:
            return ExitCode.NOT_VERIFIED
        return ExitCode.UNDECIDED if states & {CheckState.UNDECIDED, CheckState.NOT_RUN} else ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return the documented shape of `verify --json`."""
        return {
            "levels": {name: str(state) for name, state in self.levels.items()},
            "checks": [{"id": c.id, "state": str(c.state), "detail": c.detail} for c in self.checks],
            "not_proven": list(self.not_proven),
        }


def verify(path: Path, clock: Clock, password: str | None = None, *, wider: bool = False) -> Verification:
    """Verify the package at `path`, a folder or a ZIP. Reads only; a ZIP is unpacked into a temporary folder.

    Reproduction runs on packages whose bytes and accounts hold. `clock` is not asked: a rebuilt case has the
    package's own time. `password` opens encrypted archives among the evidence; `wider` lets archives grow beyond the
    default limits where the package says that they did.
    Raises UsageFault when nothing is there.
    """
    del clock
    if not path.exists():
        raise UsageFault("no such package", place=str(path), hint="name the folder or the ZIP of a package")
    with _opened(path) as (root, faults):
        if faults:
            return _conclude([Check("integrity.container", CheckState.FAIL, "; ".join(faults[:5]))])
        package = Package(root, _listing(root))
        checks = integrity(package) + completeness(package)
        if any(c.state is CheckState.FAIL for c in checks):
            return _conclude(checks)
        return _conclude(checks + reproduction(package, password, wider=wider))


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Path, list[str]]]:
    if path.is_dir():
        yield path, []
        return
    with tempfile.TemporaryDirectory(prefix="keytrail-verify-") as scratch:
        target = Path(scratch) / "package"
        target.mkdir()
        yield target, unzip(path, target)


def _listing(root: Path) -> Listing:
    try:
        return walk(root)
    except OSError as error:
        raise UsageFault("the package cannot be listed", place=root.name, hint=str(error.strerror)) from error


def _conclude(checks: list[Check]) -> Verification:
    """Give each level its state; levels that were not reached say why."""
    checks = list(checks)
    for name in LEVELS:
        if not any(c.id.startswith(f"{name}.") for c in checks):
            checks.append(Check(f"{name}.level", CheckState.NOT_RUN, "not run: what comes before it failed"))
    levels = {name: level(c for c in checks if c.id.startswith(f"{name}.")) for name in LEVELS}
    not_proven: tuple[str, ...] = NOT_PROVEN
    if levels["reproduction"] is not CheckState.PASS:
        not_proven = (*NOT_PROVEN, "That the results come out of the evidence: reproduction did not pass.")
    return Verification(levels, tuple(checks), not_proven)
