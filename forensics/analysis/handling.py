"""Withdraw an exhibit from the analysis, and purge the copy of a withdrawn one, with custody entry and certificate."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from forensics import __version__
from forensics.model.clock import iso
from forensics.model.errors import CaseFault, UsageFault
from forensics.store.duckdb_engine import rows_of
from forensics.store.eventstore import EventStore
from forensics.store.withdrawing import Withdrawal, withdraw_rows

if TYPE_CHECKING:
    from forensics.store.case_folder import CaseFolder

_EXHIBIT = """
SELECT f.file_sha256, f.exhibit, f.size_bytes, f.stored_as, f.source_id, f.state, w.reason AS withdrawn,
       p.certificate AS purged, (SELECT count(*) FROM occurrence AS o WHERE o.file_sha256 = f.file_sha256) AS places
FROM evidence_file AS f LEFT JOIN withdrawal AS w USING (file_sha256) LEFT JOIN purge AS p USING (file_sha256)
WHERE upper(f.exhibit) = upper($exhibit) OR f.file_sha256 = lower($exhibit)
"""


@dataclass(frozen=True, slots=True)
class Purged:
    """A destroyed copy: its certificate's path inside the case and SHA-256."""

    exhibit: str
    certificate: str
    certificate_sha256: str


def exhibit_of(connection: Any, exhibit: str) -> dict[str, Any]:
    """Return what is known of an exhibit, given by number or SHA-256. Raises UsageFault when there is none."""
    rows = rows_of(connection, _EXHIBIT, {"exhibit": exhibit})
    if not rows:
        raise UsageFault("no such exhibit", place=exhibit, hint="`keytrail status` lists the exhibits")
    return rows[0]


def _must_have(reason: str) -> str:
    if not reason.strip():
        raise UsageFault("a reason is needed", hint='give --reason "..."')
    return reason.strip()


def withdraw(folder: CaseFolder, exhibit: str, reason: str, by: str = "") -> dict[str, Any]:
    """Take an exhibit out of the analysis; return exhibit, file_sha256 and rows_removed.

    Raises UsageFault for an exhibit that is not there or withdrawn already, and without a reason.
    """
    reason, by = _must_have(reason), by or folder.settings().examiner
    with folder.writer("withdraw") as connection:
        found = exhibit_of(connection, exhibit)
        if found["withdrawn"] is not None:
            raise UsageFault(f"it is withdrawn already ({found['withdrawn']})", place=found["exhibit"])
        moment = folder.clock().replace(tzinfo=None)
        removed = withdraw_rows(connection, Withdrawal(found["file_sha256"], found["exhibit"], reason, by, moment))
        done = {"exhibit": found["exhibit"], "file_sha256": found["file_sha256"], "rows_removed": removed}
        folder.custody.append("withdrawn", by, **done, reason=reason)
    return done


def purge(folder: CaseFolder, exhibit: str, reason: str, by: str = "") -> Purged:
    """Destroy the copied original of a withdrawn exhibit and leave a certificate in `certificates/`.

    Raises CaseFault under legal hold, UsageFault when the exhibit is not withdrawn, has no copy or was purged already.
    """
    settings = folder.settings()
    reason, by = _must_have(reason), by or settings.examiner
    with folder.writer("purge") as connection:
        found = exhibit_of(connection, exhibit)
        name, digest = found["exhibit"], found["file_sha256"]
        if settings.legal_hold:
            folder.custody.append("purge refused", by, exhibit=name, file_sha256=digest, reason="legal hold")
            raise CaseFault(
                "the case is under legal hold: nothing is destroyed", place=name, hint="see case.legal_hold"
            )
        _purgeable(found)
        path = folder.root / found["stored_as"]
        held = sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        certificate = {
            "act": "purged",
            "case": settings.id,
            "exhibit": name,
            "file_sha256": digest,
            "found_sha256": held,
            "size_bytes": found["size_bytes"],
            "kind": found["source_id"],
            "reason": reason,
            "withdrawn_because": found["withdrawn"],
            "by": by,
            "at": iso(folder.clock()),
            "tool": f"keytrail {__version__}",
            "scope": "the copy inside this case; the sender's file, backups and packages made before are not touched",
            "custody_head": folder.custody.head().sha256,
        }
        content = json.dumps(certificate, ensure_ascii=False, indent=2, sort_keys=True).encode() + b"\n"
        target = folder.root / "certificates" / f"purge-{name}.json"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)
        place = target.relative_to(folder.root).as_posix()
        done = Purged(name, place, sha256(content).hexdigest())
        row = {
            "file_sha256": digest,
            "exhibit": name,
            "reason": reason,
            "purged_by": by,
            "purged_at": folder.clock().replace(tzinfo=None),
            "certificate": place,
            "certificate_sha256": done.certificate_sha256,
        }
        EventStore(connection).insert("purge", [row])
        path.unlink(missing_ok=True)
        for version in sorted((folder.root / "inventory").glob(f"{name}.*")):
            version.unlink()
        folder.custody.append(
            "purged", by, exhibit=name, file_sha256=digest, reason=reason, certificate_sha256=done.certificate_sha256
        )
    return done


def _purgeable(found: dict[str, Any]) -> None:
    name = found["exhibit"]
    if found["purged"] is not None:
        raise UsageFault(f"it is purged already: see {found['purged']}", place=name)
    if found["withdrawn"] is None:
        raise UsageFault("the analysis rests on it", place=name, hint=f'first: keytrail withdraw {name} --reason "..."')
    if not found["stored_as"]:
        raise UsageFault("the case holds no copy of it", place=name, hint="its original was never copied")
