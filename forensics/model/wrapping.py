"""Records inside other records: JSON kept as text, names in any case, times in units of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from forensics.model.fields import count

_DEEPEST = 64
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
