"""Who owns and who sent each file: the receipt table, `--owner`, or nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from forensics.ingest.discover import Found
from forensics.ingest.mending import mend
from forensics.ingest.rows import MAX_FIELD
from forensics.ingest.unpack import decode
from forensics.model.errors import UsageFault
from forensics.model.masking import mask_keys
from forensics.model.times import parse_time

REQUIRED = frozenset({"path", "owner"})
_LARGEST = 4 * 1024**2


@dataclass(frozen=True, slots=True)
class ReceiptFacts:
    """What is stated of a received file, and `read_at`, the moment it was read. Times naive UTC."""

    owner: str = ""
    basis: str = "unassigned"
    organisation: str = ""
    from_whom: str = ""
    received_at: datetime | None = None
    read_at: datetime | None = None
    means: str = ""
    sender_sha256: str = ""
    window_from: datetime | None = None
    window_until: datetime | None = None
    zone: str = ""


class ReceiptTable:
    """Rows of receipt tables met in an ingest, looked up by path: the longest stated path wins."""

    def __init__(self) -> None:
        self._rows: dict[str, ReceiptFacts] = {}

    def add(self, folder: str, content: bytes, place: str) -> None:
        """Read a receipt table whose paths are relative to `folder`.

        Raises UsageFault naming every bad row: times need a zone, and one path has one row.
        """
        faults: list[str] = []
        for number, row in enumerate(_rows(content, place), start=2):
            fields = {
                (k or "").strip().lower(): mask_keys((v or "").strip())
                for k, v in row.items()
                if isinstance(v, str | None)
            }
            path = fields.get("path", "").strip("/")
            key = "/".join(part for part in (folder, path) if part and part != ".")
            if key in self._rows:
                faults.append(f"line {number}: {path!r} has a row already")
            times = {
                n: _time(fields.get(n, ""), f"line {number}: {n}", faults)
                for n in ("received_at", "window_from", "window_until")
            }
            self._rows[key] = ReceiptFacts(
                owner=fields.get("owner", ""),
                basis="stated" if fields.get("owner") else "unassigned",
                organisation=fields.get("provider_organisation", ""),
                from_whom=fields.get("from_whom", ""),
                means=fields.get("means", ""),
                sender_sha256=fields.get("sender_sha256", "").lower(),
                zone=fields.get("zone", ""),
                **times,
            )
        if faults:
            raise UsageFault("; ".join(faults), place=place, hint="correct the receipt table and ingest again")

    def find(self, name: str) -> ReceiptFacts | None:
        """Return the row for a file, or for the nearest folder above it."""
        parts = name.split("/")
        for length in range(len(parts), -1, -1):
            facts = self._rows.get("/".join(parts[:length]))
            if facts:
                return facts
        return None


def _rows(content: bytes, place: str) -> list[dict[str, Any]]:
    csv.field_size_limit(MAX_FIELD)
    try:
        return list(csv.DictReader(io.StringIO(_text(content))))
    except csv.Error as error:
        hint = "correct the receipt table and ingest again"
        raise UsageFault(f"the receipt table is no CSV: {error}", place=place, hint=hint) from error


def _text(content: bytes) -> str:
    return str(mend(decode(content)[0].removeprefix("\ufeff")))


def _time(text: str, where: str, faults: list[str]) -> datetime | None:
    if not text:
        return None
    moment = parse_time(text, assume_utc=False)
    if moment is None:
        faults.append(f"{where} {text!r} needs a date, time and zone, e.g. 2026-05-06T10:30:00Z")
    return moment


def is_receipt_table(path: Path) -> bool:
    """Return whether a file begins with a CSV header that has path and owner."""
    try:
        with path.open("rb") as stream:
            head = stream.read(4096)
    except OSError:
        return False
    names = {name.strip().strip('"').lower() for name in _text(head).partition("\n")[0].split(",")}
    return names >= REQUIRED and path.stat().st_size <= _LARGEST


def read_tables(files: Sequence[Found]) -> ReceiptTable:
    """Read every receipt table among the files before anything else is read."""
    table = ReceiptTable()
    for found in files:
        if not found.problem and is_receipt_table(found.path):
            folder = found.name.rpartition("/")[0]
            table.add(folder, found.path.read_bytes(), found.name)
    return table
