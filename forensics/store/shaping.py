"""Read the texts of records into their shape, in an engine of its own beside the store's.

Parsing JSON is a third of what a record costs to write. Done here, it is the work of the thread that reads, while the
other one writes what came before; the engine does it outside of Python's lock.
"""

from __future__ import annotations

import duckdb
import pyarrow.compute as pc

from forensics.store import projection
from forensics.store.duckdb_engine import open_writer
from forensics.store.eventstore import Group
from forensics.store.large_records import LARGE

#: Fewer records are shaped sooner by the store itself than the engine is there.
_WORTH = 4_096
#: Rows of a batch: an Arrow text column holds 2 GiB, and no record that is shaped here has more than LARGE.
_BATCH = 4_096


class Shaping:
    """Shapes the CloudTrail records of groups. Used by one thread."""

    def __init__(self) -> None:
        self._engine: duckdb.DuckDBPyConnection | None = None

    def shape(self, group: Group) -> None:
        """Put the shape of its records in place of their texts, where they are many and none is large."""
        if sum(len(places) for places, _ in group.bulk) < _WORTH:
            return
        records = group.incoming()
        if pc.max(pc.binary_length(records.column("raw"))).as_py() > LARGE:
            return
        if self._engine is None:
            self._engine = open_writer(":memory:")
        self._engine.register("incoming", records)
        group.shaped = self._engine.sql(projection.SHAPED).to_arrow_table(_BATCH)
        self._engine.unregister("incoming")
        group.aws, group.bulk = [], [(places, None) for places, _ in group.bulk]

    def close(self) -> None:
        """Let the engine go."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None
