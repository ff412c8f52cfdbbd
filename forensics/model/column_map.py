"""Column maps: one TOML file says what the columns of an unknown table mean. See docs/column-map.md."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta, timezone, tzinfo
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from forensics.model.columns import Table
from forensics.model.errors import UsageFault
from forensics.model.other_event import OTHER_EVENT
from forensics.model.usage import AI_AUDIT_EVENT, AI_COST, AI_KEY, AI_REQUEST, AI_USAGE, blank

TARGETS: dict[str, Table] = {t.name: t for t in (AI_USAGE, AI_REQUEST, AI_COST, AI_AUDIT_EVENT, AI_KEY, OTHER_EVENT)}
#: Columns of each table that the time of the map fills: start, and end where there is one.
TIMES = {"ai_usage": ("bucket_start", "bucket_end"), "ai_cost": ("period_start", "period_end")}
TIME_UNITS = ("text", "s", "ms", "us", "ns", "ticks")
MONEY_UNITS = {"units": 0, "cents": 2, "micros": 6, "nanos": 9}
INPUT_TOKENS = ("total", "uncached")
#: Columns that are made of others and cannot be mapped.
_MADE = frozenset(
    {
        "raw",
        "granularity_s",
        "grouped_by",
        "source_ip_key",
        "provider",
        "location_kind",
        "location_region",
        "location_raw",
    }
)
#: What names a key in an inventory: a row needs one of them.
KEY_NAMES = ("key_id", "key_sha256", "key_name", "hint", "location")
_SECTIONS = frozenset({"name", "provider", "table", "match", "time", "columns", "units", "coverage"})
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_OFFSET = re.compile(r"([+-])([01]\d|2[0-3]):([0-5]\d)")
_KINDS = ("act", "sign_in", "key_read")


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """Where times stand and what they mean. `width`: seconds of a bucket without an end of its own, 0 for events."""

    column: str
    unit: str = "text"
    form: str = ""
    zone: tzinfo = timezone.utc  # noqa: UP017 - a tzinfo like the others
    zone_name: str = "UTC"
    end: str = ""
    width: int = 0


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """A checked map. `columns`: target to column (a name, or names with dots into objects); `constants`: target to text."""

    name: str
    provider: str
    table: str
    sha256: str
    required: tuple[str, ...]
    path: tuple[str, ...]
    time: TimeColumn
    columns: Mapping[str, str]
    constants: Mapping[str, str] = field(default_factory=dict)
    identity: str = ""
    minor_digits: int = 0
    input_tokens: str = "total"
    complete: bool = False

    @property
    def source_id(self) -> str:
        """Id of the format that the map makes."""
        return f"map_{self.name}"

    @property
    def fills(self) -> Table:
        """The table that the map fills."""
        return TARGETS[self.table]

    def explained(self) -> list[str]:
        """Return in words, a line each, what the map does with a record."""
        time = self.time
        unit = "text in the zone " + time.zone_name if time.unit == "text" else f"number, unit {time.unit}, UTC"
        lines = [f"each record becomes a row of {self.table}, provider {self.provider}"]
        if time.column:
            lines.append(f"{time.column} -> {start_of(self.table)} ({unit})")
        if time.end:
            lines.append(f"{time.end} -> {TIMES[self.table][1]} (exclusive)")
        elif time.width:
            lines.append(f"each bucket is {time.width} seconds wide")
        types = {column.name: column.type for column in self.fills.columns}
        for target, column in sorted(self.columns.items()):
            how = f" (divided by 10^{self.minor_digits})" if types[target] == "MONEY" and self.minor_digits else ""
            how = " (uncached: cached tokens are added)" if self._is_uncached(target) else how
            lines.append(f"{column} -> {target}{how}")
        lines += [f'"{text}" -> {target}' for target, text in sorted(self.constants.items())]
        if self.identity:
            lines.append(f"{self.identity} names the record: an equal one in another file is the same")
        proof = "absence in it counts as none" if self.complete else "absence in it proves nothing"
        return [*lines, f"columns that are not named stay in raw; {proof}"]

    def _is_uncached(self, target: str) -> bool:
        return target == "input_tokens_total" and self.input_tokens == "uncached"


def read_map(content: bytes, place: str) -> ColumnMap:
    """Return the map of a TOML file. Raises UsageFault that names every fault at once; `place` names the file."""
    try:
        given = tomllib.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageFault(f"not a TOML file: {error}", place=place, hint="see docs/column-map.md") from error
    faults: list[str] = []
    found = _Checker(given, faults).map(sha256(content).hexdigest())
    if faults or found is None:
        raise UsageFault("; ".join(faults), place=place, hint="see docs/column-map.md")
    return found


class _Checker:
    def __init__(self, given: dict[str, Any], faults: list[str]) -> None:
        self.given = given
        self.faults = faults

    def map(self, digest: str) -> ColumnMap | None:
        unknown = sorted(set(self.given) - _SECTIONS)
        if unknown:
            self.faults.append(f"unknown: {', '.join(unknown)}")
        name, provider = self._text(self.given, "name"), self._text(self.given, "provider")
        if name and not _NAME.fullmatch(name):
            self.faults.append("name: small letters, digits and _ only, 40 at most")
        table = self._text(self.given, "table")
        if table and table not in TARGETS:
            self.faults.append(f"table: {table!r} is none of {', '.join(TARGETS)}")
        match, columns = self._section("match"), self._section("columns")
        units, coverage = self._section("units"), self._section("coverage")
        required = match.get("columns", [])
        if not isinstance(required, list) or not required or not all(isinstance(c, str) and c for c in required):
            self.faults.append("match.columns: a list of columns that a file must have")
            required = []
        self._known(match, "match", {"columns", "list"})
        self._known(units, "units", {"money", "input_tokens"})
        self._known(coverage, "coverage", {"complete"})
        path = str(match.get("list", ""))
        time = self._time(table)
        mapped, constants = self._columns(columns, table)
        identity = mapped.pop("id", "")
        self._kind(table, mapped, constants)
        digits = MONEY_UNITS.get(str(units.get("money", "units")))
        tokens = str(units.get("input_tokens", "total"))
        if digits is None:
            self.faults.append(f"units.money: one of {', '.join(MONEY_UNITS)}")
        if tokens not in INPUT_TOKENS:
            self.faults.append(f"units.input_tokens: one of {', '.join(INPUT_TOKENS)}")
        if self.faults or time is None:
            return None
        return ColumnMap(
            name, provider, table, digest, tuple(required), tuple(part for part in path.split(".") if part), time,
            mapped, constants, identity, digits or 0, tokens, coverage.get("complete") is True,
        )  # fmt: skip

    def _section(self, name: str) -> dict[str, Any]:
        section = self.given.get(name, {})
        if not isinstance(section, dict):
            self.faults.append(f"{name}: must be a section")
            return {}
        return section

    def _known(self, section: dict[str, Any], name: str, known: set[str]) -> None:
        self.faults += [f"{name}.{each}: unknown" for each in sorted(set(section) - known)]

    def _text(self, section: dict[str, Any], name: str) -> str:
        value = section.get(name, "")
        if not isinstance(value, str) or not value:
            self.faults.append(f"{name}: missing")
            return ""
        return value

    def _time(self, table: str) -> TimeColumn | None:
        section = self._section("time")
        self._known(section, "time", {"column", "unit", "format", "zone", "end", "seconds"})
        column, unit = section.get("column"), str(section.get("unit", "text"))
        before = len(self.faults)
        if table == "ai_key" and column is None:
            column = ""  # the receipt tells of which time the statement is
        elif not isinstance(column, str) or not column:
            self.faults.append("time.column: missing")
        if unit not in TIME_UNITS:
            self.faults.append(f"time.unit: one of {', '.join(TIME_UNITS)}")
        zone = _zone(str(section.get("zone", "UTC")))
        if zone is None:
            self.faults.append("time.zone: neither a zone that is known here (Europe/Berlin) nor an offset (+02:00)")
        if unit != "text" and ("zone" in section or "format" in section):
            self.faults.append("time.zone and time.format: for text only; numbers are UTC")
        width, end = section.get("seconds", 0), section.get("end", "")
        if isinstance(width, bool) or not isinstance(width, int) or width < 0:
            self.faults.append("time.seconds: a whole number")
        if table in TIMES and bool(width) == bool(end):
            self.faults.append("time: either end (a column) or seconds (width of the bucket)")
        if table not in TIMES and (width or end):
            self.faults.append(f"time.end and time.seconds: not for {table}")
        if len(self.faults) > before or zone is None or not isinstance(column, str):
            return None
        form = str(section.get("format", ""))
        return TimeColumn(column, unit, form, zone, str(section.get("zone", "UTC")), str(end), width)

    def _columns(self, section: dict[str, Any], table: str) -> tuple[dict[str, str], dict[str, str]]:
        if table not in TARGETS:
            return {}, {}
        times = {*TIMES.get(table, ()), "event_time", "as_of"}
        known = {*blank(TARGETS[table]), "id"} - _MADE - times
        mapped: dict[str, str] = {}
        constants: dict[str, str] = {}
        for target, value in section.items():
            if target not in known:
                self.faults.append(f"columns.{target}: {table} has {', '.join(sorted(known))}")
            elif isinstance(value, str) and value:
                mapped[target] = value
            elif isinstance(value, dict) and list(value) == ["constant"] and isinstance(value["constant"], str):
                constants[target] = value["constant"]
            else:
                self.faults.append(f'columns.{target}: a column, or {{ constant = "text" }}')
        return mapped, constants

    def _kind(self, table: str, mapped: dict[str, str], constants: dict[str, str]) -> None:
        if table == "other_event" and "kind" not in mapped and constants.get("kind") not in _KINDS:
            self.faults.append(f"columns.kind: a constant of {', '.join(_KINDS)}, or a column")
        if table == "ai_key":
            given = {*mapped, *constants}
            self.faults += [] if "customer" in given else ["columns.customer: missing"]
            self.faults += [] if given & set(KEY_NAMES) else [f"columns: one of {', '.join(KEY_NAMES)} has to be there"]
        if table == "ai_cost" and "amount" not in mapped:
            self.faults.append("columns.amount: missing")
        if table == "ai_cost" and "currency" not in mapped and "currency" not in constants:
            self.faults.append('columns.currency: missing; like { constant = "USD" }')


def start_of(table: str) -> str:
    """Return the column of a table that the time of a map fills."""
    return TIMES[table][0] if table in TIMES else "as_of" if table == "ai_key" else "event_time"


def _zone(text: str) -> tzinfo | None:
    match = _OFFSET.fullmatch(text)
    if match:
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(-offset if match[1] == "-" else offset)
    if text.upper() in ("UTC", "Z"):
        return timezone.utc  # noqa: UP017
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
