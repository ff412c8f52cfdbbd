"""kill -9 at any point of an ingest, and run again: the same store as an undisturbed run."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from forensics.store.case_folder import CaseFolder, init_case
from forensics.store.schema import TABLES
from tests.building import clock, delivery, event, packed

_RUN = """
import sys
from pathlib import Path
from forensics.ingest import fast, run
from forensics.store.case_folder import CaseFolder
from tests.building import clock
fast._WINDOW, fast.ROW_GROUP, run.GROUP_RECORDS = 20_000, 60, 120
run.ingest(CaseFolder(Path(sys.argv[1]), clock), [Path(sys.argv[2])], run.IngestOptions(by="Ada"))
"""
_FILES, _EACH = 24, 40


def evidence(folder: Path) -> Path:
    """Files with records that come twice, a large one, an archive's worth of usage, and a broken one."""
    target = folder / "in"
    target.mkdir()
    for number in range(_FILES):
        start = number * (_EACH - 2)
        data = delivery([event(n) for n in range(start, start + _EACH)])
        (target / f"{number:02d}.json.gz").write_bytes(packed(data))
    (target / "10-large.json").write_bytes(delivery([event(n) for n in range(5_000, 5_600)]))
    (target / "12-broken.json").write_bytes(delivery([event(n) for n in range(6_000, 6_010)])[:-30])
    rows = [
        {"request_id": f"r{n}", "call_type": "x", "api_key": "k", "spend": 1, "startTime": "2026-05-01"}
        for n in range(50)
    ]
    (target / "14-spend.json").write_text(json.dumps(rows), encoding="utf-8")
    return target


def stored(case: Path) -> dict[str, list[str]]:
    """Every row of every table but the moments of computing."""
    with CaseFolder(case, clock).writer("test") as connection:
        return {
            table: sorted(map(repr, connection.execute(f"SELECT * FROM {table}").fetchall()))
            for table in TABLES
            if table != "meta"
        }


def command(case: Path, folder: Path) -> list[str]:
    return [sys.executable, "-c", _RUN, str(case), str(folder)]


def whole(case: Path, folder: Path) -> None:
    done = subprocess.run(command(case, folder), check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def lines(case: Path) -> int:
    return (case / "receipts.jsonl").read_bytes().count(b"\n")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_a_killed_run_goes_on_to_the_same_store(tmp_path: Path) -> None:
    folder = evidence(tmp_path)
    undisturbed = tmp_path / "whole"
    init_case(undisturbed, clock)
    whole(undisturbed, folder)
    expected = stored(undisturbed)
    assert len(expected["receipt"]) == _FILES + 3
    chance = random.Random(7)
    kills = 0
    for attempt, after in enumerate((1, 4, 9, 12, 16, 22, None, None)):
        case = tmp_path / f"killed{attempt}"
        init_case(case, clock)
        run = subprocess.Popen(command(case, folder), stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        moment = time.monotonic() + 0.4 + chance.random()
        while run.poll() is None and time.monotonic() < deadline:
            if lines(case) >= after if after is not None else time.monotonic() >= moment:
                run.kill()
            time.sleep(0.002)
        kills += run.wait(60) != 0
        whole(case, folder)
        assert stored(case) == expected
        shutil.rmtree(case)
    assert kills >= 4
