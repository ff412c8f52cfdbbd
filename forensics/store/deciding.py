"""Decide for the places of a group which row stands for each, and keep the places.

An id that comes once and is not known is a new row: only for the others the store is asked.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from forensics.store import decision
from forensics.store.projecting import MANY

if TYPE_CHECKING:
    from forensics.store.statements import Statements

#: Id of the rows of a table, where it is not `native_id`.
_NATIVE = {"aws_event": "event_id"}


class Deciding:
    """Decides for one group and one table, by the statements of one writer.

    `places` have the columns of PLACES and their `line`. When made, it says which of the lines become rows (`lines`,
    ascending), counts places by (receipt id, "accepted" | "duplicate"), and tells as `renamed` (standing, target) which
    rows stand under a larger key than one that came in. `keep` keeps the places, once those have the smaller key.
    """

    def __init__(self, statements: Statements, table: str, places: pa.Table) -> None:
        self._statements, self._table, self._often = statements, table, places.num_rows >= MANY
        native = pc.fill_null(places.column("native_id"), "")
        ids = pc.if_else(pc.equal(native, ""), places.column("own_key"), native)
        asked = pc.or_(_repeated(ids), pc.is_in(places.column("line"), self._met(places.column("line"), ids)))
        places = places.append_column("id", ids)
        self._new, self._asked = places.filter(pc.invert(asked)), places.filter(asked)
        self.counts = Counter[tuple[int, str]]()
        for found in pc.value_counts(self._new.column("receipt_id")).to_pylist():
            self.counts[found["values"], "accepted"] += found["counts"]
        self.lines = self._new.column("line")
        self.renamed: list[tuple[str, str]] = []
        learned = self._new.column("id")
        if self._asked.num_rows:
            fresh, lines = self._decide()
            learned = pa.chunked_array([*learned.chunks, *fresh.chunks], pa.string())
            both = pa.chunked_array([*self.lines.chunks, *lines.chunks], pa.int64())
            self.lines = both.take(pc.sort_indices(both))
        statements.put("learned", pa.table({"id": learned}))
        statements.run(decision.learn(table), often=self._often)

    def keep(self) -> None:
        """Keep the places under the rows that stand for them. Raises RuntimeError when one would be lost."""
        kept = 0
        if self._new.num_rows:
            self._statements.put("new_place", self._new)
            kept += self._statements.run(decision.of_new(self._table), often=self._often).fetchall()[0][0]
        if self._asked.num_rows:
            kept += self._statements.run(decision.of_decided(self._table), often=self._often).fetchall()[0][0]
        if kept != self._new.num_rows + self._asked.num_rows:
            raise RuntimeError(f"{kept} places of {self._table} were kept")  # nothing is committed

    def _met(self, lines: pa.ChunkedArray, ids: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return the lines whose id may be that of a row that is there."""
        self._know()
        self._statements.put("incoming_id", pa.table({"line": lines, "id": ids}))
        return self._statements.table(decision.met(self._table), often=self._often).column("line")

    def _know(self) -> None:
        """Let `known_TABLE` tell of all rows of the table."""
        run = self._statements.run
        total = sum(run(f"SELECT count(*) FROM {t}").fetchall()[0][0] for t in decision.tables_of(self._table))
        known = self._table in self._statements.known
        if not known or run(f"SELECT count(*) FROM known_{self._table}").fetchall()[0][0] != total:
            run(decision.known(self._table, _NATIVE.get(self._table, "native_id")))
            self._statements.known.add(self._table)

    def _decide(self) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
        """Decide for the ids that are repeated or may be known; return the ids that become rows, and their lines."""
        statements, often = self._statements, self._often
        statements.put("incoming_place", self._asked)
        decided = statements.table(decision.decide(self._table, _NATIVE.get(self._table, "native_id")), often=often)
        statements.put("decided", decided)
        for receipt_id, total, accepted in statements.run(decision.COUNTS, often=often).fetchall():
            self.counts[receipt_id, "accepted"] += accepted
            self.counts[receipt_id, "duplicate"] += total - accepted
        standing, target = decided.column("standing"), decided.column("target")
        larger = decided.filter(pc.greater(standing, target)).select(["standing", "target"])
        self.renamed = [(row["standing"], row["target"]) for row in larger.to_pylist()]
        lines = statements.table(decision.NEW_LINES, often=often).column("line")
        return decided.filter(pc.is_null(standing)).column("id"), lines


def _repeated(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return which ids come more than once."""
    counted = pc.value_counts(ids)
    several = pc.greater(counted.field("counts"), 1)
    return pc.is_in(ids, counted.field("values").filter(several))
