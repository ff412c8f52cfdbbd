"""Findings that a named person holds to be known and harmless: marked with reason and author, never deleted.

A suppression is a line of work.jsonl, undone by a second one. It concerns findings whose every event fits it. Verdicts read
the evidence and not the findings, so none differs with or without one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from forensics.analysis.findings import Finding
from forensics.analysis.hunt import HuntResult
from forensics.model.address import network_bounds, read_address
from forensics.model.clock import iso
from forensics.model.errors import CaseFault, UsageFault
from forensics.model.masking import mask_keys
from forensics.model.times import parse_time

if TYPE_CHECKING:
    from forensics.store.case_folder import CaseFolder

ADDED, UNDONE = "suppress", "suppress undone"
_TEXTS = ("query", "principal", "address", "resource", "reason", "by")


@dataclass(frozen=True, slots=True)
class Suppression:
    """What a person suppressed. Empty criteria fit everything; `query` may end with a dot and then means a group.

    `number` counts from 1 in the order of work.jsonl; `at` is naive UTC.
    """

    number: int
    query: str
    principal: str
    address: str
    resource: str
    reason: str
    by: str
    at: datetime | None
    undone: bool = False

    def row(self) -> dict[str, Any]:
        """Return the row of table suppression."""
        renamed = {"by": "decided_by", "at": "decided_at"}  # the short names are words of SQL
        return {renamed.get(n, n): value for n, value in asdict(self).items() if n != "undone"}

    def fits(self, finding: Finding) -> bool:
        """Whether every event of a finding fits every criterion."""
        if self.query and not (
            finding.query_id == self.query or (self.query.endswith(".") and finding.query_id.startswith(self.query))
        ):
            return False
        return all(self._fits_event(row) for row in finding.events)

    def _fits_event(self, row: dict[str, Any]) -> bool:
        return (
            (not self.principal or row["actor"] == self.principal or row["credential_id"] == self.principal)
            and (not self.resource or row["resource"] == self.resource)
            and (not self.address or _within(row["source_ip"], self.address))
        )


def _within(address: str | None, network: str) -> bool:
    key = read_address(address).key if address else None
    low, high = network_bounds(network)
    return key is not None and low <= key <= high


def suppressions_of(folder: CaseFolder) -> list[Suppression]:
    """Return all suppressions of a case in order, those undone too. Raises CaseFault for a broken line."""
    found: list[Suppression] = []
    for entry in _entries(folder):
        if entry.get("act") == ADDED:
            texts: dict[str, Any] = {name: str(entry.get(name) or "") for name in _TEXTS}
            found.append(Suppression(number=len(found) + 1, **texts, at=parse_time(str(entry.get("at") or ""))))
        elif entry.get("act") == UNDONE and entry.get("number") in range(1, len(found) + 1):
            found[entry["number"] - 1] = replace(found[entry["number"] - 1], undone=True)
    return found


def _entries(folder: CaseFolder) -> Iterator[dict[str, Any]]:
    content = folder.work_path.read_bytes() if folder.work_path.exists() else b""
    for number, line in enumerate(content.splitlines(), 1):
        try:
            entry = json.loads(line)
        except ValueError:
            raise CaseFault("a line is not JSON", place=f"work.jsonl:{number}") from None
        if isinstance(entry, dict):
            yield entry


def suppress(folder: CaseFolder, given: Suppression) -> int:
    """Note a suppression in work.jsonl and the custody log; returns its number.

    Raises UsageFault without a reason, an author or any criterion, or for an address that is none.
    """
    lacking = [name for name in ("reason", "by") if not getattr(given, name).strip()]
    if lacking:
        raise UsageFault(f"a suppression needs {' and '.join(lacking)}", hint="say why, and who decides")
    if not (given.query or given.principal or given.address or given.resource):
        raise UsageFault("a suppression of everything is refused", hint="name a query, principal, address or resource")
    if given.address:
        try:
            network_bounds(given.address)
        except ValueError:
            raise UsageFault("is no address or network", place="--ip") from None
    number = len(suppressions_of(folder)) + 1
    texts = {name: mask_keys(getattr(given, name)) for name in _TEXTS if getattr(given, name)}
    _append(folder, {"act": ADDED, **texts}, given.by)
    return number


def undo(folder: CaseFolder, number: int, reason: str, by: str) -> None:
    """Take a suppression back by a second line. Raises UsageFault when there is none, or it was undone."""
    if not reason.strip() or not by.strip():
        raise UsageFault("undoing needs reason and by", hint="say why, and who decides")
    held = {s.number: s for s in suppressions_of(folder)}
    if number not in held or held[number].undone:
        raise UsageFault(f"there is no suppression {number} in force", hint="keytrail suppress CASE lists them")
    _append(folder, {"act": UNDONE, "number": number, "reason": reason, "by": by}, by)


def _append(folder: CaseFolder, entry: dict[str, Any], by: str) -> None:
    line = {**entry, "at": iso(folder.clock().replace(tzinfo=None))}
    with folder.locked("suppress"):
        with folder.work_path.open("ab") as stream:
            stream.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        folder.custody.append(entry["act"], by, **{n: v for n, v in entry.items() if n not in {"act", "by"}})


def marked(result: HuntResult, suppressions: Iterable[Suppression]) -> HuntResult:
    """Return a hunt whose findings say by which suppression they are suppressed; nothing is left out."""
    active = [s for s in suppressions if not s.undone]
    if not active:
        return result
    return replace(result, findings=tuple(_marked(finding, active) for finding in result.findings))


def _marked(finding: Finding, active: list[Suppression]) -> Finding:
    number = next((s.number for s in active if s.fits(finding)), None)
    return finding if number is None else replace(finding, suppression=number)
