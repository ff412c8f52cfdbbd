"""Find the original record of an event in the evidence and check its hash."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.model.errors import UsageFault, VerificationFault
from forensics.store.duckdb_engine import rows_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb

    from forensics.store.case_folder import CaseFolder

_SELECT = """
SELECT o.event_key, coalesce(o.own_key, o.event_key) AS own_key, o.table_name, o.file_sha256, o.content_sha256, o.member_path, o.record_no, o.byte_offset,
       o.byte_length, o.json_pointer, o.record_sha256, f.exhibit, f.stored_as, f.original_path, r.path, r.owner,
       r.unpacking
FROM occurrence o JOIN evidence_file f USING (file_sha256) JOIN receipt r USING (receipt_id)
WHERE o.event_key = $event OR o.own_key = $event
   OR o.event_key IN (SELECT event_key FROM aws_event WHERE event_id = $event)
   OR o.event_key IN (SELECT event_key FROM ai_audit_event WHERE event_id = $event)
   OR o.event_key IN (SELECT event_key FROM ai_request WHERE request_id = $event)
ORDER BY o.content_sha256, o.record_no, o.file_sha256, o.receipt_id
"""


@dataclass(frozen=True, slots=True)
class Original:
    """A record as it stands in the evidence. `verified` says that the bytes hash to what was noted at ingest."""

    event_key: str
    exhibit: str
    path: str
    owner: str
    record_no: int
    byte_offset: int
    byte_length: int
    json_pointer: str
    record_sha256: str
    file_sha256: str
    content_sha256: str
    text: str


def places_of(connection: duckdb.DuckDBPyConnection, event: str) -> list[dict[str, Any]]:
    """Return every place of an event, given by event key or the provider's id; the smallest first.

    Raises UsageFault when no record has that id.
    """
    rows = rows_of(connection, _SELECT, {"event": event})
    if not rows:
        raise UsageFault(
            f"no record has the id {event}",
            hint="give an event key or the provider's event id as printed by hunt or timeline",
        )
    return rows


def read_original(
    folder: CaseFolder,
    place: dict[str, Any],
    content_of: Callable[[bytes, str, str | None], str],
    inner_of: Callable[[str, str], str],
) -> Original:
    """Read the record at a place.

    `content_of` turns received bytes, the path of a member and how the file was opened into the decoded text, `inner_of` finds the text inside a
    record by JSON pointer.
    Raises VerificationFault when the exhibit or the record no longer has its hash, UsageFault when it is gone.
    """
    path = folder.root / place["stored_as"] if place["stored_as"] else Path(place["original_path"])
    try:
        received = path.read_bytes()
    except OSError as error:
        raise UsageFault("the original cannot be read", place=place["exhibit"], hint=str(error.strerror)) from error
    if sha256(received).hexdigest() != place["file_sha256"]:
        raise VerificationFault(
            "the original is not the file that was received: its SHA-256 differs", place=place["exhibit"]
        )
    data = content_of(received, place["member_path"], place["unpacking"]).encode("utf-8", "surrogateescape")
    outer = data[place["byte_offset"] : place["byte_offset"] + place["byte_length"]].decode("utf-8", "surrogateescape")
    text = inner_of(outer, place["json_pointer"]) if place["json_pointer"] else outer
    if (
        sha256(text.encode("utf-8", "surrogatepass" if place["json_pointer"] else "surrogateescape")).hexdigest()
        != place["record_sha256"]
    ):
        raise VerificationFault(
            "the record does not hash to what was noted at ingest",
            place=f"{place['exhibit']} record {place['record_no']}",
        )
    names = (
        "event_key",
        "exhibit",
        "path",
        "owner",
        "record_no",
        "byte_offset",
        "byte_length",
        "json_pointer",
        "record_sha256",
        "file_sha256",
        "content_sha256",
    )
    return Original(**{n: place[n] for n in names}, text=text)
