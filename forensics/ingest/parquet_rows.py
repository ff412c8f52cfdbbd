"""Rows of Parquet files as records: each row is one JSON object in canonical text, numbered from 0.

The text of a Parquet file is these objects, one a line; places of records are places in it.
https://parquet.apache.org/docs/file-format/
"""

from __future__ import annotations

import json
import warnings
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from forensics.ingest.careful import parse
from forensics.ingest.unpack import LIMITS, Content, Limits, OverLimit
from forensics.sources.protocol import Probe

MAGIC = b"PAR1"
_BATCH = 256
_OVER = "uncompressed size is over the limit"
_FAULTS = (pa.ArrowException, OSError, ValueError, OverflowError, NotImplementedError, RecursionError)


def parquet_rows(data: bytes, most: int = LIMITS.content) -> Iterator[dict[str, Any]]:
    """Yield each row as a dict of what JSON can hold, in the order of the file.

    Times are UTC in ISO 8601, numbers with a fraction and bytes that are no text become text, maps become objects.
    Raises OverLimit when a group of rows states more than `most` bytes, and pyarrow's exceptions, OSError and
    ValueError for a file that is damaged or cut off.
    """
    with pq.ParquetFile(pa.BufferReader(data), coerce_int96_timestamp_unit="us") as file:
        stated = (file.metadata.row_group(n).total_byte_size for n in range(file.metadata.num_row_groups))
        if any(size > most for size in stated):
            raise OverLimit(_OVER)
        for batch in file.iter_batches(batch_size=_BATCH, use_threads=False):
            table = pa.Table.from_batches([batch])
            table = table.cast(pa.schema([_micro(f) for f in table.schema]), safe=False)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a name twice in a map: the later counts, as in JSON
                rows = table.to_pylist(maps_as_pydicts="lossy")
            for row in rows:
                yield {str(name): _plain(value) for name, value in row.items()}


def row_text(row: Mapping[str, Any]) -> str:
    """Return the canonical JSON text of a row: sorted names, no blanks."""
    return json.dumps(row, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def text_of(content: Content, limits: Limits = LIMITS) -> str:
    """Return the rows of a Parquet file, one JSON object a line. A problem is noted on the content; rows before it stay."""
    lines: list[str] = []
    size, most = 0, min(limits.content, max(limits.ratio_from, limits.ratio * len(content.data)))
    try:
        for row in parquet_rows(content.data, most):
            lines.append(row_text(row))
            size += len(lines[-1])
            if size > most:
                content.problem = _OVER
                break
    except OverLimit as error:
        content.problem = str(error)
    except _FAULTS:
        content.problem = "the Parquet file is cut off, damaged or encrypted"
    content.complete = not content.problem
    note = "Parquet: offsets count bytes of its rows as JSON lines"
    content.notes += [note] if note not in content.notes else []
    return "".join(line + "\n" for line in lines)


def probe_rows(text: str) -> Probe:
    """Return the probe of a Parquet file's text: its first row, with the names of its columns as keys."""
    row = parse(text, 0)[0] if text else None
    return Probe("parquet", frozenset(row or ()), "", row, text_head=text[:4096])


def _micro(field: pa.Field) -> pa.Field:
    """Nanoseconds become microseconds, the finest that a time of Python holds."""
    return field.with_type(_micro_type(field.type))


def _micro_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return pa.timestamp("us", kind.tz)
    if pa.types.is_struct(kind):
        return pa.struct([_micro(kind.field(n)) for n in range(kind.num_fields)])
    if pa.types.is_list(kind):
        return pa.list_(_micro(kind.value_field))
    if pa.types.is_large_list(kind):
        return pa.large_list(_micro(kind.value_field))
    if pa.types.is_map(kind):
        return pa.map_(kind.key_field, _micro(kind.item_field), keys_sorted=kind.keys_sorted)
    return kind


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z" if value.tzinfo else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return _bytes_text(value)
    return f"{value:f}" if isinstance(value, Decimal) and value.is_finite() else str(value)


def _bytes_text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return "base64:" + b64encode(value).decode("ascii")
