"""Write records into the store: project, recognise duplicates, keep every occurrence, account for each receipt."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

import duckdb
import pyarrow as pa

from forensics.model.columns import Table
from forensics.model.event import evidence_sql
from forensics.store import decision, parsed, twins
from forensics.store.deciding import Deciding
from forensics.store.projecting import Projecting
from forensics.store.schema import EVENT_TABLES, TABLES, statements
from forensics.store.statements import Statements

Row = dict[str, Any]
_ARROW = {
    "VARCHAR": pa.string(),
    "JSON": pa.string(),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us"),
    "MONEY": pa.decimal128(28, 12),
}


def arrow_schema(table: Table) -> pa.Schema:
    """Return the Arrow schema of the rows that a table of the store is written with."""
    return pa.schema([(c.name, _ARROW[c.type]) for c in table.columns if not c.made_of])


def create(connection: duckdb.DuckDBPyConnection) -> None:
    """Make all tables and views in an empty store."""
    for statement in statements():
        connection.execute(statement)


@dataclass(slots=True)
class Place:
    """Where a record stands; see model table `occurrence`."""

    own_key: str
    native_id: str
    canonical_sha256: str
    table: str
    file_sha256: str
    content_sha256: str
    receipt_id: int
    record_no: int
    byte_offset: int
    byte_length: int
    json_pointer: str
    record_sha256: str
    member_path: str = ""


#: Columns of places in bulk: those of `Place` without the table.
PLACES = pa.schema(
    [
        (n, pa.int64() if n in ("receipt_id", "record_no", "byte_offset", "byte_length") else pa.string())
        for n in Place.__dataclass_fields__
        if n != "table"
    ]
)
#: Columns of CloudTrail records on their way to the projection; line by line the same records as their places.
INCOMING = pa.schema(
    [(n, pa.string()) for n in ("own_key", "raw", "canonical_sha256", "unmapped", "source_id", "owner")]
    + [("evidence_sha256", pa.string()), ("evidence_record", pa.int64()), ("file_sha256", pa.string())]
    + [("text_repaired", pa.bool_()), ("duplicate_names", pa.bool_())]
)
#: The same with the fidelity of each record; what comes in bulk is full.
_LISTED = INCOMING.append(pa.field("fidelity", pa.string()))


@dataclass(slots=True)
class Group:
    """Records of some files, written in one transaction.

    CloudTrail records come one by one (`places` and `aws`) or in bulk (`bulk`: tables of PLACES and of INCOMING). Once
    they are `shaped`, all of them stand there, in the order of their places.
    """

    places: list[Place] = field(default_factory=list)
    aws: list[Row] = field(default_factory=list)
    rows: dict[str, list[Row]] = field(default_factory=dict)
    other: dict[str, list[Row]] = field(default_factory=dict)
    bulk: list[tuple[pa.Table, pa.Table | None]] = field(default_factory=list)
    shaped: pa.Table | None = None

    def __len__(self) -> int:
        return len(self.places) + sum(len(places) for places, _ in self.bulk)

    def taken(self) -> Group:
        """Return a group with all that this one holds, which is empty from now on."""
        given = replace(self)
        self.places, self.aws, self.rows, self.other, self.bulk, self.shaped = [], [], {}, {}, [], None
        return given

    def tables(self) -> Iterator[tuple[str, pa.Table]]:
        """Yield (table of the store, its places) for each table that gets records."""
        listed: dict[str, list[Place]] = {}
        for place in self.places:
            listed.setdefault(place.table, []).append(place)
        for table in sorted({*listed, *(["aws_event"] if self.bulk else [])}):
            own = listed.get(table, [])
            parts = [pa.table({n: pa.array([getattr(p, n) for p in own], PLACES.field(n).type) for n in PLACES.names})]
            yield table, pa.concat_tables(parts + ([p for p, _ in self.bulk] if table == "aws_event" else []))

    def incoming(self) -> pa.Table:
        """Return the CloudTrail records, in the order of their places: with their texts, or shaped."""
        if self.shaped is not None:
            return self.shaped
        listed = pa.Table.from_pylist(self.aws, schema=_LISTED)
        return pa.concat_tables([listed, *(r for _, r in self.bulk)], promote_options="default")


class EventStore:
    """The writing side of a store. The connection is given and stays the caller's."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self._statements = Statements(connection)

    def insert(self, table: str, rows: Iterable[Row]) -> None:
        """Append rows (dicts; missing columns are NULL) to a table."""
        rows = list(rows)
        if not rows:
            return
        self._statements.hold()
        name = f"rows_of_{table}"
        self._statements.put(name, pa.Table.from_pylist(rows, schema=arrow_schema(TABLES[table])))
        written = self._statements.run(f"INSERT INTO {table} SELECT * FROM {name}").fetchall()[0][0]
        if written != len(rows):
            raise RuntimeError(f"{written} rows of {table} were written")  # nothing is committed
        self._statements.let_go(name)

    def replace(self, table: str, rows: Iterable[Row]) -> None:
        """Put `rows` in place of all rows of a table."""
        self._statements.run(f"DELETE FROM {table}")
        self.insert(table, rows)

    def rest_on(self, kind: str, fingerprint: str, components: dict[str, str], at: datetime) -> None:
        """Say what a kind of result rests on, and when it was computed, in place of what was said before."""
        self.connection.execute("DELETE FROM result_basis WHERE kind = ?", [kind])
        row = {"kind": kind, "fingerprint": fingerprint, "components": text_json(components), "computed_at": at}
        self.insert("result_basis", [row])

    def transact(self, work: Callable[[], None]) -> None:
        """Run `work` in one transaction; nothing of it stays when it raises."""
        self.connection.execute("BEGIN")
        try:
            work()
        except BaseException:
            self.roll_back()
            raise
        self.connection.execute("COMMIT")

    def roll_back(self) -> None:
        """Undo the transaction that is open, and what was made in it; a commit that failed has undone it already."""
        with suppress(duckdb.TransactionException, duckdb.FatalException):
            self.connection.execute("ROLLBACK")
        self._statements.forget()

    def write(self, group: Group) -> Counter[tuple[int, str]]:
        """Write a group inside the caller's transaction.

        Returns counts by (receipt id, "accepted" | "duplicate"): each place is exactly one of both.
        """
        counts: Counter[tuple[int, str]] = Counter()
        self._statements.hold()
        for table, places in group.tables():
            numbered = places.append_column("line", pa.array(range(places.num_rows), pa.int64()))
            deciding = Deciding(self._statements, table, numbered)
            counts.update(deciding.counts)
            if deciding.renamed:
                self._rename(table, deciding.renamed, group)
            if table == "aws_event":
                self._keep_aws(group.incoming(), deciding.lines)
            else:
                keys = places.column("own_key").take(deciding.lines)
                self._keep(table, group.rows.get(table, []), set(keys.to_pylist()))
            deciding.keep()
        for table, rows in sorted(group.other.items()):
            self.insert(table, rows)
        self._statements.let_go()
        return counts

    def _rename(self, table: str, renamed: list[tuple[str, str]], group: Group) -> None:
        """Let rows stand under the smallest key that came in, given as (standing, target)."""
        run = self.connection.execute
        columns = zip(("standing", "target"), zip(*renamed, strict=True), strict=True)
        self._statements.put("renamed", pa.table({name: pa.array(keys, pa.string()) for name, keys in columns}))
        of_event = ["aws_event_twin", "aws_event_item", "credential"] if table == "aws_event" else []
        for name in [table, "occurrence", *of_event]:
            run(f"""UPDATE {name} SET {decision.rekeyed(name, "r.target")}
                    FROM renamed AS r WHERE r.standing = {name}.event_key""")
        if table == "aws_event":  # the form that gave the smallest key names the row, whatever the order of files
            named = group.incoming().select(["own_key", "source_id"])
            self._statements.put("renaming", named)
            for name in ("aws_event", "aws_event_twin"):
                run(f"""UPDATE {name} SET source_id = i.source_id FROM renaming AS i
                        WHERE i.own_key = {name}.event_key AND i.own_key IN (SELECT target FROM renamed)""")

    def _keep(self, table: str, rows: list[Row], new: set[str]) -> None:
        chosen: dict[str, Row] = {}
        for row in rows:
            if row["event_key"] in new:
                chosen.setdefault(row["event_key"], row)
        self.insert(table, [chosen[key] for key in sorted(chosen)])

    def _keep_aws(self, incoming: pa.Table, lines: pa.ChunkedArray) -> None:
        """Project the new records."""
        Projecting(self._statements).keep(incoming, lines)

    def settle(self) -> None:
        """After a run of ingest: flag ids that carry two contents, and let the smallest occurrence be the evidence."""
        run = partial(parsed.execute, self.connection)
        twins.link(self.connection)
        run("""UPDATE aws_event SET id_conflict = TRUE WHERE NOT id_conflict AND event_id IN (
                 SELECT event_id FROM aws_event WHERE event_id IS NOT NULL GROUP BY event_id HAVING count(*) > 1)""")
        # Few events came more than once: hashes of all keys are grouped, and only what may be repeated is looked at.
        run(f"""CREATE OR REPLACE TEMP TABLE smallest AS
               SELECT event_key, min({evidence_sql("content_sha256", "record_no")}) AS evidence
               FROM occurrence WHERE file_sha256 NOT IN (SELECT file_sha256 FROM withdrawal)
                 AND hash(event_key) IN (SELECT hash(event_key) FROM occurrence GROUP BY ALL HAVING count(*) > 1)
               GROUP BY event_key HAVING count(*) > 1""")
        repeated = run("SELECT count(*) FROM smallest").fetchall()[0][0]
        for table in EVENT_TABLES if repeated else ():
            run(f"""UPDATE {table} SET {points_to(table, "s.evidence")} FROM smallest AS s
                    WHERE s.event_key = {table}.event_key AND s.evidence <> {table}.evidence""")
        run("DROP TABLE smallest")


def points_to(table: str, pointer: str) -> str:
    """Return what UPDATE sets where rows of a table get the pointer that the SQL `pointer` gives."""
    if "evidence_record" not in TABLES[table].names:
        return f"evidence = {pointer}"
    return f"evidence_sha256 = split_part({pointer}, '#', 1), evidence_record = CAST(split_part({pointer}, '#', 2) AS BIGINT)"


def evidence_pointer(content_sha256: str, record_no: int) -> str:
    """Return the pointer kept beside a row: content SHA-256, `#`, record number in nine digits."""
    return f"{content_sha256}#{record_no:09d}"


def text_json(value: object) -> str:
    """Return compact JSON text with sorted names, for a JSON column."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_text)


def _text(value: object) -> str:
    return value.isoformat() + "Z" if isinstance(value, datetime) else str(value)
