"""Read a file of indicators: its form is found from the content, each entry is judged, what cannot be used is said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import Any

from forensics.indicators.kinds import kind_named, tlp_named
from forensics.indicators.lists import MOST_ENTRIES, csv_entries, text_entries, yaml_entries
from forensics.indicators.misp import events_of, misp_entries
from forensics.indicators.openioc import openioc_entries
from forensics.indicators.stix import is_bundle, parsed_json, stix_entries
from forensics.model.errors import UsageFault
from forensics.model.indicator import Entry, NotUsable, indicator_id, judge
from forensics.model.masking import mask_keys

Row = dict[str, Any]
LARGEST = 256 * 1024**2


@dataclass(frozen=True, slots=True)
class IndicatorFile:
    """What a file states: `form` as we call it, rows of tables `indicator` and `indicator_fault`."""

    form: str
    rows: tuple[Row, ...]
    faults: tuple[Row, ...]


def read_indicators(data: bytes, name: str) -> IndicatorFile:
    """Return the indicators of a file. Raises UsageFault that names the file when nothing of it can be read."""
    form, found = entries_of(data, name)
    rows, faults = _judged(found, sha256(data).hexdigest(), name)
    return IndicatorFile(form, tuple(rows), tuple(faults))


def entries_of(data: bytes, name: str) -> tuple[str, list[Entry]]:
    """Return the form of a file of indicators and its entries, not judged yet. Raises UsageFault as `read_indicators` does."""
    if len(data) > LARGEST:
        raise UsageFault("is larger than 256 MiB", place=name)
    try:
        form, entries = _entries(data, name)
        found = list(islice(entries, MOST_ENTRIES + 1))
    except UsageFault as fault:
        raise UsageFault(f"the file of indicators {fault.message}", place=name, hint=fault.hint) from None
    if len(found) > MOST_ENTRIES:
        raise UsageFault(f"holds more than {MOST_ENTRIES} entries", place=name, hint="split the file")
    return form, found


def _entries(data: bytes, name: str) -> tuple[str, Iterator[Entry]]:
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return "OpenIOC", openioc_entries(data.lstrip(b"\xef\xbb\xbf \t\r\n"))
    text = _text(data)
    if text.lstrip()[:1] in {"{", "["} and (name.lower().endswith(".json") or text.lstrip()[:1] == "{"):
        parsed = parsed_json(text)
        if is_bundle(parsed):
            return "STIX 2 bundle", stix_entries(parsed)
        events = events_of(parsed)
        if events:
            return "MISP event", misp_entries(events)
        raise UsageFault("is JSON, but no STIX bundle and no MISP event", hint="lists of our own are YAML, CSV or text")
    if name.lower().endswith((".yml", ".yaml")) or text.lstrip().startswith("indicators:"):
        return "YAML list", yaml_entries(text)
    if name.lower().endswith((".csv", ".tsv")):
        return "table", csv_entries(text)
    return "text list", text_entries(text)


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "utf-16") if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else ("utf-8-sig",):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    try:
        return data.decode("utf-16") if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else data.decode("cp1252")
    except UnicodeDecodeError:
        raise UsageFault("is no text that can be read", hint="save it as UTF-8") from None


def _judged(entries: Iterable[Entry], digest: str, name: str) -> tuple[list[Row], list[Row]]:
    rows: dict[tuple[str, str], Row] = {}
    faults: list[Row] = []
    for entry in entries:
        try:
            kind = _kind(entry)
            value = judge(entry, kind)
        except NotUsable as reason:
            raw = mask_keys(entry.value)[:500]
            faults.append(
                {"file_sha256": digest, "file_name": name, "place": entry.place, "raw": raw, "reason": str(reason)}
            )
            continue
        identity = indicator_id(value.kind, value.match, value.value)
        rows.setdefault(
            (identity, entry.place),
            {
                "indicator_id": identity, "kind": value.kind, "value": value.value, "match": value.match, "raw": value.raw,
                "place": entry.place, "note": (entry.note and mask_keys(entry.note)) or None, "tlp": (entry.tlp and tlp_named(entry.tlp)) or None,
                "dated": entry.dated, "valid_from": entry.valid_from, "valid_until": entry.valid_until,
                "confidence": entry.confidence, "context": entry.context, "derived": entry.derived,
                "file_sha256": digest, "file_name": name,
            },
        )  # fmt: skip
    return list(rows.values()), faults


def _kind(entry: Entry) -> str:
    if entry.kind.startswith("!"):
        raise NotUsable(entry.kind[1:])
    kind = kind_named(entry.kind)
    if entry.kind and not kind:
        raise NotUsable(f"is said to be of kind {entry.kind[:40]!r}, which is not one that is matched")
    return kind
