"""Take an exhibit out of the analysis: rows that only it held leave the event tables, the register keeps everything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from forensics.model.event import evidence_sql
from forensics.store.decision import rekeyed
from forensics.store.duckdb_engine import rows_of
from forensics.store.eventstore import EventStore, points_to
from forensics.store.schema import EVENT_TABLES, TABLES

if TYPE_CHECKING:
    import duckdb

#: Tables of what hangs on a row of aws_event.
_PARTS = ("aws_event_item", "credential")
#: Tables with a row a record, those of records that another form of the same event stands for among them.
_ROWS = tuple(name for name in TABLES if name in {*EVENT_TABLES, "aws_event_twin"})
_TOUCHED = "CREATE OR REPLACE TEMP TABLE touched AS SELECT DISTINCT event_key FROM occurrence WHERE file_sha256 = ?"
#: Of each touched row what still stands: the smallest serialisation and place that no withdrawn exhibit holds.
_REMAINING = f"""
CREATE OR REPLACE TEMP TABLE remaining AS
SELECT event_key, min(coalesce(own_key, event_key)) AS own_key, arg_min(file_sha256, receipt_id) AS file_sha256, min(receipt_id) AS receipt_id,
  min({evidence_sql("content_sha256", "record_no")}) AS evidence
FROM occurrence
WHERE event_key IN (SELECT event_key FROM touched) AND file_sha256 NOT IN (SELECT file_sha256 FROM withdrawal)
GROUP BY event_key
"""
_GONE = "event_key IN (SELECT event_key FROM touched) AND event_key NOT IN (SELECT event_key FROM remaining)"


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Who withdraws which exhibit and why; `at` is naive UTC."""

    file_sha256: str
    exhibit: str
    reason: str
    by: str
    at: datetime


def withdraw_rows(connection: duckdb.DuckDBPyConnection, withdrawal: Withdrawal) -> int:
    """Take an exhibit out of the analysis, in one transaction; return the number of rows that left.

    A row that another exhibit holds too stays, stands under the smallest serialisation that is left, and points there.
    """
    store = EventStore(connection)
    removed: list[int] = []
    store.transact(lambda: removed.append(_withdraw(store, withdrawal)))
    return removed[0]


def _withdraw(store: EventStore, withdrawal: Withdrawal) -> int:
    run = store.connection.execute
    digest = withdrawal.file_sha256
    last = run("SELECT coalesce(max(receipt_id), 0) FROM receipt").fetchall()[0][0]
    row = {
        "file_sha256": digest,
        "exhibit": withdrawal.exhibit,
        "reason": withdrawal.reason,
        "withdrawn_by": withdrawal.by,
        "withdrawn_at": withdrawal.at,
        "after_receipt": last,
        "rows_removed": 0,
    }
    store.insert("withdrawal", [row])
    run(_TOUCHED, [digest])
    run(_REMAINING)
    before = _rows(store)
    for table in _ROWS:
        run(f"DELETE FROM {table} WHERE {_GONE}")
        _stand(store, table)
    for table in _PARTS:
        run(f"DELETE FROM {table} WHERE {_GONE}")
    for table in (*_PARTS, "occurrence"):
        run(f"""UPDATE {table} SET {rekeyed(table, "r.own_key")} FROM remaining AS r
                WHERE r.event_key = {table}.event_key AND r.own_key <> r.event_key""")
    run("DELETE FROM ai_coverage WHERE file_sha256 = ?", [digest])
    run("""UPDATE aws_event SET id_conflict = FALSE WHERE id_conflict AND event_id NOT IN (
             SELECT event_id FROM aws_event WHERE event_id IS NOT NULL GROUP BY event_id HAVING count(*) > 1)""")
    # A lesser form of an event comes back when its better one left.
    store.settle()
    removed = before - _rows(store)
    run("UPDATE withdrawal SET rows_removed = ? WHERE file_sha256 = ?", [removed, digest])
    for name in ("touched", "remaining"):
        run(f"DROP TABLE {name}")
    return removed


def _rows(store: EventStore) -> int:
    return sum(store.connection.execute(f"SELECT count(*) FROM {t}").fetchall()[0][0] for t in _ROWS)


def _stand(store: EventStore, table: str) -> None:
    """Let the rows of a table that stay stand on what is left of their places."""
    received = ", received_at = coalesce(c.received_at, t.received_at)" if "received_at" in TABLES[table].names else ""
    store.connection.execute(f"""
        UPDATE {table} AS t SET event_key = r.own_key, {points_to(table, "r.evidence")}, file_sha256 = r.file_sha256{received}
        FROM remaining AS r LEFT JOIN receipt AS c ON c.receipt_id = r.receipt_id
        WHERE r.event_key = t.event_key""")


def withdrawals(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return all withdrawals in the order in which they were made."""
    return rows_of(connection, "SELECT * FROM withdrawal ORDER BY after_receipt, withdrawn_at, exhibit")
