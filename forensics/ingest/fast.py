"""The fast reader: plain S3 delivery of CloudTrail, `{"Records":[...]}` written without blanks.

It splits the list of records at the seam between two of them and lets a strict JSON reader prove each piece: when all
pieces are whole objects, the list can be read in this way only. A record whose form is not the usual one is parsed as
the careful reader does; whatever would not become a row sends the whole file there. Both
readers therefore give the same rows; this one only gives none where it is not sure.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import accumulate, pairwise
from typing import Any

import orjson
import pyarrow as pa
from orjson import OPT_SORT_KEYS, dumps, loads

from forensics.ingest.careful import MAX_DEPTH, parse
from forensics.ingest.material import Material, mask_rows, mask_text, rows_matching, suspects_of
from forensics.ingest.mending import readable
from forensics.ingest.reading import READ, FileReading, Received
from forensics.ingest.unpack import binary_kind
from forensics.sources import aws_cloudtrail
from forensics.sources.aws_cloudtrail import is_plain_event
from forensics.sources.catalogue import recognise
from forensics.sources.protocol import Document, Probe, RawRecord
from forensics.store.duckdb_engine import ROW_GROUP
from forensics.store.eventstore import INCOMING, PLACES, Group
from forensics.store.identity import canonical_sha256

_HEAD, _TAIL = b'{"Records":[', b"]}"
_SEAM = b'},{"eventVersion":'
_NEXT = b'{"eventVersion":'
#: The same seam with a line feed, which JSON takes for a blank and no JSON text holds within its strings.
_LINES = b'}\n{"eventVersion":'
_NOT_OPENING = bytes(set(range(256)) - set(b"{[\n"))
#: Numbers that readers write differently (fractions, exponents, minus zero, more than 18 digits). Texts may match too.
_ODD_NUMBER = r"[:\[,][ \t\r\n]*(?:-0[,}\]]|-?[0-9]+[.eE]|-?[0-9]{19})"
#: An escaped NUL, which no column holds.
_ZERO = r"[\\]u0000"
_MAY_HOLD = frozenset({dict, list, float})
#: Ids that hold no key material, whatever its form.
_IS_HEX = re.compile(r"[0-9a-f-]*").fullmatch
#: Bytes that are read at once.
_WINDOW = 8 * 1024**2
_SOURCE = aws_cloudtrail.SOURCE


class NotPlain(Exception):
    """The file is for the careful reader, and parts of it were already handed on."""


class _Careful(Exception):
    """The file is for the careful reader."""


@dataclass(frozen=True, slots=True)
class _Window:
    """Consecutive records as one text, each on a line of its own: the comma between two became a line feed.

    Record `n` stands at `starts[n]` and has `lengths[n]` bytes. `first` is the number of the first one, `offset` its
    place in the content.
    """

    text: bytes
    starts: list[int]
    lengths: list[int]
    first: int
    offset: int

    def record(self, row: int) -> bytes:
        return self.text[self.starts[row] : self.starts[row] + self.lengths[row]]

    def column(self) -> pa.Array:
        """Return the records as texts without copying them, a line feed behind all but the last."""
        return _texts(self.text, [*self.starts, len(self.text)])

    def column_with(self, changed: dict[int, str]) -> pa.Array:
        """Return the same with other texts in some rows."""
        parts, at = list[bytes](), 0
        lengths = [end - start for start, end in pairwise([*self.starts, len(self.text)])]
        for row, text in sorted(changed.items()):
            written = text.encode("utf-8")
            parts += [self.text[at : self.starts[row]], written]
            at = self.starts[row] + lengths[row]
            lengths[row] = len(written)
        return _texts(b"".join((*parts, self.text[at:])), [0, *accumulate(lengths)])


def _texts(text: bytes, bounds: list[int]) -> pa.Array:
    buffers = [None, pa.py_buffer(array("i", bounds)), pa.py_buffer(text)]
    return pa.Array.from_buffers(pa.string(), len(bounds) - 1, buffers)


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
    data = received.content.data
    end = len(data) - data.endswith(b"\n") - len(_TAIL)
    if received.content.problem or not data.startswith(_HEAD + _NEXT) or not data.startswith(b"}" + _TAIL, end - 1):
        return None
    if binary_kind(data):
        return None
    tables: list[tuple[pa.Table, pa.Table]] = []
    material: list[dict[str, Any]] = []
    why, number, handed_on, waiting = "", 0, False, 0
    try:
        for window in _windows(data, len(_HEAD), end):
            why = why or _recognised(window.record(0), received)
            tables.append(_batch(window, received, material))
            number += len(window.starts)
            waiting += len(window.starts)
            if part and waiting >= ROW_GROUP:
                given, tables, waiting, handed_on = Group(bulk=tables), [], 0, True
                part(given)
    except (_Careful, orjson.JSONDecodeError, pa.ArrowInvalid, UnicodeError) as error:
        if handed_on:
            raise NotPlain from error
        return None
    group.bulk.extend(tables)
    return FileReading(
        READ,
        source_id=_SOURCE.id,
        reader_version=_SOURCE.reader_version,
        seen=number,
        offered=number,
        notes=list(received.content.notes),
        why=why,
        material=material,
    )


def _windows(data: bytes, start: int, end: int) -> Iterator[_Window]:
    """Yield the records of `data[start:end]`, some megabytes at a time: that bounds the memory."""
    number = 0
    while start < end:
        cut = data.rfind(_SEAM, start, start + _WINDOW) if end - start > _WINDOW else end - 1
        if cut < 0:  # one record is larger than the window
            cut = data.find(_SEAM, start + _WINDOW - len(_SEAM), end)
            cut = cut if cut >= 0 else end - 1
        written = data[start : cut + 1]
        text = written.replace(_SEAM, _LINES)
        lengths = [*map(len, text.split(b"\n"))]
        if b"\n" in written:  # within a record
            lengths = [len(piece) + len(_NEXT) + 1 for piece in written[:-1].split(_SEAM)]
            lengths[0] -= len(_NEXT)
        starts = [0, *accumulate(length + 1 for length in lengths[:-1])]
        yield _Window(text, starts, lengths, number, start)
        number += len(lengths)
        start = cut + 2


def _recognised(first: bytes, received: Received) -> str:
    """Return why the file is CloudTrail; the same question to all formats that the careful reader asks."""
    data = received.content.data
    head = data[: 4 * 4096].decode("utf-8", "ignore")[:4096]
    probe = Probe("json", frozenset({"Records"}), "Records", orjson.loads(first), text_head=head)
    claims = recognise(probe)
    if any(source.recognise(probe) for source in received.maps):
        raise _Careful
    if len(claims) != 1 or claims[0][0] is not _SOURCE:
        raise _Careful
    return claims[0][1]


def _batch(window: _Window, received: Received, material: list[dict[str, Any]]) -> tuple[pa.Table, pa.Table]:
    """Return places and records of a window."""
    texts = window.column()
    suspects = suspects_of(texts, f"{_ODD_NUMBER}|{_ZERO}")
    odd = rows_matching(suspects, _ODD_NUMBER)
    masked, found = mask_rows(suspects)
    strange = _deep(window) | {row for row, body in suspects.items() if r"\u0000" in body}
    columns = _columns(window, odd | strange, odd - strange, {row for row, _ in found})
    material += [_material(item, window, row) for row, item in found]
    if columns.rewritten and found:
        raise _Careful
    changed = masked or columns.rewritten
    shown = window.column_with(changed) if changed else texts
    return _places(columns, received, window), _incoming(columns, shown, received, window)


def _material(item: Material, window: _Window, row: int) -> dict[str, Any]:
    if item.start < 0:
        raise _Careful
    before = window.record(row).decode("utf-8")[: item.start].encode("utf-8")
    return {
        "record_no": window.first + row,
        "byte_offset": window.offset + window.starts[row] + len(before),
        "kind": item.kind,
        "masked": item.masked,
        "digest": item.digest or None,
        "places": 1,
    }


def _deep(window: _Window) -> set[int]:
    """Return the rows that open more objects and lists than may lie within each other, those in their texts counted."""
    opened = window.text.translate(None, _NOT_OPENING).split(b"\n")
    if len(opened) != len(window.starts):  # line feeds within a record
        opened = [window.record(row).translate(None, _NOT_OPENING + b"\n") for row in range(len(window.starts))]
    return {row for row, marks in enumerate(opened) if len(marks) > MAX_DEPTH}


def _columns(window: _Window, odd: set[int], fractions: set[int], secret: set[int]) -> _Columns:
    """Parse each record: that proves it whole, and gives its identity."""
    columns = _Columns()
    natives, canonicals, keys, digests = columns.native, columns.canonical, columns.key, columns.digest
    view = memoryview(window.text)
    for row, (start, length) in enumerate(zip(window.starts, window.lengths, strict=True)):
        raw = view[start : start + length]
        value = loads(raw)
        text = dumps(value, None, OPT_SORT_KEYS)
        # Blanks, repeated names and needless escapes make the text that comes back shorter than the one that was read.
        if len(text) == length and row not in odd and is_plain_event(value):
            native = value.get("eventID")
            native = native if isinstance(native, str) else ""
            canonicals.append(sha256(text).hexdigest())
        elif row in fractions and (written := _with_fractions(value, raw)) and is_plain_event(value):
            native = value.get("eventID")
            native = native if isinstance(native, str) else ""
            canonicals.append(sha256(written).hexdigest())
        else:
            native = _unusual(columns, bytes(raw), row)
        if row in secret and not (row not in columns.unmapped and _IS_HEX(native)):
            _without_secrets(native, columns.unmapped.get(row) or "")
        digest = sha256(raw).hexdigest()
        natives.append(native)
        digests.append(digest)
        keys.append(sha256(f"{_SOURCE.id}\n{native}\n{digest}".encode()).hexdigest()[:32])
    return columns


def _with_fractions(value: Any, raw: memoryview) -> bytes:
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


def _places(columns: _Columns, received: Received, window: _Window) -> pa.Table:
    count = len(window.starts)
    numbers = range(window.first, window.first + count)
    filled: dict[str, Any] = {
        "own_key": columns.key,
        "native_id": columns.native,
        "canonical_sha256": columns.canonical,
        "file_sha256": pa.repeat(received.file_sha256, count),
        "content_sha256": pa.repeat(received.content.sha256, count),
        "receipt_id": pa.repeat(pa.scalar(received.receipt_id, pa.int64()), count),
        "record_no": numbers,
        "byte_offset": [window.offset + start for start in window.starts],
        "byte_length": window.lengths,
        "json_pointer": pa.repeat("", count),
        "record_sha256": columns.digest,
        "member_path": pa.repeat(received.member_path, count),
    }
    return _table(filled, PLACES)


def _incoming(columns: _Columns, texts: pa.Array, received: Received, window: _Window) -> pa.Table:
    count = len(texts)
    filled: dict[str, Any] = {
        "own_key": columns.key,
        "raw": texts,
        "canonical_sha256": columns.canonical,
        "unmapped": [columns.unmapped.get(row) for row in range(count)]
        if columns.unmapped
        else pa.nulls(count, pa.string()),
        "source_id": pa.repeat(_SOURCE.id, count),
        "owner": pa.repeat(received.provenance.owner, count),
        "evidence_sha256": pa.repeat(received.content.sha256, count),
        "evidence_record": range(window.first, window.first + count),
        "file_sha256": pa.repeat(received.file_sha256, count),
        "text_repaired": _marked(columns.repaired, count),
        "duplicate_names": _marked(columns.doubled, count),
    }
    return _table(filled, INCOMING)


def _marked(rows: set[int], count: int) -> Any:
    return [row in rows for row in range(count)] if rows else pa.repeat(False, count)


def _table(filled: dict[str, Any], schema: pa.Schema) -> pa.Table:
    arrays = [v if isinstance(v, pa.Array) else pa.array(v, schema.field(n).type) for n, v in filled.items()]
    return pa.Table.from_arrays(arrays, schema=pa.schema([schema.field(n) for n in filled])).select(schema.names)
