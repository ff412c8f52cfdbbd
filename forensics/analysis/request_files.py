"""Requests out of and into CSV and work.jsonl, and as letters to those who are asked."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from forensics.analysis.collection.guide import lines_of, step
from forensics.analysis.requests import Noted, Request
from forensics.model.clock import iso
from forensics.model.errors import UsageFault
from forensics.model.masking import mask_keys
from forensics.model.text import sheet_safe, term_safe
from forensics.model.times import parse_time

if TYPE_CHECKING:
    from forensics.model.case import Settings
    from forensics.store.case_folder import CaseFolder

COLUMNS = (
    "id", "from_whom", "provider", "kind", "what", "why", "keys", "window_from", "window_until", "grouping", "state",
    "why_not", "received_at", "expires_on", "asked_at", "asked_by", "note",
)  # fmt: skip
_ACT = "request"
_LARGEST = 4 * 1024**2
_LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import took: request ids, and lines that were left with the reason."""

    taken: tuple[str, ...]
    left: tuple[str, ...]


def noted_of(folder: CaseFolder) -> dict[str, Noted]:
    """Return what people noted, the last entry of each request; lines of other acts are not looked at."""
    found: dict[str, Noted] = {}
    content = folder.work_path.read_bytes() if folder.work_path.exists() else b""
    for line in content.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("act") == _ACT and isinstance(entry.get("id"), str):
            found[entry["id"]] = Noted(*(str(entry.get(n) or "") for n in ("asked_at", "asked_by", "note")))
    return found


def rows_of_requests(requests: Sequence[Request]) -> list[dict[str, Any]]:
    """Return requests as rows of text, in the columns of the CSV."""
    rows = []
    for request in requests:
        row: dict[str, Any] = {}
        for name in COLUMNS:
            value = getattr(request, name)
            row[name] = (
                "; ".join(value)
                if isinstance(value, tuple)
                else iso(value)
                if isinstance(value, datetime)
                else value or ""
            )
        rows.append(row)
    return rows


def to_csv(requests: Sequence[Request]) -> str:
    """Return the requests as CSV whose cells no spreadsheet takes for a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows_of_requests(requests):
        writer.writerow([sheet_safe(str(row[name])) for name in COLUMNS])
    return out.getvalue()


def take_csv(folder: CaseFolder, content: bytes, requests: Sequence[Request], at: datetime, by: str) -> Imported:
    """Take asked_at, asked_by and note of each row into work.jsonl, with one custody entry; other columns are not read.

    Rows that name no request of the case, or a time without zone, are left and named. The caller holds no lock.
    Raises UsageFault for a file that is too large or has no column id.
    """
    if len(content) > _LARGEST:
        raise UsageFault("the table is larger than 4 MiB", hint="it should be the CSV that this command wrote")
    reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig", "replace").replace("\x00", "")))
    try:
        rows = list(reader)
    except csv.Error as error:
        raise UsageFault(f"the table cannot be read: {error}") from error
    if "id" not in (reader.fieldnames or ()):
        raise UsageFault("the table has no column id", hint="it should be the CSV that this command wrote")
    before, ids = noted_of(folder), {r.id for r in requests}
    lines, taken, left = [], [], []
    for number, row in enumerate(rows, start=2):
        name = _cell(row, "id")
        new = Noted(_cell(row, "asked_at"), _cell(row, "asked_by"), _cell(row, "note"))
        if name not in ids:
            left.append(f"line {number}: no request {name!r}")
        elif new.asked_at and parse_time(new.asked_at, assume_utc=False) is None:
            left.append(f"line {number}: asked_at {new.asked_at!r} needs a date, time and zone")
        elif new != before.get(name, Noted()):
            taken.append(name)
            entry = {"act": _ACT, "id": name, "asked_at": new.asked_at, "asked_by": new.asked_by, "note": new.note}
            lines.append(json.dumps({**entry, "at": iso(at), "by": by}, ensure_ascii=False, separators=(",", ":")))
    if lines:
        with folder.locked("requests"):
            with folder.work_path.open("ab") as stream:
                stream.write("".join(line + "\n" for line in lines).encode("utf-8", "backslashreplace"))
            folder.custody.append("requests noted", by, requests=len(lines))
    return Imported(tuple(taken), tuple(left))


def _cell(row: dict[str | Any, Any], name: str) -> str:
    value = row.get(name)
    text = term_safe(value.strip()) if isinstance(value, str) else ""
    return mask_keys(text.removeprefix("'"))[:_LONGEST]


def letter(requests: Sequence[Request], settings: Settings) -> str:
    """Return the request to one customer and provider as plain text; it names no other customer.

    Raises UsageFault when the requests are of several.
    """
    owners = {(r.from_whom, r.provider) for r in requests}
    if len(owners) != 1:
        raise UsageFault("a letter is to one customer and about one provider")
    who, provider = owners.pop()
    first = requests[0]
    start, end = iso(first.window_from), iso(first.window_until)
    lines = [
        f"To: {who or settings.organisation}",
        f"From: {settings.examiner or 'the examiner'}, for {settings.organisation or 'the organisation concerned'}",
        f"Subject: evidence needed in case {settings.id}" + (f", {provider}" if provider else ""),
        f"Marking: {settings.tlp}",
        "",
        f"We examine an incident of {settings.organisation or 'an organisation'} and need the following, for the time from",
        f"{start} to {end} (UTC, end exclusive). Please send the files as they come, do not open and save them,",
        "and tell us their SHA-256 another way than with the files. Never send a key or password itself.",
    ]
    for number, request in enumerate(requests, start=1):
        lines += ["", f"{number}. {request.what} (our number {request.id})"]
        if request.keys:
            lines.append(f"   Keys: {', '.join(request.keys)}")
        lines.append(f"   Why: {request.why}")
        if request.grouping:
            lines.append(f"   Needed: {request.grouping}; every page; zone UTC")
        if request.why_not and request.state != "open":
            lines.append(f"   What came is not enough: {'; '.join(request.why_not)}")
        if request.expires_on:
            lines.append(f"   It may be lost after {iso(request.expires_on)}: please save it first.")
        if request.step:
            lines += [f"   {line}" for line in lines_of(step(request.step), {"start": start, "end": end})[1:]]
    return "\n".join(term_safe(line) for line in lines) + "\n"
