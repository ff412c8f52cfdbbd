"""The fast reader: plain S3 delivery of CloudTrail, `{"Records":[...]}` written without blanks.

It splits the list of records at the seam between two of them and lets a strict JSON reader prove each piece: when all
pieces are whole objects, the list can be read in this way only. A record whose form is not the usual one is parsed as
the careful reader does; whatever would not become a row sends the whole file there. Both
readers therefore give the same rows; this one only gives none where it is not sure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson
import pyarrow as pa
from orjson import OPT_SORT_KEYS, dumps, loads

from forensics.ingest.careful import MAX_DEPTH, parse
from forensics.ingest.material import Material, mask_column, mask_text, suspects_of
from forensics.ingest.mending import readable
from forensics.ingest.reading import READ, FileReading, Received
from forensics.ingest.unpack import binary_kind
from forensics.sources import aws_cloudtrail
from forensics.sources.catalogue import recognise
from forensics.sources.protocol import Document, Probe, RawRecord
from forensics.store.duckdb_engine import ROW_GROUP
from forensics.store.eventstore import INCOMING, PLACES, Group
from forensics.store.identity import canonical_sha256

_HEAD, _TAIL = b'{"Records":[', b"]}"
_SEAM = b'},{"eventVersion":'
_NEXT = b'{"eventVersion":'
#: Numbers that readers write differently (fractions, exponents, minus zero, more than 18 digits). Texts may match too.
_ODD_NUMBER = r"[:\[,][ \t\r\n]*(?:-0[,}\]]|-?[0-9]+[.eE]|-?[0-9]{19})"
_IS_ODD = re.compile(_ODD_NUMBER).search
#: Ids that hold no key material, whatever its form.
_IS_HEX = re.compile(r"[0-9a-f-]*").fullmatch
#: Bytes that are read at once.
_WINDOW = 8 * 1024**2
_SOURCE = aws_cloudtrail.SOURCE


class NotPlain(Exception):
    """The file is for the careful reader, and parts of it were already handed on."""


class _Careful(Exception):
    """The file is for the careful reader."""


@dataclass(slots=True)
class _Columns:
    """Columns of one batch of records, in the order of the file."""

    rewritten: dict[int, str] = field(default_factory=dict)
    native: list[str] = field(default_factory=list)
    canonical: list[str] = field(default_factory=list)
    key: list[str] = field(default_factory=list)
    digest: list[str] = field(default_factory=list)
    unmapped: list[str | None] = field(default_factory=list)
    repaired: list[bool] = field(default_factory=list)
    doubled: list[bool] = field(default_factory=list)


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
        for offset, records in _windows(data, len(_HEAD), end):
            why = why or _recognised(records[0], received)
            tables.append(_batch(records, received, number, offset, material))
            number += len(records)
            waiting += len(records)
            if part and waiting >= ROW_GROUP:
                part(Group(bulk=tables))
                tables, waiting, handed_on = [], 0, True
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


def _windows(data: bytes, start: int, end: int) -> Iterator[tuple[int, list[bytes]]]:
    """Yield (byte offset, records) of `data[start:end]`, some megabytes at a time: that bounds the memory."""
    while start < end:
        cut = data.rfind(_SEAM, start, start + _WINDOW) if end - start > _WINDOW else end - 1
        if cut < 0:  # one record is larger than the window
            cut = data.find(_SEAM, start + _WINDOW - len(_SEAM), end)
            cut = cut if cut >= 0 else end - 1
        pieces = data[start:cut].split(_SEAM)
        yield start, [(_NEXT if n else b"") + piece + b"}" for n, piece in enumerate(pieces)]
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


def _batch(
    part: list[bytes], received: Received, start: int, offset: int, material: list[dict[str, Any]]
) -> tuple[pa.Table, pa.Table]:
    """Return places and records of consecutive records, the first with number `start` at byte `offset`."""
    texts = pa.array(part, pa.binary()).cast(pa.string())
    suspects = suspects_of(texts, _ODD_NUMBER)
    odd = {row for row, body in suspects.items() if _IS_ODD(body)}
    masked, found = mask_column(texts, suspects)
    columns = _columns(part, start, odd, {row for row, _ in found})
    lengths = [len(raw) for raw in part]
    offsets = []
    for length in lengths:
        offsets.append(offset)
        offset += length + 1
    material += [_material(item, start + row, offsets[row], part[row]) for row, item in found]
    if columns.rewritten:
        if found:
            raise _Careful
        masked = _rewritten(masked, columns.rewritten)
    return _places(columns, received, start, offsets, lengths), _incoming(columns, masked, received, start)


def _material(item: Material, number: int, offset: int, raw: bytes) -> dict[str, Any]:
    if item.start < 0:
        raise _Careful
    return {
        "record_no": number,
        "byte_offset": offset + len(raw.decode("utf-8")[: item.start].encode("utf-8")),
        "kind": item.kind,
        "masked": item.masked,
        "digest": item.digest or None,
        "places": 1,
    }


def _rewritten(texts: pa.Array, rewritten: dict[int, str]) -> pa.Array:
    whole = texts.to_pylist()
    for row, text in rewritten.items():
        whole[row] = text
    return pa.array(whole, pa.string())


def _columns(part: list[bytes], start: int, odd: set[int], secret: set[int]) -> _Columns:
    """Parse each record: that proves it whole, and gives its identity."""
    columns = _Columns()
    prefix = sha256(f"{_SOURCE.id}\n".encode())
    for row, raw in enumerate(part):
        value = loads(raw)
        text = dumps(value, None, OPT_SORT_KEYS)
        # Blanks, repeated names and needless escapes make the text that comes back shorter than the one that was read.
        usual = (
            len(text) == len(raw)
            and row not in odd
            and (b"\\u" not in raw or not (b"\\u0000" in raw or b"\\ud" in raw or b"\\uD" in raw))
            and raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH
        )
        if usual and aws_cloudtrail.is_plain_event(value):
            native = value.get("eventID")
            native = native if isinstance(native, str) else ""
            columns.canonical.append(sha256(text).hexdigest())
            columns.unmapped.append(None)
            columns.repaired.append(False)
            columns.doubled.append(False)
        else:
            native = _unusual(columns, raw, start + row)
        if (
            row in secret
            and not (columns.unmapped[-1] is None and _IS_HEX(native))
            and any(mask_text(each) != each for each in (native, columns.unmapped[-1] or ""))
        ):
            raise _Careful
        digest = sha256(raw).hexdigest()
        columns.native.append(native)
        columns.digest.append(digest)
        key = prefix.copy()
        key.update(f"{native}\n{digest}".encode())
        columns.key.append(key.hexdigest()[:32])
    return columns


def _unusual(columns: _Columns, raw: bytes, number: int) -> str:
    """Read one record as the careful reader does; returns its id. Raises _Careful for what is no row."""
    text = raw.decode("utf-8")
    value, end, fault, flags = parse(text, 0)
    if fault or end != len(text) or not isinstance(value, Mapping):
        raise _Careful
    record = RawRecord(number, 0, len(raw), text, value, flags=flags)
    answer = _SOURCE.read(Document([record], (), (), None)).answers[0]  # type: ignore[arg-type]
    if answer.row is None:
        raise _Careful
    written, repaired = readable(record)
    if written != text:
        columns.rewritten[len(columns.key)] = written
    columns.canonical.append(canonical_sha256(value))
    columns.unmapped.append(answer.row.get("unmapped"))
    columns.repaired.append(repaired)
    columns.doubled.append("duplicate_names" in flags)
    if not answer.native_id.isprintable():
        raise _Careful
    return answer.native_id


def _places(columns: _Columns, received: Received, start: int, offsets: list[int], lengths: list[int]) -> pa.Table:
    count = len(lengths)
    filled: dict[str, Any] = {
        "own_key": columns.key,
        "native_id": columns.native,
        "canonical_sha256": columns.canonical,
        "file_sha256": pa.repeat(received.file_sha256, count),
        "content_sha256": pa.repeat(received.content.sha256, count),
        "receipt_id": [received.receipt_id] * count,
        "record_no": range(start, start + count),
        "byte_offset": offsets,
        "byte_length": lengths,
        "json_pointer": pa.repeat("", count),
        "record_sha256": columns.digest,
        "member_path": pa.repeat(received.member_path, count),
    }
    return _table(filled, PLACES)


def _incoming(columns: _Columns, texts: pa.Array, received: Received, start: int) -> pa.Table:
    count = len(texts)
    content = received.content.sha256
    filled: dict[str, Any] = {
        "own_key": columns.key,
        "raw": texts,
        "canonical_sha256": columns.canonical,
        "unmapped": columns.unmapped,
        "source_id": pa.repeat(_SOURCE.id, count),
        "owner": pa.repeat(received.provenance.owner, count),
        "evidence": [f"{content}#{number:09d}" for number in range(start, start + count)],
        "file_sha256": pa.repeat(received.file_sha256, count),
        "text_repaired": columns.repaired,
        "duplicate_names": columns.doubled,
    }
    return _table(filled, INCOMING)


def _table(filled: dict[str, Any], schema: pa.Schema) -> pa.Table:
    arrays = [v if isinstance(v, pa.Array) else pa.array(v, schema.field(n).type) for n, v in filled.items()]
    return pa.Table.from_arrays(arrays, schema=pa.schema([schema.field(n) for n in filled])).select(schema.names)
