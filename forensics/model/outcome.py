"""What running a query gives: canonical rows and one of five states."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Outcome of a query. "No row" is `clear` only where the evidence could have shown it."""

    FINDING = "finding"
    CLEAR = "clear"
    NO_BASELINE = "no_baseline"
    NOT_EVALUABLE = "not_evaluable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CanonicalRows:
    """Rows in the query's total order with their logical hash.

    `rows` holds str, int, bool, Decimal, datetime (naive UTC) or None. `sha256` is over JSON lines:
    first the header of names and types, then each row (times with microseconds and Z, decimals and integers as text).
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    sha256: str

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.rows)

    def dicts(self) -> list[dict[str, Any]]:
        """Rows as dictionaries by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one query over the case."""

    query_id: str
    state: State
    reason: str
    severity: str
    count: int = 0
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    event_keys: tuple[str, ...] = ()
    event_ids: tuple[str, ...] = ()
    records_searched: int = 0
    rows: CanonicalRows | None = field(default=None, repr=False)
