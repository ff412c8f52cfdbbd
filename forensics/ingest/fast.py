"""The fast reader: plain S3 delivery of CloudTrail, `{"Records":[...]}` written without blanks.

It splits the list of records at the seam between two of them and lets a strict JSON reader prove each piece: when all
pieces are whole objects, the list can be read in this way only. A record whose form is not the usual one is parsed as
the careful reader does; whatever would not become a row sends the whole file there. Both
readers therefore give the same rows; this one only gives none where it is not sure.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain
from typing import Any

import orjson
import pyarrow as pa
from orjson import OPT_SORT_KEYS, dumps, loads

from forensics.ingest.careful import MAX_DEPTH, parse
from forensics.ingest.fast_windows import LINES, Stretch, Window, joined, layout_of, windows
from forensics.ingest.material import IS_HEX, Material, mask_rows, mask_text, rows_matching, suspects_of
from forensics.ingest.mending import readable
from forensics.ingest.reading import READ, FileReading, Received
from forensics.sources import aws_cloudtrail
from forensics.sources.aws_cloudtrail import is_plain_event
from forensics.sources.catalogue import recognise
from forensics.sources.protocol import Document, Probe, RawRecord
from forensics.store.duckdb_engine import ROW_GROUP
from forensics.store.eventstore import INCOMING, PLACES, Group
from forensics.store.identity import canonical_sha256

_NOT_OPENING = bytes(set(range(256)) - set(b"{[\n"))
#: Numbers that readers write differently (fractions, exponents, minus zero, more than 18 digits). Texts may match too.
_ODD_NUMBER = r"[:\[,][ \t\r\n]*(?:-0[,}\]]|-?[0-9]+[.eE]|-?[0-9]{19})"
#: An escaped NUL, which no column holds.
_ZERO = r"[\\]u0000"
_MAY_HOLD = frozenset({dict, list, float})
_SOURCE = aws_cloudtrail.SOURCE
#: Form and container of files, with the names of their first records, that no other format claims.
_NO_OTHER: set[tuple[str, str, frozenset[str]]] = set()
_MOST_SHAPES = 1_000


class NotPlain(Exception):
    """The file is for the careful reader, and parts of it were already handed on."""


class _Careful(Exception):
    """The file is for the careful reader."""


#: What says that a file, or one of some, is for the careful reader.
_UNLIKE = (_Careful, orjson.JSONDecodeError, pa.ArrowInvalid, UnicodeError)


@dataclass(slots=True)
class _Columns:
    """Columns of one window of records, in the order of the file; what few records have, by row."""

    native: list[str] = field(default_factory=list)
    canonical: list[str] = field(default_factory=list)
    key: list[str] = field(default_factory=list)
    digest: list[str] = field(default_factory=list)
    rewritten: dict[int, str] = field(default_factory=dict)
    unmapped: dict[int, str] = field(default_factory=dict)
    repaired: set[int] = field(default_factory=set)
    doubled: set[int] = field(default_factory=set)


def read_fast(received: Received, group: Group, part: Callable[[Group], None] | None = None) -> FileReading | None:
    """Read a file into `group`, or return None and leave `group` as it was: then the careful reader is asked.

    `part` takes what was read of a large file so far. Raises NotPlain when the rest then asks for the careful reader:
    what was handed on must be given up.
    """
    layout = layout_of(received)
    if layout is None:
        return None
    tables: list[tuple[pa.Table, pa.Table]] = []
    material: list[dict[str, Any]] = []
    why, number, handed_on, waiting = "", 0, False, 0
    try:
        for window in windows(received, layout):
            why = why or _recognised(window, window.stretches[0])
            places, records, found = _batch(window)
            tables.append((places, records))
            material += [row for _, row in found]
            number += len(window.starts)
            waiting += len(window.starts)
            if part and waiting >= ROW_GROUP:
                given, tables, waiting, handed_on = Group(bulk=tables), [], 0, True
                part(given)
    except _UNLIKE as error:
        if handed_on:
            raise NotPlain from error
        return None
    group.bulk.extend(tables)
    return _reading(received, number, why, material)


def read_together(files: Sequence[Received], group: Group) -> list[FileReading | None]:
    """Read small files (`is_small`) into `group`; None for each that the careful reader is asked for."""
    if not files:
        return []
    try:
        window = joined(files)
        whys = [_recognised(window, stretch) for stretch in window.stretches]
        places, records, found = _batch(window)
    except _UNLIKE:
        half = len(files) // 2
        return [*read_together(files[:half], group), *read_together(files[half:], group)] if half else [None]
    group.bulk.append((places, records))
    material: list[list[dict[str, Any]]] = [[] for _ in files]
    for number, row in found:
        material[number].append(row)
    counts = [stretch.count for stretch in window.stretches]
    return [_reading(*facts) for facts in zip(files, counts, whys, material, strict=True)]


def _reading(received: Received, count: int, why: str, material: list[dict[str, Any]]) -> FileReading:
    return FileReading(
        READ,
        source_id=_SOURCE.id,
        reader_version=_SOURCE.reader_version,
        seen=count,
        offered=count,
        notes=list(received.content.notes),
        why=why,
        material=material,
    )


def _recognised(window: Window, stretch: Stretch) -> str:
    """Return why a file is CloudTrail by its first records; the same question to all formats that the careful reader asks."""
    received, first = stretch.received, window.pieces[stretch.row]
    data, record = received.content.data, orjson.loads(first)
    head = data[: 4 * 4096].decode("utf-8", "ignore")[:4096]
    probe = Probe("json", frozenset({"Records"}), "Records", record, text_head=head)
    if stretch.layout is LINES:
        form = "ndjson" if len(data.rstrip(b"\n")) > len(first) else "json"
        probe = Probe(form, frozenset(record), "", record, text_head=head)
    if any(source.recognise(probe) for source in received.maps):
        raise _Careful
    shape = probe.form, probe.container, frozenset(record)
    if shape in _NO_OTHER and (why := _SOURCE.recognise(probe)):
        return why
    claims = recognise(probe)
    if len(claims) != 1 or claims[0][0] is not _SOURCE:
        raise _Careful
    # No format looks at more than the names of a record that has names of CloudTrail only.
    if is_plain_event(record) and len(_NO_OTHER) < _MOST_SHAPES:
        _NO_OTHER.add(shape)
    return claims[0][1]


def _batch(window: Window) -> tuple[pa.Table, pa.Table, list[tuple[int, dict[str, Any]]]]:
    """Return places and records of a window, and its key material by number of the stretch."""
    texts = window.column()
    suspects = suspects_of(texts, f"{_ODD_NUMBER}|{_ZERO}")
    odd = rows_matching(suspects, _ODD_NUMBER)
    masked, found = mask_rows(suspects)
    strange = _deep(window) | {row for row, body in suspects.items() if r"\u0000" in body}
    columns = _columns(window, odd | strange, odd - strange, {row for row, _ in found})
    material = [_material(item, window, row) for row, item in found]
    if columns.rewritten and found:
        raise _Careful
    changed = masked or columns.rewritten
    shown = window.column_with(changed) if changed else texts
    return _places(columns, window), _incoming(columns, shown, window), material


def _material(item: Material, window: Window, row: int) -> tuple[int, dict[str, Any]]:
    if item.start < 0:
        raise _Careful
    before = window.pieces[row].decode("utf-8")[: item.start].encode("utf-8")
    number = bisect_right(window.stretches, row, key=lambda s: s.row) - 1
    stretch = window.stretches[number]
    return number, {
        "record_no": stretch.first + row - stretch.row,
        "byte_offset": stretch.offset + window.starts[row] - window.starts[stretch.row] + len(before),
        "kind": item.kind,
        "masked": item.masked,
        "digest": item.digest or None,
        "places": 1,
    }


def _deep(window: Window) -> set[int]:
    """Return the rows that open more objects and lists than may lie within each other, those in their texts counted."""
    opened = window.text.translate(None, _NOT_OPENING).split(b"\n")
    if len(opened) != len(window.starts):  # line feeds within a record
        opened = [window.pieces[row].translate(None, _NOT_OPENING + b"\n") for row in range(len(window.pieces))]
    return {row for row, marks in enumerate(opened) if len(marks) > MAX_DEPTH}


def _columns(window: Window, odd: set[int], fractions: set[int], secret: set[int]) -> _Columns:
    """Parse each record: that proves it whole, and gives its identity."""
    columns = _Columns()
    natives, canonicals, keys, digests = columns.native, columns.canonical, columns.key, columns.digest
    for row, raw in enumerate(window.pieces):
        value = loads(raw)
        text = dumps(value, None, OPT_SORT_KEYS)
        # Blanks, repeated names and needless escapes make the text that comes back shorter than the one that was read.
        if len(text) == len(raw) and row not in odd and is_plain_event(value):
            native = value.get("eventID")
            native = native if isinstance(native, str) else ""
            canonicals.append(sha256(text).hexdigest())
        elif row in fractions and (written := _with_fractions(value, raw)) and is_plain_event(value):
            native = value.get("eventID")
            native = native if isinstance(native, str) else ""
            canonicals.append(sha256(written).hexdigest())
        else:
            native = _unusual(columns, raw, row)
        if row in secret and not (row not in columns.unmapped and IS_HEX(native)):
            _without_secrets(native, columns.unmapped.get(row) or "")
        digest = sha256(raw).hexdigest()
        natives.append(native)
        digests.append(digest)
        keys.append(sha256(f"{_SOURCE.id}\n{native}\n{digest}".encode()).hexdigest()[:32])
    return columns


def _with_fractions(value: Any, raw: bytes) -> bytes:
    """Return the sorted text of a record with its fractions as the canonical form has them, in quotes; b"" when in doubt.

    Every object of S3 counts its bytes as 0.0. Only a record that comes back to the byte has all its numbers as written.
    """
    try:
        return dumps(_quoted(value), None, OPT_SORT_KEYS) if dumps(value) == raw else b""
    except ValueError:
        return b""


def _quoted(value: Any) -> Any:
    """Return a parsed value with its fractions as texts. Raises ValueError for an exponent, which may be written otherwise."""
    kind = type(value)
    if kind is dict:
        return {name: _quoted(v) if type(v) in _MAY_HOLD else v for name, v in value.items()}
    if kind is list:
        return [_quoted(v) for v in value]
    if kind is not float:
        return value
    written = dumps(value).decode()
    if "e" in written:
        raise ValueError(written)
    return written


def _without_secrets(*texts: str) -> None:
    if any(mask_text(text) != text for text in texts):
        raise _Careful


def _unusual(columns: _Columns, raw: bytes, row: int) -> str:
    """Read one record as the careful reader does; returns its id. Raises _Careful for what is no row."""
    text = raw.decode("utf-8")
    value, end, fault, flags = parse(text, 0)
    if fault or end != len(text) or not isinstance(value, Mapping):
        raise _Careful
    record = RawRecord(row, 0, len(raw), text, value, flags=flags)
    answer = _SOURCE.read(Document([record], (), (), None)).answers[0]  # type: ignore[arg-type]
    if answer.row is None or not answer.native_id.isprintable():
        raise _Careful
    written, repaired = readable(record)
    if written != text:
        columns.rewritten[row] = written
    columns.canonical.append(canonical_sha256(value))
    if (unmapped := answer.row.get("unmapped")) is not None:
        columns.unmapped[row] = unmapped
    if repaired:
        columns.repaired.add(row)
    if "duplicate_names" in flags:
        columns.doubled.add(row)
    return answer.native_id


def _places(columns: _Columns, window: Window) -> pa.Table:
    count, files = len(window.starts), [s.received for s in window.stretches]
    filled: dict[str, Any] = {
        "own_key": columns.key,
        "native_id": columns.native,
        "canonical_sha256": columns.canonical,
        "file_sha256": window.repeated([f.file_sha256 for f in files]),
        "content_sha256": window.repeated([f.content.sha256 for f in files]),
        "receipt_id": [*chain.from_iterable([s.received.receipt_id] * s.count for s in window.stretches)],
        "record_no": window.numbers(),
        "byte_offset": window.offsets(),
        "byte_length": window.lengths,
        "json_pointer": pa.repeat("", count),
        "record_sha256": columns.digest,
        "member_path": window.repeated([f.member_path for f in files]),
    }
    return _table(filled, PLACES)


def _incoming(columns: _Columns, texts: pa.Array, window: Window) -> pa.Table:
    count, files = len(texts), [s.received for s in window.stretches]
    filled: dict[str, Any] = {
        "own_key": columns.key,
        "raw": texts,
        "canonical_sha256": columns.canonical,
        "unmapped": [columns.unmapped.get(row) for row in range(count)]
        if columns.unmapped
        else pa.nulls(count, pa.string()),
        "source_id": pa.repeat(_SOURCE.id, count),
        "owner": window.repeated([f.provenance.owner for f in files]),
        "evidence_sha256": window.repeated([f.content.sha256 for f in files]),
        "evidence_record": window.numbers(),
        "file_sha256": window.repeated([f.file_sha256 for f in files]),
        "text_repaired": _marked(columns.repaired, count),
        "duplicate_names": _marked(columns.doubled, count),
    }
    return _table(filled, INCOMING)


def _marked(rows: set[int], count: int) -> Any:
    return [row in rows for row in range(count)] if rows else pa.repeat(False, count)


def _table(filled: dict[str, Any], schema: pa.Schema) -> pa.Table:
    arrays = [v if isinstance(v, pa.Array) else pa.array(v, schema.field(n).type) for n, v in filled.items()]
    return pa.Table.from_arrays(arrays, schema=pa.schema([schema.field(n) for n in filled])).select(schema.names)
