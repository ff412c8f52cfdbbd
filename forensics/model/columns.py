"""One definition of a table's columns gives the DDL, the Arrow schema and the field reference page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: Types in use. JSON is kept as text; times are naive UTC; money is DECIMAL(28,12).
TYPES = frozenset({"VARCHAR", "BIGINT", "BOOLEAN", "TIMESTAMP", "MONEY", "JSON"})
_DDL = {"MONEY": "DECIMAL(28,12)", "JSON": "VARCHAR"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, one of `TYPES`, and what it means; `made_of` is the SQL that it is computed by when it is read."""

    name: str
    type: str
    meaning: str
    made_of: str = ""

    @property
    def ddl(self) -> str:
        """The SQL type."""
        return _DDL.get(self.type, self.type)

    @property
    def definition(self) -> str:
        """Name and type, and how it is computed, as CREATE TABLE takes them."""
        return f"{self.name} {self.ddl}" + (f" GENERATED ALWAYS AS ({self.made_of})" if self.made_of else "")


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the store: name, meaning and columns; `key` are the columns of its primary key."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)

    @property
    def stored(self) -> tuple[str, ...]:
        """Names of the columns that a row is written with, in order."""
        return tuple(column.name for column in self.columns if not column.made_of)


def table(
    name: str, meaning: str, text: str, key: tuple[str, ...] = (), made_of: Mapping[str, str] | None = None
) -> Table:
    """Build a `Table` from lines `name TYPE meaning`; `made_of` has the SQL of the columns that are computed.

    Raises ValueError for a line of another form or an unknown type.
    """
    columns = []
    for line in text.strip().splitlines():
        if not line.strip():
            continue
        parts = line.split(None, 2)
        if len(parts) != 3 or parts[1] not in TYPES:
            raise ValueError(f"column line of {name}: {line!r}")
        columns.append(Column(parts[0], parts[1], parts[2], (made_of or {}).get(parts[0], "")))
    return Table(name, meaning, tuple(columns), key)
