"""Usage rows of many keys in little memory: packed by key as they come, unpacked one key at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from forensics.analysis.facts import Row

Name = tuple[str, str]


class PackedRows(Mapping[Name, list[Row]]):
    """Rows by (provider, key id), in the order in which they came. An item is made anew each time it is asked for."""

    def __init__(self, columns: Sequence[str], types: Sequence[str]) -> None:
        self._columns = tuple(columns)
        self._times = [n for n, kind in enumerate(types) if kind.startswith("TIMESTAMP")]
        self._provider, self._key = self._columns.index("provider"), self._columns.index("key_id")
        self._packed: dict[Name, list[bytes]] = {}

    def take(self, rows: list[tuple[Any, ...]]) -> None:
        """Add rows; those of a key stand beside each other."""
        start = 0
        for end in range(1, len(rows) + 1):
            name = (rows[start][self._provider], rows[start][self._key])
            if end == len(rows) or (rows[end][self._provider], rows[end][self._key]) != name:
                self._packed.setdefault(name, []).append(orjson.dumps(rows[start:end]))
                start = end

    def __getitem__(self, name: Name) -> list[Row]:
        out = []
        for packed in self._packed[name]:
            for row in orjson.loads(packed):
                for place in self._times:
                    if row[place] is not None:
                        row[place] = datetime.fromisoformat(row[place])
                out.append(dict(zip(self._columns, row, strict=True)))
        return out

    def __iter__(self) -> Iterator[Name]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)
