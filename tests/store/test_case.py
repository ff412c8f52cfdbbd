"""The case folder, its custody chain, its locked reader, and results that do not depend on chance."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys

import duckdb
import pytest

from forensics.analysis.context import catalogue
from forensics.ingest.discover import Found
from forensics.ingest.receipts import read_tables
from forensics.ingest.run import Ingest, IngestOptions, ingest
from forensics.model.errors import CaseFault
from forensics.store.building_blocks import compute_blocks
from forensics.store.case_folder import init_case, open_case, open_noting_settings
from forensics.store.custody import check_chain
from forensics.store.duckdb_engine import DuckDBEngine, open_reader
from forensics.store.schema import SCHEMA_VERSION, TABLES
from tests.building import clock, delivery, event, new_case
from tests.evidence.sealing import SETTINGS, Ticking
from tests.paths import REPOSITORY, SAMPLE


def test_init_makes_the_case_and_logs_it(tmp_path):
    case = new_case(tmp_path)
    assert {p.name for p in case.root.iterdir()} >= {
        "case.toml",
        "case.duckdb",
        "evidence",
        "receipts.jsonl",
        "custody.jsonl",
        "work.jsonl",
        "inventory",
        "out",
    }
    connection = case.reader()
    meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    tables = {
        row[0]
        for row in connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'"
        ).fetchall()
    }
    connection.close()
    assert (
        meta["schema"] == SCHEMA_VERSION
        and meta["tool"].startswith("keytrail ")
        and meta["engine"].startswith("duckdb ")
    )
    assert tables == set(TABLES)
    assert json.loads(case.custody.path.read_text().splitlines()[0])["act"] == "case opened"


@pytest.mark.parametrize(("settings", "clock_of"), [(None, lambda: clock), (SETTINGS, Ticking)])
def test_the_cases_that_tests_copy_are_what_init_makes(tmp_path, settings, clock_of):
    def told(case):
        files = {p.name: p.read_bytes() for p in case.root.iterdir() if p.is_file() and p != case.store_path}
        connection = case.reader()
        try:
            meta = connection.execute("FROM meta ORDER BY name").fetchall()
            made = (
                "SELECT sql FROM duckdb_tables() UNION ALL SELECT sql FROM duckdb_views() WHERE NOT internal ORDER BY 1"
            )
            return files, meta, connection.execute(made).fetchall(), case.clock()
        finally:
            connection.close()

    expected = told(init_case(tmp_path / "case", clock_of(), settings))
    assert told(new_case(tmp_path / "copied", settings, clock_of)) == expected
    assert told(new_case(tmp_path / "again", settings, clock_of)) == expected


def test_nothing_is_overwritten(tmp_path):
    case = new_case(tmp_path)
    before = case.settings_path.read_bytes()
    with pytest.raises(CaseFault, match="there is a case already"):
        init_case(case.root, clock)
    assert case.settings_path.read_bytes() == before


def test_another_schema_is_refused(tmp_path):
    case = new_case(tmp_path)
    with case.writer("test") as connection:
        connection.execute("UPDATE meta SET value = '0' WHERE name = 'schema'")
    with pytest.raises(CaseFault, match="schema 0"):
        open_case(case.root, clock)


def test_a_change_of_the_settings_is_logged_once_by_whoever_opens_the_case_next(tmp_path):
    case = new_case(tmp_path)
    before = case.settings().sha256

    def opened():
        return open_noting_settings(case.root, clock)[1]

    def logged():
        acts = [json.loads(line) for line in case.custody.path.read_text().splitlines()]
        return [(a["before"], a["after"]) for a in acts if a["act"] == "settings changed"]

    with case.locked("other"):
        assert not opened()  # what did not change waits for nobody
    case.settings_path.write_bytes(case.settings_path.read_bytes() + b"# noted\n")
    after = case.settings().sha256
    assert opened() and not opened() and logged() == [(before, after)]
    case.settings_path.write_bytes(case.settings_path.read_bytes().removesuffix(b"# noted\n"))
    assert opened() and logged() == [(before, after), (after, before)]


def test_custody_chain_shows_every_change(tmp_path):
    case = new_case(tmp_path)
    for number in range(5):
        case.custody.append("noted", "R. Okonjo-Lind", number=number)
    content = case.custody.path.read_bytes()
    head, faults = check_chain(content)
    assert (head.records, faults) == (6, [])
    lines = content.splitlines(keepends=True)
    for broken in (
        content.replace(b'"number":2', b'"number":9'),
        b"".join(lines[:2] + lines[3:]),
        b"".join(lines[1:]),
        content[:-3],
    ):
        assert check_chain(broken)[1] or check_chain(broken)[0] != head


def test_the_reader_reaches_no_file_and_no_setting(tmp_path):
    case = new_case(tmp_path)
    connection = open_reader(case.store_path)
    for sql in (
        f"SELECT * FROM read_text('{case.settings_path}')",
        f"SELECT * FROM read_csv('{case.settings_path}')",
        "SELECT * FROM glob('*')",
        "COPY meta TO 'x.csv'",
        "ATTACH 'y.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access=true",
        "INSERT INTO meta VALUES ('a', 'b')",
        "DROP TABLE meta",
    ):
        with pytest.raises(duckdb.Error):
            connection.execute(sql).fetchall()
    connection.close()


def _digest(case, blocks: bool = False) -> dict[str, str]:
    """The hash of each query's result, over the views themselves or over what a hunt computes once."""
    connection = case.reader()
    if blocks:
        compute_blocks(connection)
    engine = DuckDBEngine(connection)
    try:
        from datetime import datetime

        from forensics.queries.binding import bind

        window = {
            "since": datetime(2026, 3, 31),
            "until": datetime(2026, 5, 8),
            "baseline_until": datetime(2026, 5, 4, 2, 11),
        }
        return {q.id: engine.run(q.sql, bind(q, **window)).sha256 for q in catalogue() if q.kind != "summary"}
    finally:
        connection.close()


