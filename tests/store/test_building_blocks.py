"""What a hunt computes once holds the same rows as the views it stands before."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import datetime

import duckdb
import pytest

from forensics.ingest import scratch
from forensics.ingest.scratch import read_bytes
from forensics.model.query import BASELINE_VIEWS
from forensics.store.building_blocks import SMALL_ROWS, beside, compute_ahead, compute_blocks, is_small
from forensics.store.duckdb_engine import DuckDBEngine, open_reader, open_writer
from forensics.store.eventstore import create
from forensics.store.schema import VIEW_NAMES, VIEWS
from tests.case_events import exports
from tests.stores import new_store

SECRET = {"eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue"}
EVENTS = [
    {"base": "key_inventory"},
    {"base": "iam_user", **SECRET, "requestParameters": {"secretId": "prod/customers/orchard/openai"}},
    {"base": "openai_usage_page", "start_time": "2026-05-05T03:00:00Z", "repeat": 3, "every": 3600},
]
ALL = ["secret_access", "key_usage", "key_unit", "covered_unit", "key_made", "key_read", "first_seen"]


@pytest.fixture
def connection():
    connection = new_store()
    for export in exports("iam_user", EVENTS):
        read_bytes(connection, export.name, export.data)
    yield connection
    connection.close()


def rows_of_views(connection):
    return {name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr) for name in VIEW_NAMES}


def types_of_views(connection):
    return {name: connection.execute(f"DESCRIBE SELECT * FROM {name}").fetchall() for name in VIEW_NAMES}


LASTING = [name for name in VIEW_NAMES if name not in BASELINE_VIEWS]


@pytest.mark.parametrize(("small_rows", "computed"), [(0, ALL), (SMALL_ROWS, LASTING)])
def test_blocks_hold_the_rows_of_the_views(connection, small_rows, computed):
    before, types = rows_of_views(connection), types_of_views(connection)
    assert all(before[name] for name in ALL)
    assert compute_blocks(connection, small_rows=small_rows) == computed
    assert rows_of_views(connection) == before and types_of_views(connection) == types
    connection.execute("DELETE FROM ai_usage")  # the table stands before the view: it does not follow
    assert len(connection.execute("SELECT * FROM key_unit").fetchall()) == 3


def test_views_of_a_small_store_are_computed_ahead_on_one_connection(connection):
    before = rows_of_views(connection)
    compute_ahead(connection)
    try:
        assert rows_of_views(connection) == before
        connection.execute("DELETE FROM ai_usage")
        assert rows_of_views(connection)["ai_usage_series"] == before["ai_usage_series"] != []
    finally:
        for name in LASTING:
            connection.execute(f"DROP TABLE temp.{name}")


def test_no_view_that_is_kept_depends_on_the_baseline_of_a_run(connection):
    """Nor rests on one that does: with another baseline it would tell of the one before."""
    texts = dict(zip(VIEW_NAMES, VIEWS, strict=True))
    moving = {name for name, text in texts.items() if "getvariable(" in text}
    while more := {
        n for n, text in texts.items() if n not in moving and any(re.search(rf"\b{m}\b", text) for m in moving)
    }:
        moving |= more
    assert moving == set(BASELINE_VIEWS)
    engine, ends = DuckDBEngine(connection), [datetime(2026, 5, day) for day in (1, 9)]
    asked = "SELECT count(*) AS n FROM baseline_amount WHERE $baseline_until IS NOT NULL"
    before = [engine.run(asked, {"baseline_until": end}).rows for end in ends]
    compute_blocks(connection)
    assert [engine.run(asked, {"baseline_until": end}).rows for end in ends] == before
    assert before[0] != before[1]


def test_a_store_is_small_by_the_rows_of_its_tables(connection):
    assert is_small(connection) and not is_small(connection, 2)
    fresh = scratch.new_store()  # of a store that was emptied the engine still estimates what was there
    assert is_small(fresh, 0)
    fresh.close()


def test_large_tables_stay_views(connection):
    assert "key_usage" not in compute_blocks(connection, most_rows=2, small_rows=0)
    connection.execute("DELETE FROM ai_usage")
    assert connection.execute("SELECT * FROM key_usage").fetchall() == []


def test_a_connection_beside_sees_the_same_blocks(connection):
    held = ["ai_usage_earlier", "ai_key_name", "ai_usage_mixed", *compute_blocks(connection)]
    other = beside(connection)
    connection.execute("DELETE FROM ai_usage")  # what it sees are the blocks, which do not follow
    assert len(other.execute("SELECT * FROM key_unit").fetchall()) == 3
    for name in held:
        rows = [sorted(one.execute(f"SELECT * FROM {name}").fetchall(), key=repr) for one in (connection, other)]
        assert rows[0] == rows[1]
    other.close()


def test_a_connection_beside_a_reader_is_locked(tmp_path):
    writer = open_writer(tmp_path / "case.duckdb")
    create(writer)
    writer.close()
    reader = open_reader(tmp_path / "case.duckdb")
    compute_blocks(reader)
    other = beside(reader)
    for forbidden in ("SET TimeZone='Asia/Tokyo'", "SELECT * FROM read_text('/etc/hostname')", "DELETE FROM aws_event"):
        with pytest.raises(duckdb.Error):
            other.execute(forbidden)
    other.close()
    reader.close()


BESIDE_A_READER = """
import sys
from datetime import datetime
from forensics.store.duckdb_engine import open_reader
print(open_reader(sys.argv[1]).cursor().execute("SELECT current_setting('TimeZone')").fetchall()[0][0])
"""


def test_a_connection_beside_a_reader_is_in_utc_whatever_the_machine_is_in(tmp_path):
    open_writer(tmp_path / "case.duckdb").close()
    # The engine asks for the machine's zone once a process.
    command = [sys.executable, "-c", BESIDE_A_READER, str(tmp_path / "case.duckdb")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "TZ": "Asia/Tokyo"})
    assert done.stdout.strip() == "UTC"
