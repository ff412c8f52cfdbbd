"""kill -9 at any point of an ingest, and run again: the same store as an undisturbed run."""

from __future__ import annotations

import json
import multiprocessing
import multiprocessing.process
import random
import shutil
import sys
import time
from pathlib import Path

import pytest

from forensics.ingest import collecting, fast, fast_windows, run
from forensics.store import deciding, projecting, shaping
from forensics.store.case_folder import CaseFolder
from forensics.store.schema import TABLES
from tests.building import clock, delivery, event, lines, new_case, packed

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
    (target / "13-lines.jsonl").write_bytes(lines([event(n) for n in range(7_000, 7_300)]))
    timed = [
        f"2026-05-01T00:00:00.000Z {text.decode()}\n"
        for text in lines([event(n) for n in range(8_000, 8_300)]).splitlines()
    ]
    (target / "15-stream.log").write_text("".join(timed), encoding="utf-8")
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


def run_ingest(case: Path, folder: Path) -> None:
    """Ingest with groups, parts and windows so small that a kill meets many of them."""
    fast_windows.WINDOW = run.WINDOW = 20_000
    fast.ROW_GROUP, run.ROW_GROUP, run.GROUP_RECORDS = 60, 60, 120
    collecting.ROW_GROUP, collecting._CHUNK = 60, 40
    shaping._WORTH = deciding.MANY = projecting.MANY = 1
    run.ingest(CaseFolder(case, clock), [folder], run.IngestOptions(by="Ada"))


#: Every run is a process of its own, made of one that has loaded the program and nothing else.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__])


def started(case: Path, folder: Path) -> multiprocessing.process.BaseProcess:
    process = PROCESSES.Process(target=run_ingest, args=(case, folder))
    process.start()
    return process


def whole(case: Path, folder: Path) -> None:
    process = started(case, folder)
    process.join(120)
    assert process.exitcode == 0


def receipt_lines(case: Path) -> int:
    return (case / "receipts.jsonl").read_bytes().count(b"\n")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_a_killed_run_goes_on_to_the_same_store(tmp_path: Path) -> None:
    folder = evidence(tmp_path)
    undisturbed = tmp_path / "whole"
    new_case(tmp_path, name=undisturbed.name)
    whole(undisturbed, folder)
    expected = stored(undisturbed)
    assert len(expected["receipt"]) == _FILES + 5
    chance = random.Random(7)
    kills = 0
    for attempt, after in enumerate((1, 4, 9, 12, 16, 22, None, None)):
        case = tmp_path / f"killed{attempt}"
        new_case(tmp_path, name=case.name)
        process = started(case, folder)
        deadline = time.monotonic() + 60
        moment = time.monotonic() + 0.05 + chance.random() * 0.6
        while process.is_alive() and time.monotonic() < deadline:
            if receipt_lines(case) >= after if after is not None else time.monotonic() >= moment:
                process.kill()
            time.sleep(0.002)
        process.join(60)
        kills += process.exitcode != 0
        whole(case, folder)
        assert stored(case) == expected
        shutil.rmtree(case)
    assert kills >= 4
