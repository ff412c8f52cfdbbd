"""A customer's or vendor's own list of provider keys: a statement of a person as of a time, never proof.

CSV with the columns customer, provider and at least one that names the key or its place, or JSON with members of these
names: a list, lines, or `{"as_of": ..., "author": ..., "keys": [...]}`, whose time and author hold for rows without their
own. Where the key lies is written `secret:REGION:NAME`, `ssm:REGION:NAME`, `lambda:REGION:NAME`, `s3:BUCKET/KEY` or as an ARN.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from forensics.model.fields import compact, inside, plain
from forensics.model.key_place import read_location
from forensics.model.masking import mask_keys
from forensics.model.times import parse_time
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_NEEDED = frozenset({"customer", "provider"})
_NAMING = ("provider_key_id", "key_id", "key_sha256", "sha256", "key_name", "hint", "location")
_TIMES = ("created_at", "rotated_at", "revoked_at", "as_of")
#: What may stand around the rows of JSON.
_AROUND = frozenset({"keys", "as_of", "author", "comment"})
_COLUMNS = {
    "customer": "customer",
    "provider": "key_provider",
    "key_name": "key_name",
    "hint": "hint",
    "kind": "kind",
    "location": "location_raw",
    "owner": "key_owner",
    "author": "author",
}
_FIXED_ZONE = re.compile(r"([+-])(\d\d):?(\d\d)", re.ASCII)
_WORD = re.compile(r"[\s\-]+")


def _name(text: str) -> str:
    return _WORD.sub("_", text.strip().lower())


def _moment(text: str, zone: str) -> datetime | None:
    """Return UTC of a stated time. A time without zone is in the zone of the receipt, UTC when it names none.

    Raises ValueError or KeyError for a zone that is not known.
    """
    exact = parse_time(text, assume_utc=False)
    local = parse_time(text)
    if exact is not None or local is None or zone.strip().upper() in {"", "Z", "UTC"}:
        return exact or local
    fixed = _FIXED_ZONE.fullmatch(zone.strip())
    if fixed:
        offset = timedelta(hours=int(fixed[2]), minutes=int(fixed[3]))
        return local + offset if fixed[1] == "-" else local - offset
    aware = local.replace(tzinfo=ZoneInfo(zone.strip()))
    return local - (aware.utcoffset() or timedelta())


def _members(probe: Probe) -> set[str]:
    """Return the names of the first row of JSON: of the first object, or of the first of its list `keys`.

    None where more stands beside the list than an inventory has, or where the rows are verdicts: results about keys are
    no statement of their owner.
    """
    keys = inside(probe.sample, "keys")
    if isinstance(keys, list) and not probe.keys <= _AROUND:
        return set()
    first = keys[0] if isinstance(keys, list) and keys else probe.sample
    if probe.form not in {"json", "ndjson"} or not isinstance(first, Mapping) or "verdict" in first:
        return set()
    return {str(name) for name in first}


def _given(cells: Mapping[str, object]) -> dict[str, object]:
    return {name: cell for name, cell in cells.items() if cell is not None and cell != ""}


class KeyInventory:
    """Rows of a key inventory."""

    id = "key_inventory"
    title = "Key inventory"
    provider = ""
    reference = "Keytrail's own form, described in this module"
    reader_version = "2"
    table = "ai_key"

    def recognise(self, probe: Probe) -> str:
        """Recognise by the columns customer, provider and one that names the key or its place."""
        names = {_name(name) for name in (probe.header if probe.form == "csv" else _members(probe))}
        return "columns customer, provider and a name of the key" if names >= _NEEDED and names & {*_NAMING} else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Rows of CSV and bare objects are the records; an object with a list `keys` leads there."""
        if probe.form == "csv":
            return ()
        if isinstance(inside(probe.sample, "keys"), list):
            return ("keys",)
        return (probe.container,) if probe.container else ()

    def read(self, document: Document) -> Reading:
        """Turn rows into rows of `ai_key`; one answer a record, defects with their reason."""
        notes: set[str] = set()
        zone = document.provenance.zone
        head = {_name(str(name)): value for each in document.envelopes for name, value in each.items()}
        whole: dict[str, object] = {name: head[name] for name in ("as_of", "author") if name in head}
        reading = Reading(answers=[self._answer(record, zone, notes, whole) for record in document.records])
        reading.notes = sorted(notes)
        return reading

    def _answer(self, record: RawRecord, zone: str, notes: set[str], whole: dict[str, object]) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not a row")
        cells = {_name(str(name)): cell for name, cell in record.value.items()}
        texts = {name: text.strip() for name, cell in {**whole, **_given(cells)}.items() if (text := plain(cell))}
        lacking = sorted(_NEEDED - texts.keys())
        if lacking:
            return RowOrDefect(record, defect=f"no {lacking[0]}")
        named = next((texts[name] for name in _NAMING if name in texts), None)
        if named is None:
            return RowOrDefect(record, defect="nothing names the key: no id, name, hint, hash or location")
        if any(isinstance(cell, str) and mask_keys(cell) != cell for cell in cells.values()):
            notes.add("a cell held a whole key: masked here, but the received file holds it")
        sha, used = texts.get("key_sha256") or texts.get("sha256"), {(name,) for name in _COLUMNS}
        if sha is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", sha):
            notes.add("sha256 is not 64 hex digits in some rows")
            sha = None
        used |= {("key_sha256",), ("sha256",)} if sha else set()
        kind, region, location = read_location(texts.get("location"))
        row: Row = {
            "provider": texts["provider"].lower(),
            **{column: texts.get(name) for name, column in _COLUMNS.items()},
            "key_id": texts.get("provider_key_id") or texts.get("key_id"),
            "key_sha256": sha.lower() if sha else None,
            "location_kind": kind,
            "location_region": region,
            "location": location,
        }
        row["key_provider"] = row["provider"]
        for name in _TIMES:
            row[name] = self._time(texts.get(name), name, zone, notes)
            used |= {(name,)} if row[name] is not None else set()
        row["raw"] = compact(cells, used | {("provider_key_id",), ("key_id",)})
        native = (texts["customer"], row["provider"], row["key_id"] or location or named)
        return RowOrDefect(record, row, "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in native))

    @staticmethod
    def _time(text: str | None, name: str, zone: str, notes: set[str]) -> datetime | None:
        if text is None:
            return None
        try:
            when = _moment(text[:64], zone)
        except (ValueError, KeyError, OSError, OverflowError):
            notes.add("the zone of the receipt is not known: times without a zone are left out")
            return None
        if when is None:
            notes.add(f"{name} is not a time in some rows")
        return when


SOURCE = KeyInventory()
