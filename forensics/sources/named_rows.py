"""Records whose values are taken by name: what formats of requests and of acts have in common.

Names are compared by letters and digits alone (`requestId`, `request_id`), inner members by their path with dots. What
no column takes stays in `raw`, without what was asked and answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from forensics.model.address import read_address
from forensics.model.buckets import Bucket, covered_events
from forensics.model.columns import Table
from forensics.model.fields import compact, count, inside, moment, plain
from forensics.model.money import read_money
from forensics.model.times import usable
from forensics.model.usage import AI_AUDIT_EVENT, AI_REQUEST, blank
from forensics.model.wrapping import Ordinals, loaded, ordinary
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_DEPTH = 4


class NamedFields:
    """Members of one record by name; remembers which were read."""

    def __init__(self, record: Mapping[str, Any], opened: frozenset[str] = frozenset()) -> None:
        """`opened`: ordinary names of texts that are read as JSON."""
        self.record = {
            name: (loaded(value) if ordinary(name) in opened and isinstance(value, str) else None) or value
            for name, value in record.items()
        }
        self.read: set[tuple[str, ...]] = set()
        self._paths: dict[str, tuple[str, ...]] = {}
        self._note(self.record, (), "", 0)

    def _note(self, value: Mapping[str, Any], path: tuple[str, ...], dotted: str, depth: int) -> None:
        for name, member in value.items():
            own = f"{dotted}.{ordinary(name)}" if dotted else ordinary(name)
            self._paths.setdefault(own, (*path, name))
            if isinstance(member, Mapping) and depth < _DEPTH:
                self._note(member, (*path, name), own, depth + 1)

    def get(self, *names: str) -> Any:
        """Return the first of `names` that is there and not null or blank; it counts as read."""
        for name in names:
            path = self._paths.get(name)
            value = inside(self.record, *path) if path else None
            if path and value is not None and value != "":
                self.read.add(path)
                return value
        return None

    def text(self, *names: str) -> str | None:
        """Return the first that is a text or number."""
        return next((text for name in names if (text := plain(self.get(name))) is not None), None)

    def number(self, *names: str) -> int | None:
        """Return the first that is a whole number; what is none stays in `raw`."""
        for name in names:
            before = set(self.read)
            number = count(self.get(name))
            if number is not None:
                return number
            self.read = before
        return None

    def money(self, *names: str) -> Decimal | None:
        """Return the first that is an amount; what is none stays in `raw`."""
        for name in names:
            before = set(self.read)
            amount = read_money(self.get(name))
            if amount is not None:
                return amount
            self.read = before
        return None

    def time(self, *names: str) -> datetime | None:
        """Return the first that is a time (naive UTC); what is none stays in `raw`."""
        for name in names:
            before = set(self.read)
            when = moment(self.get(name))
            if when is not None:
                return when
            self.read = before
        return None

    def rest(self) -> str:
        """Return compact JSON of all that was not read."""
        return compact(self.record, self.read)


def names_of(probe: Probe) -> frozenset[str]:
    """Return the ordinary names of the first record or of the header."""
    if probe.form == "csv":
        return frozenset(map(ordinary, probe.header))
    return frozenset(map(ordinary, probe.sample)) if isinstance(probe.sample, Mapping) else frozenset()


def http_status(text: str | None) -> tuple[str | None, str | None]:
    """Return (ok or error, code of the error) of an HTTP status; None for what is no status."""
    if text is None or not text.isdigit() or len(text) != 3:
        return None, None
    return ("ok", None) if int(text) < 400 else ("error", text)


def stretch_of(fields: NamedFields) -> Bucket | None:
    """Return the stretch of a line: its day (`20261114` or `2026-11-14`, UTC), else its two times with an offset."""
    text = fields.text("utcdate")
    if text is not None:
        digits = text.strip().replace("-", "")
        try:
            day = usable(datetime.strptime(digits, "%Y%m%d"))  # noqa: DTZ007 - naive UTC
        except ValueError:
            return None
        return Bucket(day, day + timedelta(days=1)) if day else None
    start, end = fields.time("starttimeiso"), fields.time("endtimeiso")
    return Bucket(start, end) if start is not None and end is not None and start < end else None


Finish = Callable[[NamedFields, Row, set[str]], str]
"""Completes a row; adds remarks on the file; returns why the record is out of scope, else "". """


@dataclass(slots=True)
class NamedFormat:
    """A format that is declared by its names; `core` must all be there (any of the sets).

    `texts`, `counts`: column to names, best first. `amounts`: names of the cost, in `currency`. `opened`: names of texts
    that hold JSON. `lists`: a path of lists to the records, instead of the first list.
    """

    id: str
    title: str
    provider: str
    reference: str
    core: tuple[frozenset[str], ...]
    times: tuple[str, ...]
    texts: Mapping[str, tuple[str, ...]]
    ends: tuple[str, ...] = ()
    counts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    amounts: tuple[str, ...] = ()
    currency: str = "USD"
    address: tuple[str, ...] = ()
    opened: frozenset[str] = frozenset()
    native: tuple[str, ...] = ("request_id", "event_id")
    finish: Finish | None = None
    forms: frozenset[str] = frozenset({"json", "ndjson", "csv", "parquet"})
    table: str = "ai_request"
    reader_version: str = "1"

    def recognise(self, probe: Probe) -> str:
        """Recognise by the names of the first record or of the header."""
        names = names_of(probe) if probe.form in self.forms else frozenset()
        found = next((core for core in self.core if names >= core), None)
        return f"records with {', '.join(sorted(found)[:4])}" if found else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the list that was found in an enclosing object, else the value itself."""
        return (probe.container,) if probe.container else ()

    def read(self, document: Document) -> Reading:
        """Turn records into rows; one answer a record, defects with their reason."""
        notes: set[str] = set()
        ordinals = Ordinals()
        reading = Reading([self._answer(record, ordinals, notes) for record in document.records])
        times = [answer.row["event_time"] for answer in reading.answers if answer.row is not None]
        endpoint = "requests" if self.table == "ai_request" else "audit"
        reading.coverage = covered_events(self.provider, endpoint, times, truncated=False)
        reading.notes = sorted(notes)
        return reading

    def _columns(self) -> Table:
        return AI_REQUEST if self.table == "ai_request" else AI_AUDIT_EVENT

    def _answer(self, record: RawRecord, ordinals: Ordinals, notes: set[str]) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        fields = NamedFields(record.value, self.opened)
        row: Row = {**blank(self._columns()), "provider": self.provider}
        row |= {column: fields.text(*names) for column, names in self.texts.items()}
        row |= {column: fields.number(*names) for column, names in self.counts.items()}
        if self.amounts:
            row["cost"] = fields.money(*self.amounts)
            row["currency"] = self.currency if row["cost"] is not None else None
        if self.address:
            self._locate(fields, row)
        why = self.finish(fields, row, notes) if self.finish else ""
        if why:
            return RowOrDefect(record, out_of_scope=why)
        row["event_time"] = row["event_time"] or fields.time(*self.times)
        if row["event_time"] is None:
            return RowOrDefect(record, defect=f"no readable {self.times[0]}")
        if self.ends:
            row["end_time"] = row["end_time"] or fields.time(*self.ends)
        row["raw"] = fields.rest()
        own = next((row[name] for name in self.native if row.get(name)), None)
        # Without an id, records are named by what they say and numbered: two equal calls are two calls.
        return RowOrDefect(record, row, own or ordinals.name(compact(record.value)))

    def _locate(self, fields: NamedFields, row: Row) -> None:
        before = set(fields.read)
        address = read_address(fields.text(*self.address))
        row |= {"source_ip": address.text, "source_ip_key": address.key}
        if address.text is None:
            fields.read = before
