"""Rows of a result as files: CSV guarded against formulas, JSON lines and Parquet exact."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from forensics.model.clock import iso
from forensics.model.errors import UsageFault
from forensics.model.outcome import CanonicalRows
from forensics.model.text import sheet_safe

FORMATS = ("csv", "jsonl", "parquet")


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _jsonable(row: Sequence[Any]) -> Iterator[Any]:
    for value in row:
        yield (
            iso(value)
            if isinstance(value, datetime)
            else value
            if value is None or isinstance(value, str | int | bool)
            else str(value)
        )


def write_rows(rows: CanonicalRows, path: Path, form: str) -> None:
    """Write rows to a new file as csv (guarded against formulas), jsonl (exact) or parquet (exact, typed).

    Raises UsageFault when the file exists or cannot be written; nothing half-written stays.
    """
    if path.exists():
        raise UsageFault("the file exists already", place=str(path), hint="choose another name; nothing is overwritten")
    part = path.with_name(path.name + ".part")
    try:
        {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}[form](rows, part)
        part.replace(path)
    except OSError as error:
        raise UsageFault("the file cannot be written", place=str(path), hint=str(error.strerror)) from error
    finally:
        part.unlink(missing_ok=True)


def _csv(rows: CanonicalRows, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="", errors="backslashreplace") as stream:
        writer = csv.writer(stream, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
        writer.writerow(rows.columns)
        for row in rows.rows:
            writer.writerow([sheet_safe(_text(value)) for value in row])


def _jsonl(rows: CanonicalRows, path: Path) -> None:
    with path.open("w", encoding="ascii", newline="\n") as stream:
        for row in rows.rows:
            stream.write(json.dumps(dict(zip(rows.columns, _jsonable(row), strict=True)), separators=(",", ":")) + "\n")


def _parquet(rows: CanonicalRows, path: Path) -> None:
    kinds = {
        "TIMESTAMP": pa.timestamp("us"),
        "BIGINT": pa.int64(),
        "BOOLEAN": pa.bool_(),
        "INTEGER": pa.int32(),
    }
    columns = [
        pa.array([row[n] for row in rows.rows], kinds.get(kind, pa.string())) for n, kind in enumerate(rows.types)
    ]
    pq.write_table(
        pa.table(dict(zip(rows.columns, columns, strict=True))), path, compression="zstd", store_schema=False
    )
