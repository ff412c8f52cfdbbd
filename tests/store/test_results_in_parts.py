"""A result that comes in parts, or over some keys at a time, has the rows and the hash of one that comes at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

import pytest

from forensics.analysis.context import catalogue
from forensics.ingest.scratch import new_store
from forensics.model.errors import QueryFault
from forensics.store.building_blocks import compute_overlaps
from forensics.store.duckdb_engine import ByKey, DuckDBEngine, canonical_lines, open_writer
from forensics.store.eventstore import EventStore
from forensics.store.usage_parts import usage_parts

SQL = """
SELECT 'p' AS provider, CASE WHEN n < 25000 THEN 'a' || chr(7) || '"\\/' ELSE chr(8232) || chr(127) || chr(128512) END AS key_id, n,
  TIMESTAMP '2026-05-01' + INTERVAL 1 SECOND * n AS bucket_start, CAST(NULL AS TIMESTAMP) AS bucket_end,
  CAST(n AS DECIMAL(20, 3)) / 7 > 3 AS flag, CAST(n AS DECIMAL(20, 3)) AS amount, chr(9) || chr(10) || chr(31) AS control
FROM range(45000) AS r(n) ORDER BY key_id, n
"""


def test_rows_that_come_in_parts_have_the_hash_of_their_lines():
    connection = open_writer(":memory:")
    found = DuckDBEngine(connection).run(SQL, {})
    assert found.count == 45000 and found.rows == tuple(connection.execute(SQL).fetchall())
    assert found.sha256 == sha256(canonical_lines(found.columns, found.types, found.rows)).hexdigest()
    connection.close()


BY_KEY = [q for q in catalogue() if q.by_key]
WINDOW = {"since": datetime(2026, 4, 1), "until": datetime(2026, 6, 1)}


def rows():
    """Usage of keys in which NULL, empty and hostile owners stand side by side, told by several exports and twice."""
    start = datetime(2026, 5, 1)
    for n, (owner, key) in enumerate(
        [("Heron Works", "k1"), ("Heron Works", "k2"), (None, "k1"), ("", "k1"), ("z'; --", "k0"), (None, "k9")]
    ):
        for hour in range(5):
            for source, grouped in (("openai_usage", "api_key_id"), ("openai_activity_csv", "api_key_id,model")):
                for received in (datetime(2026, 5, 8), datetime(2026, 5, 9))[: 1 + hour % 2]:
                    yield {
                        "event_key": f"{n}{hour}{source[7]}{received:%d}".ljust(32, "0"), "source_id": source, "provider": "openai",
                        "owner": owner, "organisation": "org-1", "bucket_start": start + timedelta(hours=hour),
                        "bucket_end": start + timedelta(hours=hour + 1), "granularity_s": 3600, "endpoint": "chat", "key_id": key,
                        "model": "m" if hour else None, "requests": 10 + hour, "output_tokens": 100 * n, "grouped_by": grouped,
                        "native_id": f"{owner}|{key}|{hour}", "received_at": received, "service_tier": "flex" if n % 2 else None,
                        "file_sha256": "f", "raw": None,
                    }  # fmt: skip


@pytest.fixture(scope="module")
def store():
    connection = new_store()
    EventStore(connection).insert("ai_usage", list(rows()))
    yield connection
    connection.close()


@pytest.mark.parametrize("most_rows", [1, 20, 10**6])
@pytest.mark.parametrize("query", BY_KEY, ids=[q.id for q in BY_KEY])
def test_some_keys_at_a_time_give_what_all_give_at_once(store, query, most_rows):
    engine = DuckDBEngine(store)
    whole = engine.run(query.sql, WINDOW)
    wanted = [ByKey(query.sql, WINDOW)] * 2
    assert whole.count >= 6 and engine.run_by_key(wanted, most_rows) == [whole, whole]
    assert engine.run(query.sql, WINDOW) == whole  # the view shows all again


def test_each_key_is_in_one_part_and_a_fault_leaves_the_view_whole(store):
    keys = []
    for _ in usage_parts(store, 20):
        keys += store.execute("SELECT DISTINCT provider, owner, key_id FROM ai_usage_series").fetchall()
    assert len(keys) == len(set(keys)) == 6
    with pytest.raises(QueryFault, match="no_such_column"):
        DuckDBEngine(store).run_by_key([ByKey("SELECT no_such_column FROM ai_usage_series", {})], 1)
    assert store.execute("SELECT count(DISTINCT (owner, key_id)) FROM ai_usage_series").fetchall() == [(6,)]


def test_settled_overlaps_give_what_the_views_give(store):
    before = store.execute("SELECT * FROM ai_usage_series ORDER BY ALL").fetchall()
    assert len(before) == 30 and store.execute("SELECT count(*) FROM ai_usage").fetchall() == [(84,)]
    compute_overlaps(store)
    try:
        assert store.execute("SELECT * FROM ai_usage_series ORDER BY ALL").fetchall() == before
    finally:
        for name in ("ai_usage_earlier", "ai_key_name", "ai_usage_mixed"):
            store.execute(f"DROP TABLE temp.{name}")
