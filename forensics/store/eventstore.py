"""Write records into the store: project, recognise duplicates, keep every occurrence, account for each receipt."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from forensics.model.address import read_address
from forensics.model.columns import Table
from forensics.model.times import parse_time
from forensics.store import projection
from forensics.store.schema import TABLES, statements

Row = dict[str, Any]
_ARROW = {
    "VARCHAR": pa.string(),
    "JSON": pa.string(),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us"),
    "MONEY": pa.decimal128(28, 12),
}
_INCOMING = pa.schema(
    [
        (n, pa.string())
        for n in (
            "own_key",
            "native_id",
            "raw",
            "canonical_sha256",
            "unmapped",
            "source_id",
            "owner",
            "evidence",
            "file_sha256",
        )
    ]
    + [("text_repaired", pa.bool_()), ("duplicate_names", pa.bool_())]
)
_NATIVE = {"aws_event": "event_id"}


def arrow_schema(table: Table) -> pa.Schema:
    """Return the Arrow schema of a table of the store."""
    return pa.schema([(c.name, _ARROW[c.type]) for c in table.columns])


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


@dataclass(slots=True)
class Group:
    """Records of some files, written in one transaction."""

    places: list[Place] = field(default_factory=list)
    aws: list[Row] = field(default_factory=list)
    rows: dict[str, list[Row]] = field(default_factory=dict)
    other: dict[str, list[Row]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.places)


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
        by_table: dict[str, list[Place]] = {}
        for place in group.places:
            by_table.setdefault(place.table, []).append(place)
        for table, places in sorted(by_table.items()):
            represented = self._decide(table, places, counts)
            self._keep(table, group, {k for k, v in represented.items() if k == v[0] and v[1]})
            self._occurrences(places, represented)
        for table, rows in sorted(group.other.items()):
            self.insert(table, rows)
        return counts

    def _known(self, table: str, places: list[Place]) -> tuple[set[str], dict[tuple[str, str], str]]:
        """Return the keys of `places` that rows have, and the row key of each known (native id, canonical hash)."""
        native = _NATIVE.get(table, "native_id")
        self.connection.register(
            "incoming_keys",
            pa.table(
                {
                    "own_key": pa.array([p.own_key for p in places], pa.string()),
                    "native_id": pa.array([p.native_id or None for p in places], pa.string()),
                    "canonical_sha256": pa.array([p.canonical_sha256 for p in places], pa.string()),
                }
            ),
        )
        keys = self.connection.execute(
            f"SELECT DISTINCT t.event_key FROM {table} t JOIN incoming_keys k ON k.own_key = t.event_key"
        ).fetchall()
        twins = self.connection.execute(
            f"SELECT DISTINCT t.{native}, t.canonical_sha256, t.event_key FROM {table} t JOIN incoming_keys k"
            f" ON k.native_id = t.{native} AND k.canonical_sha256 = t.canonical_sha256"
        ).fetchall()
        self.connection.unregister("incoming_keys")
        return {row[0] for row in keys}, {(row[0], row[1]): row[2] for row in twins}

    def _decide(self, table: str, places: list[Place], counts: Counter[tuple[int, str]]) -> dict[str, tuple[str, bool]]:
        """Return for each own key (key of the row that stands for it, whether that row is new).

        Of several serialisations of one record the smallest key stands, whatever the order of files.
        """
        known, twins = self._known(table, places)
        smallest: dict[tuple[str, str], str] = {}
        for place in places:
            identity = (place.native_id or place.own_key, place.canonical_sha256)
            smallest[identity] = min(place.own_key, smallest.get(identity, place.own_key))
        represented: dict[str, tuple[str, bool]] = {}
        accepted: set[tuple[str, str]] = set()
        for place in places:
            identity = (place.native_id or place.own_key, place.canonical_sha256)
            standing = twins.get(identity) or (place.own_key if place.own_key in known else None)
            target = smallest[identity]
            if standing is None and identity not in accepted:
                accepted.add(identity)
                counts[place.receipt_id, "accepted"] += 1
            else:
                counts[place.receipt_id, "duplicate"] += 1
            if standing is not None and standing > target:
                self._rename(table, standing, target)
                twins[identity] = standing = target
                represented[place.own_key] = (target, False)
            elif standing is not None:
                represented[place.own_key] = (standing, False)
            else:
                represented[place.own_key] = (target, True)
        return represented

    def _rename(self, table: str, old: str, new: str) -> None:
        """Let a row stand under the key of a smaller serialisation of the same record."""
        tables = [table, "occurrence"] + (["aws_event_item", "credential"] if table == "aws_event" else [])
        for name in tables:
            self.connection.execute(f"UPDATE {name} SET event_key = ? WHERE event_key = ?", [new, old])

    def _keep(self, table: str, group: Group, new: set[str]) -> None:
        if table == "aws_event":
            self._keep_aws([row for row in group.aws if row["own_key"] in new])
            return
        chosen: dict[str, Row] = {}
        for row in group.rows.get(table, []):
            if row["event_key"] in new:
                chosen.setdefault(row["event_key"], row)
        self.insert(table, [chosen[key] for key in sorted(chosen)])

    def _keep_aws(self, rows: list[Row]) -> None:
        chosen: dict[str, Row] = {}
        for row in rows:
            chosen.setdefault(row["own_key"], row)
        if not chosen:
            return
        run = self.connection.execute
        self.connection.register(
            "incoming", pa.Table.from_pylist([chosen[k] for k in sorted(chosen)], schema=_INCOMING)
        )
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
        run(f"CREATE OR REPLACE TEMP TABLE fresh AS {projection.PROJECT_AWS_EVENT}")
        run("INSERT INTO aws_event SELECT * FROM fresh")
        run(f"INSERT INTO aws_event_item {projection.PROJECT_ITEMS}")
        run(f"INSERT INTO credential {projection.PROJECT_CREDENTIALS}")
        run("DROP TABLE fresh")
        for name in ("incoming", "time_form", "address_form"):
            self.connection.unregister(name)

    def _occurrences(self, places: list[Place], represented: dict[str, tuple[str, bool]]) -> None:
        self.insert(
            "occurrence",
            [
                {
                    "event_key": represented[p.own_key][0],
                    "own_key": p.own_key,
                    "table_name": p.table,
                    "file_sha256": p.file_sha256,
                    "content_sha256": p.content_sha256,
                    "receipt_id": p.receipt_id,
                    "member_path": p.member_path,
                    "record_no": p.record_no,
                    "byte_offset": p.byte_offset,
                    "byte_length": p.byte_length,
                    "json_pointer": p.json_pointer,
                    "record_sha256": p.record_sha256,
                }
                for p in places
            ],
        )

    def settle(self) -> None:
        """After a run of ingest: flag ids that carry two contents, and let the smallest occurrence be the evidence."""
        run = self.connection.execute
        run("""UPDATE aws_event SET id_conflict = TRUE WHERE NOT id_conflict AND event_id IN (
                 SELECT event_id FROM aws_event WHERE event_id IS NOT NULL GROUP BY event_id HAVING count(*) > 1)""")
        run("""CREATE OR REPLACE TEMP TABLE smallest AS
               SELECT event_key, min(content_sha256 || '#' || lpad(CAST(record_no AS VARCHAR), 9, '0')) AS evidence
               FROM occurrence GROUP BY event_key HAVING count(*) > 1""")
        for table in ("aws_event", "ai_usage", "ai_request", "ai_cost", "ai_audit_event", "ai_key"):
            run(f"""UPDATE {table} SET evidence = s.evidence FROM smallest AS s
                    WHERE s.event_key = {table}.event_key AND s.evidence <> {table}.evidence""")
        run("DROP TABLE smallest")


def evidence_pointer(content_sha256: str, record_no: int) -> str:
    """Return the pointer kept beside a row: content SHA-256, `#`, record number in nine digits."""
    return f"{content_sha256}#{record_no:09d}"


def text_json(value: object) -> str:
    """Return compact JSON text with sorted names, for a JSON column."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_text)


def _text(value: object) -> str:
    return value.isoformat() + "Z" if isinstance(value, datetime) else str(value)
