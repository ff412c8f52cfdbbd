"""Candidates beside indicators: two steps, rare things only, nothing of one's own and nothing that is known already."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from forensics.cli.main import run
from forensics.ingest.run import IngestOptions, ingest
from tests.building import delivery, event, new_case

SETTINGS = b'[own]\naccounts = ["111122223333"]\negress = ["192.0.2.0/24"]\n'


def act(number: int, who: str, key: str, address: str, agent: str = "common") -> dict[str, Any]:
    arn = f"arn:aws:iam::111122223333:user/{who}"
    identity = {"type": "IAMUser", "arn": arn, "accountId": "111122223333", "accessKeyId": key, "userName": who}
    return event(number, userIdentity=identity, sourceIPAddress=address, userAgent=agent)


EVENTS = [
    act(1, "ada", "AKIAADA2222222222222", "203.0.113.9"),
    act(2, "ada", "AKIAADA2222222222222", "203.0.113.50", "rare/1"),
    act(3, "ada", "AKIAADA2222222222222", "192.0.2.7"),  # the case's own
    act(4, "ada", "AKIAADA2222222222222", "198.51.100.99"),  # everybody's
    act(5, "ben", "AKIABEN2222222222222", "203.0.113.50"),
    act(6, "ben", "AKIABEN2222222222222", "198.51.100.7", "rare/2"),
    act(7, "ben", "AKIABEN2222222222222", "10.0.0.7"),  # not from the internet
    act(8, "cid", "AKIACID2222222222222", "198.51.100.44", "rare/3"),  # tied to nothing rare
    act(9, "cid", "AKIACID2222222222222", "198.51.100.99"),
    act(10, "dot", "AKIADOT2222222222222", "198.51.100.99"),
    act(11, "eve", "AKIAEVE2222222222222", "198.51.100.99"),
    act(12, "fay", "AKIAFAY2222222222222", "198.51.100.7", "rare/4"),  # three steps away
    act(13, "fay", "AKIAFAY2222222222222", "192.0.2.7"),
]


def test_candidates_come_from_two_steps_of_rare_things(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = new_case(tmp_path, SETTINGS)
    (tmp_path / "trail.json").write_bytes(delivery(EVENTS))
    (tmp_path / "list.txt").write_text("203.0.113.9\n", encoding="utf-8")
    ingest(case, [tmp_path / "trail.json"], IngestOptions())
    assert run(["ioc", str(case.root), str(tmp_path / "list.txt")]) == 10
    run(["hunt", str(case.root)])  # it takes the case's own networks into the store
    capsys.readouterr()
    assert run(["summary", "indicator_pivots", str(case.root), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(r["step"], r["kind"], r["value"], r["records"], r["principals"], r["credentials"]) for r in rows] == [
        (1, "address", "203.0.113.50", 2, 2, 2),
        (1, "user_agent", "rare/1", 1, 1, 1),
        (2, "credential", "AKIABEN2222222222222", 3, 1, 1),
        (2, "address", "198.51.100.7", 1, 1, 1),
        (2, "user_agent", "rare/2", 1, 1, 1),
    ]


def test_without_a_hit_there_is_no_candidate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = new_case(tmp_path, SETTINGS)
    (tmp_path / "trail.json").write_bytes(delivery(EVENTS))
    (tmp_path / "list.txt").write_text("203.0.113.10\n", encoding="utf-8")
    ingest(case, [tmp_path / "trail.json"], IngestOptions())
    run(["ioc", str(case.root), str(tmp_path / "list.txt")])
    capsys.readouterr()
    assert run(["summary", "indicator_pivots", str(case.root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
