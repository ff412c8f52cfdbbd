"""A format made from a column map: records by the columns that the map names, into the table that it names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from forensics.model.address import read_address
from forensics.model.buckets import Bucket, covered, covered_events, natural_key
from forensics.model.column_map import KEY_NAMES, TIMES, ColumnMap
from forensics.model.fields import compact, count, flag, plain
from forensics.model.key_place import read_location
from forensics.model.money import read_money
from forensics.model.provider_key import digest_of
from forensics.model.times import parse_time, usable
from forensics.model.usage import blank
from forensics.model.wrapping import Ordinals, loaded, ticks
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_NUMBER = re.compile(r"\d{1,6}", re.ASCII)
_PER_SECOND = {"s": 0, "ms": 3, "us": 6, "ns": 9}
_ZERO = datetime(1970, 1, 1)  # noqa: DTZ001 - naive UTC
_EARLIEST, _LATEST = datetime(2000, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001
#: What a row of usage or costs is grouped by, by its columns.
_DIMENSIONS = {
    **dict.fromkeys(("key_id", "key_name"), "key"),
    "model": "model",
    "project_id": "project",
    "workspace_id": "workspace",
    "user_id": "user",
    "line_item": "line_item",
    "token_type": "token_type",
    "service_tier": "service_tier",
}
_AMBIGUOUS = "times in the hour that the zone repeats when clocks go back: read as the earlier of both"
_MISSING = "times in the hour that the zone leaves out when clocks go forward: read by the offset before"


class _Fault(Exception):
    """Why a record becomes no row."""


class MappedSource:
    """Records of files that have all columns of the map."""

    def __init__(self, map_: ColumnMap) -> None:
        self.map = map_
        self.id = map_.source_id
        self.title = f"By the column map {map_.name}"
        self.provider = map_.provider
        self.reference = "docs/column-map.md"
        self.reader_version = map_.sha256[:12]
        self.table = map_.table

    def recognise(self, probe: Probe) -> str:
        """Recognise by the columns that the map asks for."""
        if probe.form == "csv":
            claimed = set(self.map.required) <= {name.strip() for name in probe.header}
        else:
            sample = self._first(probe)
            claimed = isinstance(sample, Mapping) and all(_has(sample, name) for name in self.map.required)
        return f"all columns that the map {self.map.name} asks for" if claimed else ""

    def _first(self, probe: Probe) -> Any:
        if not self.map.path or probe.container == self.map.path[0]:
            inner: Any = probe.sample
            rest = self.map.path[1:]
        else:
            inner, rest = probe.sample, self.map.path
        for name in rest:
            inner = inner.get(name) if isinstance(inner, Mapping) else None
            inner = inner[0] if isinstance(inner, list) and inner else inner
        return inner

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the list that the map names, else to the one that was found."""
        return self.map.path or ((probe.container,) if probe.container else ())

    def read(self, document: Document) -> Reading:
        """Turn records into rows of the map's table; a record that cannot become one is a defect with its reason."""
        notes: set[str] = set()
        ordinals = Ordinals()
        reading = Reading([self._answer(record, ordinals, notes) for record in document.records])
        made = [answer.row for answer in reading.answers if answer.row is not None]
        if self.table == "ai_key":
            pass  # a statement of a person: it proves nothing by what it leaves out
        elif made and not self.map.complete:
            notes.add("by a column map that is not declared complete: absence in it proves nothing")
        elif made:
            reading.coverage = self._coverage(made, document)
        reading.notes = sorted(notes)
        return reading

    def _coverage(self, rows: list[Row], document: Document) -> list[Row]:
        names = TIMES.get(self.table)
        if names is None:
            times = [row["event_time"] for row in rows]
            endpoint = "requests" if self.table == "ai_request" else "audit"
            return covered_events(self.provider, endpoint, times, truncated=False)
        out: list[Row] = []
        # Usage whose endpoint the map leaves open is usage all the same, never costs.
        unnamed = "costs" if self.table == "ai_cost" else "usage"
        for grouped, endpoint in sorted({(row["grouped_by"], row.get("endpoint") or unnamed) for row in rows}):
            mine = [r for r in rows if r["grouped_by"] == grouped and (r.get("endpoint") or unnamed) == endpoint]
            buckets = [Bucket(row[names[0]], row[names[1]]) for row in mine]
            received = document.provenance.received_at
            out += covered(self.provider, endpoint, buckets, grouped_by=grouped, truncated=False, received=received)
        return out

    def _answer(self, record: RawRecord, ordinals: Ordinals, notes: set[str]) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        try:
            row = self._row(record.value, record.contexts, notes)
        except _Fault as fault:
            return RowOrDefect(record, defect=str(fault))
        own = plain(_found(record.value, record.contexts, self.map.identity)) if self.map.identity else None
        return RowOrDefect(record, row, own or ordinals.name(self._natural(record, row)))

    def _natural(self, record: RawRecord, row: Row) -> str:
        """Name a bucket by what it counts, so that a later export of it supersedes this; anything else by all it says."""
        names = TIMES.get(self.table)
        if names is None:
            return compact(record.value)
        dimensions = {name: str(row[name]) for name in (*_DIMENSIONS, "currency") if row.get(name) is not None}
        return natural_key(row.get("endpoint") or self.map.name, Bucket(row[names[0]], row[names[1]]), dimensions)

    def _row(self, value: Mapping[str, Any], around: Sequence[Mapping[str, Any]], notes: set[str]) -> Row:
        row: Row = {**blank(self.map.fills), "provider": self.provider}
        types = {column.name: column.type for column in self.map.fills.columns}
        for target, text in self.map.constants.items():
            row[target] = self._read(types[target], text, target, notes)
        for target, name in self.map.columns.items():
            given = _found(value, around, name)
            if given is not None and given != "":
                row[target] = self._read(types[target], given, name, notes)
        self._times(value, around, row, notes)
        if "source_ip" in row and row["source_ip"] is not None:
            address = read_address(row["source_ip"])
            row |= {"source_ip": address.text, "source_ip_key": address.key}
        if self.table == "ai_cost" and row["amount"] is None:
            raise _Fault(f"{self.map.columns['amount']} is not an amount")
        if row.get("currency"):
            row["currency"] = row["currency"].upper()
        if self.table == "ai_key":
            _key(row, self.provider)
        if self.table == "other_event":
            row["key_provider"] = row["key_provider"].lower() if row["key_provider"] else None
            row["key_sha256"] = digest_of(row["key_sha256"])
        if self.table in TIMES:
            mapped = {_DIMENSIONS[name] for name in self.map.columns if name in _DIMENSIONS}
            row["grouped_by"] = ",".join(sorted(mapped))
        if self.table == "ai_usage":
            self._tokens(row)
        row["raw"] = compact(value, self._used(row))
        return row

    def _used(self, row: Row) -> set[tuple[str, ...]]:
        """Return the columns that a column of the row holds; what could not be read stays in `raw`."""
        named = {name for target, name in self.map.columns.items() if row.get(target) is not None}
        named |= {self.map.time.column, self.map.time.end} - {""}
        return {(name,) for name in named} | {tuple(name.split(".")) for name in named}

    def _tokens(self, row: Row) -> None:
        if self.map.input_tokens == "uncached":
            uncached = row["input_tokens_total"]
            parts = [uncached, row["cache_read_tokens"], row["cache_write_tokens"]]
            row["input_tokens_uncached"] = uncached
            row["input_tokens_total"] = sum(part or 0 for part in parts) if uncached is not None else None

    def _times(self, value: Mapping[str, Any], around: Sequence[Mapping[str, Any]], row: Row, notes: set[str]) -> None:
        time = self.map.time
        start = self._time(_found(value, around, time.column), notes)
        if self.table == "ai_key":
            row["as_of"] = start
            if start is None and time.column:
                notes.add(f"{time.column} is not a time in some records: their receipt tells of when they speak")
            return
        if start is None:
            raise _Fault(f"{time.column} is not a time of the unit {time.unit}")
        names = TIMES.get(self.table)
        if names is None:
            row["event_time"] = start
            return
        end = self._time(_found(value, around, time.end), notes) if time.end else start + timedelta(seconds=time.width)
        if end is None or end <= start:
            raise _Fault(f"{time.end} is not a time after {time.column}")
        row |= {names[0]: start, names[1]: end}
        if self.table == "ai_usage":
            row["granularity_s"] = (end - start) // timedelta(seconds=1)

    def _read(self, type_: str, value: Any, name: str, notes: set[str]) -> Any:
        if type_ == "BIGINT":
            found: Any = count(value)
        elif type_ == "MONEY":
            found = read_money(value, minor_digits=self.map.minor_digits)
        elif type_ == "BOOLEAN":
            found = flag(value)
        elif type_ == "TIMESTAMP":
            found = self._time(value, notes)
        elif type_ == "JSON":
            found = compact(loaded(value) if isinstance(value, str) and loaded(value) is not None else value)
        else:
            found = plain(value)
        if found is None:
            notes.add(f"{name} cannot be read in some records: it stays in raw")
        return found

    def _time(self, value: Any, notes: set[str]) -> datetime | None:
        time = self.map.time
        if time.unit == "ticks":
            return ticks(value)
        text = plain(value)
        if text is None:
            return None
        return self._local(text.strip(), notes) if time.unit == "text" else _epoch(text.strip(), time.unit)

    def _local(self, text: str, notes: set[str]) -> datetime | None:
        """Return naive UTC for a text: one with an offset by its offset, one without by the map's zone."""
        time = self.map.time
        if time.form:
            try:
                local = datetime.strptime(text, time.form)  # noqa: DTZ007 - the zone follows
            except ValueError:
                return None
            if usable(local) is None:
                return None
        else:
            stated = parse_time(text, assume_utc=False)
            if stated is not None:
                return stated
            naive = parse_time(text)
            if naive is None:
                return None
            local = naive
        if local.tzinfo is not None:
            return local.astimezone(UTC).replace(tzinfo=None)
        both = [local.replace(tzinfo=time.zone, fold=fold).astimezone(UTC).replace(tzinfo=None) for fold in (0, 1)]
        if both[0] != both[1]:
            notes.add(_AMBIGUOUS if both[0] < both[1] else _MISSING)
        return both[0]