def test_results_do_not_depend_on_the_order_of_files(made_sample_case, tmp_path):
    settings = (SAMPLE / "case.toml").read_bytes()
    files = [Found(p, p.relative_to(SAMPLE).as_posix()) for p in sorted(SAMPLE.rglob("*")) if p.is_file()]
    table = read_tables(files)
    random.Random(11).shuffle(files)
    case = new_case(tmp_path, settings)
    with case.writer("ingest") as connection:
        Ingest(case, connection, IngestOptions(copy=False)).run(files, table, lambda *_: None)
        from forensics.store import casevalues

        casevalues.load(connection, case.settings())
    from forensics.analysis.verdicts import prepare

    prepare(case)
    assert _digest(case, blocks=True) == _digest(made_sample_case)


@pytest.mark.parametrize(("zone", "seed"), [("Pacific/Auckland", "1"), ("America/New_York", "77")])
def test_results_do_not_depend_on_zone_or_hash_seed(tmp_path, zone, seed):
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.json").write_bytes(delivery([event(n, userAgent=f"agent {n}") for n in range(200)]))
    code = """
import sys
from pathlib import Path
from forensics.cli.main import run
run(["ingest", sys.argv[1], sys.argv[2]])
sys.exit(run(["timeline", sys.argv[1], "--output", sys.argv[3]]))
"""
    outputs = []
    for number, changes in enumerate(({}, {"TZ": zone, "PYTHONHASHSEED": seed, "LC_ALL": "C"})):
        base = tmp_path / str(number)
        base.mkdir()
        case = new_case(base)
        target = base / "t.jsonl"
        done = subprocess.run(
            [sys.executable, "-c", code, str(case.root), str(logs), str(target)],
            env=os.environ | changes | {"PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        outputs.append(target.read_bytes())
    assert outputs[0] == outputs[1] and outputs[0].count(b"\n") == 200


def test_everything_works_without_any_network(tmp_path):
    if (
        shutil.which("unshare") is None
        or subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("unshare cannot make a network namespace here")
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.json").write_bytes(delivery([event(1)]))
    case = new_case(tmp_path)
    code = "import sys; from forensics.cli.main import run; sys.exit(max(run(['ingest', *sys.argv[1:]]), run(['hunt', sys.argv[1]])))"
    done = subprocess.run(
        ["unshare", "-rn", sys.executable, "-c", code, str(case.root), str(logs)],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        check=False,
    )
    assert done.returncode in (0, 6, 10), done.stderr


def test_originals_can_stay_where_they_are(tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.json").write_bytes(delivery([event(1)]))
    case = new_case(tmp_path)
    ingest(case, [logs], IngestOptions(copy=False))
    connection = case.reader()
    stored, original = connection.execute("SELECT stored_as, original_path FROM evidence_file").fetchall()[0]
    connection.close()
    assert stored is None and original.endswith("a.json") and not any(case.evidence.iterdir())
