"""Records inside other records: JSON kept as text, names in any case, times in units of their own."""

from __future__ import annotations

import functools
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from forensics.model.fields import compact, count
from forensics.model.times import usable

_DEEPEST = 64
_NO_WORD = re.compile(r"[^a-z0-9]")
_AMERICAN = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{4})(?:,? +(\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?: *([AP]M))?)?", re.IGNORECASE
)
_TICKS = (630822816000000000, 662380416000000000)  # 2000-01-01 and 2100-01-01


def loaded(value: object) -> Any:
    """Return the JSON value of a text, numbers with a fraction as Decimal; None when it is no JSON text of an object."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return None
    try:
        found = json.loads(value, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None
    return found if _shallow(found) else None


def _shallow(value: object) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [c for v in level if isinstance(v, dict | list) for c in (v.values() if isinstance(v, dict) else v)]
        if not level:
            return True
    return False


def lowered(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record with its own names in lower case and without blanks around them."""
    return {str(name).strip().lower(): value for name, value in record.items()}


def ticks(value: object) -> datetime | None:
    """Return naive UTC for .NET ticks: units of 100 ns since the year 1. None outside 2000 to 2100."""
    number = count(value)
    if number is None or not _TICKS[0] <= number <= _TICKS[1]:
        return None
    return datetime(1, 1, 1) + timedelta(microseconds=number // 10)  # noqa: DTZ001 - naive UTC


def messages(sample: object) -> Any:
    """Return the record inside the first log event of CloudWatch Logs (`{"message": "{...}"}`), else None."""
    return loaded(sample.get("message")) if isinstance(sample, Mapping) else None


def ordinary(name: object) -> str:
    """Return a column name by its letters and digits alone: `lineItem/UsageType` and `line_item_usage_type` are one."""
    text = str(name)
    return _ordinary(text) if len(text) <= _USUAL_NAME else _NO_WORD.sub("", text.lower())


#: Characters of a name that is kept: the names of one record are asked for by every format that looks at it.
_USUAL_NAME = 64


@functools.lru_cache(maxsize=4096)
def _ordinary(text: str) -> str:
    return _NO_WORD.sub("", text.lower())


def unread(record: Mapping[str, Any], read: Collection[str]) -> str:
    """Return compact JSON of the columns whose ordinary name is not in `read`, under the names they had."""
    return compact({name: value for name, value in record.items() if ordinary(name) not in read})


def grouping_of(records: Iterable[object], labels: Mapping[str, str]) -> str:
    """Return the labels of columns that any of the records has, filled or not, sorted and comma separated.

    `labels` are by ordinary names. What a table has columns for is what it was grouped by: that of one row may be empty.
    """
    headers = {tuple(record) for record in records if isinstance(record, Mapping)}
    names = {ordinary(name) for header in headers for name in header}
    return ",".join(sorted({label for name, label in labels.items() if name in names}))


def american_time(text: object) -> datetime | None:
    """Return naive UTC for `11/14/2026` or `11/14/2026, 2:10:02.101 AM`, month first, as Azure writes it; else None."""
    match = _AMERICAN.fullmatch(str(text).strip().replace("\u202f", " ")) if isinstance(text, str) else None
    if match is None:
        return None
    month, day, year, hour, minute, second, fraction, half = match.groups()
    if half and not 1 <= int(hour) <= 12:
        return None
    hours = int(hour or 0) if not half else int(hour) % 12 + 12 * (half.upper() == "PM")
    micro = int((fraction or "0")[:6].ljust(6, "0"))
    try:
        told = datetime(int(year), int(month), int(day), hours, int(minute or 0), int(second or 0), micro)  # noqa: DTZ001
    except ValueError:
        return None
    return usable(told)


class Ordinals:
    """Numbers rows of one file that are named alike, so that none stands for another: `name`, `name|2`, `name|3`."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def name(self, natural: str) -> str:
        """Return the name of the next row called `natural`."""
        self._seen[natural] += 1
        return natural if self._seen[natural] == 1 else f"{natural}|{self._seen[natural]}"