def _key(row: Row, provider: str) -> None:
    """Complete a row of a key inventory. Raises _Fault for one that names nobody or nothing."""
    if not row["customer"]:
        raise _Fault("no customer")
    if not any(row[name] for name in KEY_NAMES):
        raise _Fault("nothing names the key: no id, name, hint, hash or location")
    row["location_raw"] = row["location"]
    row["location_kind"], row["location_region"], row["location"] = read_location(row["location"])
    row["key_provider"] = row["provider"] = (row["key_provider"] or provider).lower()
    row["key_sha256"] = digest_of(row["key_sha256"])


def _epoch(text: str, unit: str) -> datetime | None:
    """Return naive UTC for a number of the unit since 1970, exactly; None outside 2000 to 2100."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite() or number.adjusted() > 20:
        return None
    micros = int(number.scaleb(6 - _PER_SECOND[unit]))
    if not 0 < micros < 5 * 10**15:
        return None
    when = _ZERO + timedelta(microseconds=micros)
    return when if _EARLIEST <= when < _LATEST else None


def _has(value: Mapping[str, Any], name: str) -> bool:
    if name in value:
        return True
    return _find(value, name) is not None


def _found(value: Mapping[str, Any], around: Sequence[Mapping[str, Any]], name: str) -> Any:
    """Return the member of a record, else of the nearest object around it that has one."""
    return next((found for each in (value, *reversed(around)) if (found := _find(each, name)) is not None), None)


def _find(value: Any, name: str) -> Any:
    """Return the member of that name, else the one that its parts between dots lead to: names, or numbers from 0 of lists."""
    if isinstance(value, list):
        head, _, rest = name.partition(".")
        inner = value[int(head)] if _NUMBER.fullmatch(head) and int(head) < len(value) else None
        return _find(inner, rest) if rest else inner
    if not name or not isinstance(value, Mapping):
        return None
    if name in value:
        return value[name]
    head, _, rest = name.partition(".")
    return _find(value.get(head), rest) if rest else None
