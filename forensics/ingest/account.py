"""The account of a run of ingest: what became of each file, as rows of the store and as a result."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from forensics.ingest.discover import Found
from forensics.ingest.mending import clean
from forensics.ingest.reading import DEFECTIVE, SKIPPED, FileReading
from forensics.ingest.receipts import ReceiptFacts
from forensics.ingest.scratch import account_of
from forensics.store.eventstore import EventStore, text_json

_NO_BYTES = sha256(b"").hexdigest()


@dataclass(slots=True)
class IngestResult:
    """Account of one run of ingest."""

    accepted: int = 0
    skipped: list[dict[str, str]] = field(default_factory=list)
    defective: list[dict[str, str]] = field(default_factory=list)
    records: Counter[str] = field(default_factory=Counter)
    receipts: list[int] = field(default_factory=list)
    tables: dict[str, int] = field(default_factory=dict)
    first_event: datetime | None = None
    last_event: datetime | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Pending:
    """A file that is read and not committed yet. `opened`: its content was looked at; False for an empty file."""

    receipt_id: int
    found: Found
    facts: ReceiptFacts
    reading: FileReading
    size: int
    exhibit: str | None
    stored_as: str | None
    is_new: bool
    digest: str | None = None
    content_sha256: str = _NO_BYTES
    content_bytes: int = 0
    opened: bool = False
    was_unread: bool = False
    unpacking: str | None = None


def insert_files(
    store: EventStore, pending: list[Pending], counts: Counter[tuple[int, str]], *, copied: bool
) -> list[dict[str, Any]]:
    """Insert evidence_file, receipt, defect and key_material rows; return the receipt lines."""
    lines, files, defects, material = [], [], [], []
    now_read: list[Pending] = []
    for item in pending:
        account = (
            account_of(item.reading, counts, item.receipt_id)
            if item.opened
            else dict.fromkeys(("seen", "accepted", "duplicate", "defect", "out_of_scope"), 0)
        )
        if account["seen"] != sum(account[name] for name in ("accepted", "duplicate", "defect", "out_of_scope")):
            raise RuntimeError(f"the account of {item.found.name} does not add up: {account}")  # nothing is committed
        lines.append(clean(_receipt_line(item, account)))
        if item.is_new and item.digest:
            files.append(clean(_file_row(item, copied)))
            material += [{"member_path": "", **row, "file_sha256": item.digest} for row in item.reading.material]
        elif item.was_unread and item.digest:
            now_read.append(item)
            material += [{"member_path": "", **row, "file_sha256": item.digest} for row in item.reading.material]
        defects += item.reading.defects
        if not item.opened and item.reading.state == DEFECTIVE:
            defects.append({"receipt_id": item.receipt_id, "reason": item.reading.reason, "is_record": False})
    store.insert("evidence_file", files)
    for item in now_read:  # after the rows that are new: the file may have come unread in this very group
        _read_now(store, item)
    store.insert("receipt", lines)
    store.insert("defect", defects)
    store.insert("key_material", material)
    return lines


def _read_now(store: EventStore, item: Pending) -> None:
    """Say in the register what became of a file that was read anew: its number and hash stay."""
    row = _file_row(item, copied=False)
    names = ("source_id", "state", "reason", "reader_version", "notes", "content_sha256", "content_bytes")
    settings = ", ".join(f"{name} = ?" for name in names)
    sql = f"UPDATE evidence_file SET {settings} WHERE file_sha256 = ?"  # noqa: S608 - own names
    store.connection.execute(sql, [*(clean(row)[name] for name in names), item.digest])
    store.connection.execute("DELETE FROM key_material WHERE file_sha256 = ?", [item.digest])


def tally(result: IngestResult, item: Pending, line: dict[str, Any]) -> None:
    """Add a committed file to the result."""
    result.receipts.append(line["receipt_id"])
    result.records.update({n: line[n] for n in ("seen", "accepted", "duplicate", "defect", "out_of_scope")})
    place = {"path": item.found.name, "reason": item.reading.reason}
    if item.reading.state == DEFECTIVE:
        result.defective.append(place)
    elif item.reading.state == SKIPPED:
        result.skipped.append(place)
    else:
        result.accepted += 1
    result.notes += [f"{item.found.name}: {n}" for n in item.reading.notes]


def _receipt_line(item: Pending, account: dict[str, int]) -> dict[str, Any]:
    facts = item.facts
    return {
        "receipt_id": item.receipt_id,
        "file_sha256": item.digest,
        "exhibit": item.exhibit,
        "path": item.found.name,
        "state": item.reading.state,
        "reason": item.reading.reason,
        "source_id": item.reading.source_id,
        "owner": facts.owner,
        "owner_basis": facts.basis,
        "organisation": facts.organisation,
        "from_whom": facts.from_whom,
        "received_at": facts.received_at,
        "read_at": facts.read_at,
        "means": facts.means,
        "sender_sha256": facts.sender_sha256 or None,
        "sender_agrees": facts.sender_sha256 == item.digest if facts.sender_sha256 and item.digest else None,
        "window_from": facts.window_from,
        "window_until": facts.window_until,
        "zone": facts.zone,
        "unpacking": item.unpacking,
        "size_bytes": item.size,
        **account,
    }


def _file_row(item: Pending, copied: bool) -> dict[str, Any]:
    reading = item.reading
    return {
        "file_sha256": item.digest,
        "content_sha256": item.content_sha256,
        "exhibit": item.exhibit,
        "size_bytes": item.size,
        "content_bytes": item.content_bytes,
        "stored_as": item.stored_as,
        "original_path": None if copied and item.stored_as else str(item.found.path.absolute()),
        "source_id": reading.source_id,
        "state": reading.state,
        "reason": reading.reason or reading.why,
        "reader_version": reading.reader_version,
        "notes": text_json(reading.notes),
    }
