"""Statements of a writer over relations that change from group to group, planned once.

A registered relation is asked for its stream each time it is read, so that a prepared statement reads whatever stands there
then: planning the projection takes as long as writing some thousand rows. A name that is made or dropped would have
every plan made anew, so names stay.
Sources: https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html (the stream),
https://duckdb.org/docs/stable/sql/query_syntax/prepared_statements
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from forensics.store import parsed

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_NUMBERS = count(1)


class Relation:
    """An Arrow table under a name of the engine; `now` may be another one of the same schema each time it is read."""

    def __init__(self, now: pa.Table) -> None:
        self.now = now

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.now.__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        return self.now.schema.__arrow_c_schema__()


class Statements:
    """Relations and prepared statements of one writer. Several writers may take turns on one connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self._number = next(_NUMBERS)
        self._relations: dict[str, Relation] = {}
        self._prepared: dict[str, str] = {}
        #: Tables whose ids are known in this turn.
        self.known: set[str] = set()

    def hold(self) -> None:
        """Begin a turn: forget what another writer of this connection may have put in place of it."""
        found = parsed.execute(self.connection, "SELECT getvariable('writer')").fetchall()[0][0]
        if found != self._number:
            self.forget()
            self.connection.execute(f"SET VARIABLE writer = {self._number}")

    def forget(self) -> None:
        """Take names and plans for gone, as they are when a transaction is rolled back that made them."""
        self._relations.clear()
        self._prepared.clear()
        self.known.clear()

    def put(self, name: str, table: pa.Table) -> None:
        """Let `name` be this table from now on."""
        relation = self._relations.get(name)
        if relation is not None and relation.now.schema.equals(table.schema):
            relation.now = table
            return
        self._relations[name] = relation = Relation(table)
        self.connection.register(name, relation)
        self._prepared.clear()  # a plan would go on to read what stood there before

    def let_go(self, *names: str) -> None:
        """Keep no row of these relations, or of all; their names stay."""
        for name in names or self._relations:
            relation = self._relations[name]
            relation.now = relation.now.schema.empty_table()

    def run(self, sql: str, *, often: bool = False) -> Any:
        """Run a statement; one that is run `often` is planned once."""
        return self.connection.execute(self._planned(sql)) if often else parsed.execute(self.connection, sql)

    def table(self, sql: str, *, often: bool = False) -> pa.Table:
        """Return the rows of a SELECT."""
        return self.connection.sql(self._planned(sql) if often else sql).to_arrow_table()

    def _planned(self, sql: str) -> str:
        name = self._prepared.get(sql)
        if name is None:
            name = f"planned_{next(_NUMBERS)}"
            self.connection.execute(f"PREPARE {name} AS {sql}")
            self._prepared[sql] = name
        return f"EXECUTE {name}"
