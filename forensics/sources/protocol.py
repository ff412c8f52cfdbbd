"""What a log format has to tell: how it is recognised, where its records are, what rows they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

Row = dict[str, Any]


#: Last step of a path to records that are lists themselves: each element of the list is one, whole.
WHOLE = "[]"


@dataclass(frozen=True, slots=True)
class Probe:
    """The beginning of a file's content, enough to recognise it. Names never decide.

    `form`: json, ndjson (several values in one file), csv, parquet (each row an object), lines (`<time> <JSON>` a line)
    or text. `keys`: top-level names of the first object.
    `container`: name of the first list found in it ("" when the file is a bare object or list).
    `sample`: first element of that list, or the first object itself. `header`: CSV column names as written.
    `text_head`: the first 4,096 characters.
    """

    form: str
    keys: frozenset[str] = frozenset()
    container: str = ""
    sample: Any = None
    header: tuple[str, ...] = ()
    text_head: str = ""


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One record with its place. `value` is the parsed record (a dict of text for CSV), `text` its exact text.

    `offset` and `length` are bytes in the decoded content and describe the outer record when `pointer` is set;
    `text` is then the text inside it. `contexts` are the objects that enclose the record, outermost first,
    without the lists that led here. `flags` names repairs: text_repaired, duplicate_names.
    """

    number: int
    offset: int
    length: int
    text: str
    value: Any
    contexts: tuple[Mapping[str, Any], ...] = ()
    pointer: str = ""
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the receipt says of a file: owner, provider organisation, time of receipt (naive UTC), zone of its dates.

    `stated`: the receipt tells the time; else it is the moment of reading, which is no part of what a record is.
    """

    owner: str = ""
    organisation: str = ""
    received_at: datetime | None = None
    zone: str = ""
    stated: bool = True


@dataclass(frozen=True, slots=True)
class Document:
    """All records of one file in one format. `envelopes`: scalar members of each top-level object (has_more, ...).

    `contexts`: every enclosing element met (usage buckets), also those whose list of records is empty.
    """

    records: Sequence[RawRecord]
    envelopes: Sequence[Mapping[str, Any]]
    contexts: Sequence[Mapping[str, Any]]
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class RowOrDefect:
    """Exactly one answer a record: a row, a defect or out of scope (both with a reason).

    `table` is where the row goes when it is not the format's own table: a file may mix requests and acts. `content` is
    the record inside a wrapping (the message of a log event in CSV): two wrappings of it are one record. None: as read.
    """

    record: RawRecord
    row: Row | None = None
    native_id: str = ""
    defect: str = ""
    out_of_scope: str = ""
    table: str = ""
    content: Any = None


@dataclass(slots=True)
class Reading:
    """What a document gave: answers in the order of its records, coverage rows (table ai_coverage), remarks."""

    answers: list[RowOrDefect] = field(default_factory=list)
    coverage: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Source(Protocol):
    """A log format. `table` is where its rows go; "" when it is registered only (digests, keys, metadata)."""

    id: str
    title: str
    provider: str
    reference: str
    reader_version: str
    table: str

    def recognise(self, probe: Probe) -> str:
        """Return in a few words why the content is of this format, or "" when it is not."""
        ...

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Return where records are: () for the value itself, ("Records",), ("data", "results").

        A list met on the way is walked; the last name leads to the list of records.
        """
        ...

    def read(self, document: Document) -> Reading:
        """Turn records into rows. Never raises for what a log may contain."""
        ...


@runtime_checkable
class Enclosing(Protocol):
    """A source whose records may hold several records in a text of theirs, each of which is answered by itself."""

    def inside(self, value: object) -> str:
        """Return the JSON pointer to the list of records in a record, or "" when it is the record itself."""
        ...


@runtime_checkable
class ByRecord(Protocol):
    """A source that judges each record by itself, so that a file may be read in parts.

    Its coverage goes from the first to the last of single events, and its remarks are sorted. The envelopes of pages are
    looked at when all parts are read.
    """

    by_record: bool


def whole(value: Any) -> int | None:
    """Return an integer from a JSON number or text (`3`, `3.0`, "3"), else None. Never a float.

    Text of a floating number that is not whole gives None.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value if abs(value) < 2**63 else None
    text = str(value).strip()
    head, _, tail = text.partition(".")
    body = head[1:] if head[:1] == "-" else head
    if not body.isascii() or not body.isdigit() or len(body) > 18 or tail.strip("0"):
        return None
    return int(head)


def text_of(value: Any) -> str | None:
    """Return text for a string or number, None for null, empty text, objects and lists."""
    if value is None or isinstance(value, dict | list):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) or None
