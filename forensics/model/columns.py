"""One definition of a table's columns gives the DDL, the Arrow schema and the field reference page."""

from __future__ import annotations

from dataclasses import dataclass

#: Types in use. JSON is kept as text; times are naive UTC; money is DECIMAL(28,12).
TYPES = frozenset({"VARCHAR", "BIGINT", "BOOLEAN", "TIMESTAMP", "MONEY", "JSON"})
_DDL = {"MONEY": "DECIMAL(28,12)", "JSON": "VARCHAR"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, one of `TYPES`, and what it means."""

    name: str
    type: str
    meaning: str

    @property
    def ddl(self) -> str:
        """The SQL type."""
        return _DDL.get(self.type, self.type)


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


def table(name: str, meaning: str, text: str, key: tuple[str, ...] = ()) -> Table:
    """Build a `Table` from lines `name TYPE meaning`.

    Raises ValueError for a line of another form or an unknown type.
    """
    columns = []
    for line in text.strip().splitlines():
        if not line.strip():
            continue
        parts = line.split(None, 2)
        if len(parts) != 3 or parts[1] not in TYPES:
            raise ValueError(f"column line of {name}: {line!r}")
        columns.append(Column(*parts))
    return Table(name, meaning, tuple(columns), key)
