"""Records that are far larger than any service writes: projected few at a time, with memory by their size.

The engine works on thousands of rows at once; rows of megabytes each would then need gigabytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from forensics.store.duckdb_engine import WRITER_MEMORY

if TYPE_CHECKING:
    import duckdb

#: A record of CloudTrail has at most 1 MiB, and hardly ever more than this.
LARGE = 256 * 1024
_AT_ONCE = 4 * 1024**2
#: Bytes that the engine takes for a byte of a record, at the most that was met, and as many again.
_TIMES = 40


def bounded(records: pa.Table) -> Iterator[pa.Table]:
    """Yield the records in their order: all at once, or where one of them is large in pieces of a few MiB.

    Records that are shaped have no large one among them.
    """
    if "raw" not in records.column_names:
        yield records
        return
    lengths = pc.binary_length(records.column("raw"))
    if (pc.max(lengths).as_py() or 0) <= LARGE:
        yield records
        return
    start, size = 0, 0
    for number, length in enumerate(lengths.to_pylist()):
        if number > start and size + (length or 0) > _AT_ONCE:
            yield records.slice(start, number - start)
            start, size = number, 0
        size += length or 0
    yield records.slice(start)


@contextmanager
def room_for(connection: duckdb.DuckDBPyConnection, records: pa.Table) -> Iterator[None]:
    """Let the engine have more memory than usual while it works on a record that needs it."""
    if "raw" not in records.column_names:
        yield
        return
    lengths = pc.binary_length(records.column("raw"))
    wanted = _TIMES * (pc.sum(lengths).as_py() or 0)
    if wanted <= _TIMES * _AT_ONCE or pc.max(lengths).as_py() <= LARGE:  # many usual records need no more than usual
        yield
        return
    connection.execute(f"SET memory_limit = '{wanted + 512 * 1024**2}B'")
    try:
        yield
    finally:
        connection.execute(f"SET memory_limit = '{WRITER_MEMORY}'")
