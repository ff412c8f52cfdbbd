"""Write records into the store: project, recognise duplicates, keep every occurrence, account for each receipt."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import duckdb
import pyarrow as pa

from forensics.model.address import read_address
from forensics.model.columns import Table
from forensics.model.event import evidence_sql
from forensics.model.times import parse_time
from forensics.store import decision, parsed, projection, projection_children, twins
from forensics.store.large_records import bounded, room_for
from forensics.store.schema import EVENT_TABLES, TABLES, statements

Row = dict[str, Any]
_ARROW = {
    "VARCHAR": pa.string(),
    "JSON": pa.string(),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us"),
    "MONEY": pa.decimal128(28, 12),
}
_NATIVE = {"aws_event": "event_id"}
#: Records that are projected at once, about.
SLICE = 30_720


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

    def insert(self, table: str, rows: Iterable[Row]) -> None:
        """Append rows (dicts; missing columns are NULL) to a table."""
        rows = list(rows)
        if not rows:
            return
        definition = TABLES[table]
        self.connection.register("incoming_rows", pa.Table.from_pylist(rows, schema=arrow_schema(definition)))
        self.connection.execute(f"INSERT INTO {table} SELECT * FROM incoming_rows")
        self.connection.unregister("incoming_rows")

    def replace(self, table: str, rows: Iterable[Row]) -> None:
        """Put `rows` in place of all rows of a table."""
        self.connection.execute(f"DELETE FROM {table}")
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
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def write(self, group: Group) -> Counter[tuple[int, str]]:
        """Write a group inside the caller's transaction.

        Returns counts by (receipt id, "accepted" | "duplicate"): each place is exactly one of both.
        """
        counts: Counter[tuple[int, str]] = Counter()
        run = partial(parsed.execute, self.connection)
        for table, places in group.tables():
            numbered = places.append_column("line", pa.array(range(places.num_rows), pa.int64()))
            self.connection.register("incoming_place", numbered)
            self._decide(table, group)
            for receipt_id, total, accepted in run(decision.COUNTS).fetchall():
                counts[receipt_id, "accepted"] += accepted
                counts[receipt_id, "duplicate"] += total - accepted
            if table == "aws_event":
                lines = self.connection.sql(decision.NEW_LINES).to_arrow_table().column("line")
                self._keep_aws(group.incoming(), lines)
            else:
                self._keep(table, group.rows.get(table, []), {row[0] for row in run(decision.NEW_KEYS).fetchall()})
            run(decision.OCCURRENCES, [table])
            for name in ("renamed", "decided"):
                run(f"DROP TABLE {name}")
            self.connection.unregister("incoming_place")
        for table, rows in sorted(group.other.items()):
            self.insert(table, rows)
        return counts

    def _decide(self, table: str, group: Group) -> None:
        """Say for each record that comes in which row stands for it, and let rows stand under their smallest key."""
        run = partial(parsed.execute, self.connection)
        native = _NATIVE.get(table, "native_id")
        many = self._knows(table, native)
        run(decision.decide(table, native, many=many))
        if many:
            run(decision.learn(table))
        run(decision.RENAMED)
        if run("SELECT count(*) FROM renamed").fetchall()[0][0]:
            for name in [table, "occurrence"] + (
                ["aws_event_twin", "aws_event_item", "credential"] if table == "aws_event" else []
            ):
                run(f"""UPDATE {name} SET {decision.rekeyed(name, "r.target")}
                        FROM renamed AS r WHERE r.standing = {name}.event_key""")
            if table == "aws_event":  # the form that gave the smallest key names the row, whatever the order of files
                self.connection.register("incoming", group.incoming())
                for name in ("aws_event", "aws_event_twin"):
                    run(f"""UPDATE {name} SET source_id = i.source_id FROM incoming AS i
                            WHERE i.own_key = {name}.event_key AND i.own_key IN (SELECT target FROM renamed)""")
                self.connection.unregister("incoming")

    def _knows(self, table: str, native: str) -> bool:
        """Whether the table is so large that `known_TABLE` is asked first, which then tells of all its rows."""
        total = sum(
            self.connection.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]
            for name in decision.tables_of(table)
        )
        if total <= decision.MANY_ROWS:
            return False
        made = self.connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = ?", [f"known_{table}"])
        told = f"SELECT count(*) FROM known_{table}"
        if not made.fetchall()[0][0] or self.connection.execute(told).fetchall()[0][0] != total:
            self.connection.execute(decision.known(table, native))
        return True

    def _keep(self, table: str, rows: list[Row], new: set[str]) -> None:
        chosen: dict[str, Row] = {}
        for row in rows:
            if row["event_key"] in new:
                chosen.setdefault(row["event_key"], row)
        self.insert(table, [chosen[key] for key in sorted(chosen)])

    def _keep_aws(self, incoming: pa.Table, lines: pa.ChunkedArray) -> None:
        """Project the new records, some ten thousand at a time: that bounds the memory."""
        whole = len(lines) == incoming.num_rows
        # In equal parts: the plan of a projection takes as long as some thousand rows.
        size = -(-len(lines) // max(1, round(len(lines) / SLICE))) or 1
        for start in range(0, len(lines), size):
            part = incoming.slice(start, size) if whole else incoming.take(lines.slice(start, size))
            for piece in bounded(part):
                with room_for(self.connection, piece):
                    self._project(piece)

    def _project(self, incoming: pa.Table) -> None:
        run = partial(parsed.execute, self.connection)
        is_shaped = "raw" not in incoming.column_names
        self.connection.register("shaped" if is_shaped else "incoming", incoming)
        if not is_shaped:
            run(f"CREATE OR REPLACE TEMP TABLE shaped AS {projection.SHAPED}")
        run(f"CREATE OR REPLACE TEMP TABLE identity_form AS {projection.IDENTITIES}")
        times = [row[0] for row in run(projection.DISTINCT_TIMES).fetchall()]
        raws = [row[0] for row in run(projection.DISTINCT_ADDRESSES).fetchall()]
        addresses = [read_address(raw) for raw in raws]
        moments = pa.table(
            {
                "text": pa.array(times, pa.string()),
                "moment": pa.array([parse_time(t) for t in times], _ARROW["TIMESTAMP"]),
            }
        )
        forms = pa.table(
            {
                "raw": pa.array(raws, pa.string()),
                "text": pa.array([a.text for a in addresses], pa.string()),
                "ip_key": pa.array([a.key for a in addresses], pa.string()),
                "kind": pa.array([a.kind for a in addresses], pa.string()),
            }
        )
        self.connection.register("time_form", moments)
        self.connection.register("address_form", forms)
        run(f"INSERT INTO aws_event {projection.PROJECT_AWS_EVENT}")
        run(f"CREATE OR REPLACE TEMP TABLE named AS {projection_children.NAMED}")
        services = {row[0] for row in run(projection_children.NAMED_SERVICES).fetchall()}
        if services:
            run(f"INSERT INTO aws_event_item {projection_children.items('named', services)}")
        if run(projection_children.MAY_ISSUE).fetchall()[0][0]:
            run(f"INSERT INTO credential {projection_children.PROJECT_CREDENTIALS}")
        for name in ("identity_form", "named", *(() if is_shaped else ("shaped",))):
            run(f"DROP TABLE {name}")
        for name in ("time_form", "address_form", "shaped" if is_shaped else "incoming"):
            self.connection.unregister(name)

    def settle(self) -> None:
        """After a run of ingest: flag ids that carry two contents, and let the smallest occurrence be the evidence."""
        run = partial(parsed.execute, self.connection)
        twins.link(self.connection)
        run("""UPDATE aws_event SET id_conflict = TRUE WHERE NOT id_conflict AND event_id IN (
                 SELECT event_id FROM aws_event WHERE event_id IS NOT NULL GROUP BY event_id HAVING count(*) > 1)""")
        run(f"""CREATE OR REPLACE TEMP TABLE smallest AS
               SELECT event_key, min({evidence_sql("content_sha256", "record_no")}) AS evidence
               FROM occurrence WHERE file_sha256 NOT IN (SELECT file_sha256 FROM withdrawal)
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
