"""Plain lists of indicators: text, CSV, and our own YAML."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import Any

import yaml

from forensics.model.errors import UsageFault
from forensics.model.indicator import EXACT, PART, REGEX, Entry
from forensics.model.times import parse_time

_COLUMNS = {
    "value": "value indicator ioc observable",
    "kind": "type indicator_type ioc_type kind",
    "match": "match match_mode matching",
    "note": "description comment note",
    "tlp": "tlp marking",
    "dated": "date first_seen dated",
    "valid_from": "valid_from",
    "valid_until": "valid_until expiry expires expires_at",
    "confidence": "confidence",
    "to_ids": "to_ids",
    "derived": "derived",
}
_BY_NAME = {name: column for column, names in _COLUMNS.items() for name in names.split()}
_COMMENT = re.compile(r"(?:^|\s)(?:#|//)\s.*$|^(?:#|//).*$")
MOST_ENTRIES = 1_000_000


def text_entries(text: str) -> Iterator[Entry]:
    """Yield the entries of a list of one value a line; `#` and `//` begin remarks."""
    for number, line in enumerate(text.splitlines(), 1):
        value = _COMMENT.sub("", line).strip()
        if value:
            yield Entry(value, f"line {number}")


def csv_entries(text: str) -> Iterator[Entry]:
    """Yield the entries of a table with a header, or of a single column without one.

    Raises UsageFault when there are several columns and none is named value, indicator, ioc or observable.
    """
    head = text.lstrip("\ufeff")
    first = head.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows = _rows(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter))
    header = next(rows, [])
    names = {place: _BY_NAME[name] for place, cell in enumerate(header) if (name := _name(cell)) in _BY_NAME}
    if "value" not in names.values():
        if len(header) > 1:
            raise UsageFault(
                "no column is called value, indicator, ioc or observable", hint="name the column of the values"
            )
        yield from text_entries(head)
        return
    for number, row in enumerate(rows, 2):
        cells = {names[place]: cell.strip() for place, cell in enumerate(row) if place in names and cell.strip()}
        if cells:
            yield entry_of(cells, f"row {number}")


def _rows(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise UsageFault("is a table that cannot be read", hint=str(error)) from None


def _name(cell: str) -> str:
    return re.sub(r"[\s-]+", "_", cell.strip().lower())


def entry_of(cells: Mapping[str, Any], place: str) -> Entry:
    """Return the entry of one row or mapping with our names of columns."""
    number = str(cells.get("confidence", ""))
    return Entry(
        str(cells.get("value", "")).removeprefix("'"),
        place,
        str(cells.get("kind", "")),
        _match(str(cells.get("match", ""))),
        str(cells.get("note", ""))[:2_000],
        str(cells.get("tlp", "")),
        moment(cells.get("dated")),
        moment(cells.get("valid_from")),
        moment(cells.get("valid_until")),
        int(number) if number.isascii() and number.isdigit() and len(number) < 4 else None,
        str(cells.get("to_ids", "1")).lower() in {"0", "false", "no"},
        str(cells.get("derived", "")).lower() in {"1", "true", "yes"},
    )


def _match(word: str) -> str:
    known = {"substring": PART, "contains": PART, "part": PART, "regex": REGEX, "regexp": REGEX, "exact": EXACT}
    return known.get(word.strip().lower(), "")


def moment(value: Any) -> datetime | None:
    """Return naive UTC of a time in a list; a date means its beginning. None for what is no time."""
    if isinstance(value, datetime):
        return parse_time(value.isoformat())
    if isinstance(value, date):
        return datetime.combine(value, time())
    return parse_time(str(value)) if value not in (None, "") else None


class _Loader(yaml.SafeLoader):
    """SafeLoader without aliases: those multiply what is in a file."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose one node. Raises YAMLError for an alias."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not read")
        return super().compose_node(parent, index)


def yaml_entries(text: str) -> Iterator[Entry]:
    """Yield the entries of `indicators:`, a list of mappings (value, kind, match, note, tlp, ...) or of plain values.

    `tlp`, `date` and `valid_until` beside the list hold for every entry that states none. Raises UsageFault.
    """
    try:
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UsageFault("is no YAML that can be read", hint=str(error).splitlines()[0]) from None
    shared = {k: v for k, v in data.items() if k != "indicators"} if isinstance(data, dict) else {}
    listed = data.get("indicators") if isinstance(data, dict) else data
    if not isinstance(listed, list):
        raise UsageFault("holds no list of indicators", hint="write `indicators:` and a list below it")
    common = {_BY_NAME[_name(str(k))]: v for k, v in shared.items() if _name(str(k)) in _BY_NAME}
    for number, item in enumerate(listed, 1):
        if isinstance(item, dict):
            own = {_BY_NAME[_name(str(k))]: v for k, v in item.items() if _name(str(k)) in _BY_NAME}
            yield entry_of({**common, **own}, f"entry {number}")
        else:
            yield entry_of({**common, "value": item}, f"entry {number}")
