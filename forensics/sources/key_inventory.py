"""A customer's or vendor's own list of provider keys: a statement of a person as of a time, never proof.

CSV with the columns customer, provider and at least one that names the key or its place. Where the key
lies is written `secret:REGION:NAME`, `ssm:REGION:NAME`, `lambda:REGION:NAME`, `s3:BUCKET/KEY` or as an ARN.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from forensics.model.fields import compact, plain
from forensics.model.masking import mask_keys
from forensics.model.times import parse_time
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_NEEDED = frozenset({"customer", "provider"})
_NAMING = ("provider_key_id", "key_id", "key_sha256", "sha256", "key_name", "hint", "location")
_TIMES = ("created_at", "rotated_at", "revoked_at", "as_of")
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
_ARN = re.compile(r"arn:aws[a-z-]*:(secretsmanager|ssm|lambda|s3):([a-z0-9-]*):(\d*):(.+)", re.ASCII)
_SHORT = re.compile(r"(secret|ssm|lambda):([a-z]{2}(?:-[a-z]+)+-\d+):(.+)", re.ASCII)
_SUFFIX = re.compile(r"-[A-Za-z0-9]{6}$")
_FIXED_ZONE = re.compile(r"([+-])(\d\d):?(\d\d)", re.ASCII)
_WORD = re.compile(r"[\s\-]+")

Place = tuple[str | None, str | None, str | None]


def _name(text: str) -> str:
    return _WORD.sub("_", text.strip().lower())


def _of_arn(text: str) -> Place | None:
    match = _ARN.fullmatch(text)
    if not match:
        return None
    service, region, _, rest = match.groups()
    kind, _, name = rest.partition(":")
    if service == "secretsmanager" and kind == "secret" and name:
        return "secret", region or None, _SUFFIX.sub("", name)
    if service == "lambda" and kind == "function" and name:
        return "lambda", region or None, name.split(":")[0]
    if service == "ssm" and rest.startswith("parameter/"):
        name = rest.removeprefix("parameter/")
        return "ssm", region or None, "/" + name if "/" in name else name
    return ("s3", None, rest) if service == "s3" else None


def read_location(text: str | None) -> Place:
    """Return (kind, region, name within the store) of a place as written; kind `other` for an unknown form.

    The six characters that Secrets Manager adds to a name are taken off only from an ARN.
    """
    written = (text or "").strip()
    if not written:
        return None, None, None
    place = _of_arn(written)
    if place:
        return place
    short = _SHORT.fullmatch(written)
    if short:
        kind, region, name = short.groups()
        inner = _of_arn(name)
        return inner if inner and inner[0] == kind else (kind, region, name)
    if written.startswith("s3:") and "/" in written[3:].lstrip("/"):
        return "s3", None, written[3:].lstrip("/")
    return "other", None, written


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


class KeyInventory:
    """Rows of a key inventory."""

    id = "key_inventory"
    title = "Key inventory"
    provider = ""
    reference = "Keytrail's own form, described in this module"
    reader_version = "1"
    table = "ai_key"

    def recognise(self, probe: Probe) -> str:
        """Recognise by the columns customer, provider and one that names the key or its place."""
        if probe.form != "csv":
            return ""
        names = {_name(name) for name in probe.header}
        return "columns customer, provider and a name of the key" if names >= _NEEDED and names & {*_NAMING} else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Rows of CSV are the records."""
        return ()

    def read(self, document: Document) -> Reading:
        """Turn rows into rows of `ai_key`; one answer a record, defects with their reason."""
        notes: set[str] = set()
        zone = document.provenance.zone
        reading = Reading(answers=[self._answer(record, zone, notes) for record in document.records])
        reading.notes = sorted(notes)
        return reading

    def _answer(self, record: RawRecord, zone: str, notes: set[str]) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not a row")
        cells = {_name(str(name)): cell for name, cell in record.value.items()}
        texts = {name: text.strip() for name, cell in cells.items() if (text := plain(cell))}
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
