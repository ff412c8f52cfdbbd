"""The careful reader for CSV: rows as dictionaries of text, with their byte places."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from forensics.ingest.careful import Slice, parse, skip_blank

MAX_FIELD = 16 * 1024**2
#: A line of an export from CloudWatch Logs to S3: the time of the log event, a blank, the message.
TIMED_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z (?=[{])")
_LINE = re.compile(r"[^\n]+")


def delimiter_of(header: str) -> str:
    """Return what parts the columns of a header line: a comma, else a semicolon or tab that makes columns of it."""
    if "," not in header:
        for each in (";", "\t"):
            if each in header:
                return each
    return ","


def csv_records(text: str) -> Iterator[Slice]:
    """Yield every row after the header. A row with more fields than the header is a fault; missing fields are empty.

    Positions are characters of the text; quoted line ends stay inside their row.
    """
    csv.field_size_limit(MAX_FIELD)
    position = 0
    consumed: list[str] = []

    def lines() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            consumed.append(line)
            yield line.replace("\x00", "")

    header: list[str] = []
    first = text[: text.find("\n")] if "\n" in text else text
    rows = csv.reader(lines(), delimiter=delimiter_of(first))
    while True:
        try:
            fields = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            start, position = position, position + sum(len(line) for line in consumed)
            consumed.clear()
            yield Slice(start, position, fault=f"not a CSV row: {error}")
            continue
        start, position = position, position + sum(len(line) for line in consumed)
        consumed.clear()
        if not header:
            header = [name.strip().lstrip("\ufeff") for name in fields]
        elif fields:
            yield _row(header, fields, start, position)


def _row(header: list[str], fields: list[str], start: int, end: int) -> Slice:
    if len(fields) > len(header):
        return Slice(start, end, fault=f"{len(fields)} fields, the header has {len(header)}")
    value = dict(zip(header, [*fields, *[""] * (len(header) - len(fields))], strict=True))
    return Slice(start, end, value)


def line_records(text: str) -> Iterator[Slice]:
    """Yield the JSON value of each line `<time> <JSON>`; its place is that of the value alone.

    A line without time may hold the value itself. What is neither is a fault.
    """
    for line in _LINE.finditer(text):
        start = skip_blank(text, line.start())
        if start >= line.end():
            continue
        timed = TIMED_LINE.match(text, start)
        start = timed.end() if timed else start
        value, end, fault, flags = parse(text, start)
        if fault or not end or end > line.end() or text[end : line.end()].strip():
            yield Slice(start, line.end(), fault=fault or "more than one JSON value in a line")
        else:
            yield Slice(start, end, value, flags=flags)
