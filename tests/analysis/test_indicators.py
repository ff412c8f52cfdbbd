"""Indicators against evidence: hits with evidence, searches in vain, nothing to search, and exports read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from forensics.analysis.indicators.matching import Matcher, Sought, TextFinder
from forensics.analysis.indicators.report import outcomes_of
from forensics.cli.main import run
from forensics.indicators.read import read_indicators
from forensics.ingest.run import IngestOptions, ingest
from forensics.store.case_folder import CaseFolder
from tests.building import delivery, event, new_case

SETTINGS = b"""
[own]
accounts = ["111122223333"]
[[known]]
kind = "access_key"
value = "AKIAADA2222222222222"
reason = "named"
by = "Kim"
"""
LIST = """type,value,match,valid_until
address,203.0.113.9,,
address,203.0.113.99,,
network,198.51.100.0/24,,
user_agent,sneaky,part,
user_agent,^Tool/[0-9]+$,regex,
domain,evil.example,,
account,111122223333,,
role,vault,,
access_key,AKIAPARAM22222222222,,2026-05-01T00:00:30Z
hash,{hash},,
principal,arn:aws:iam::111122223333:user/a*,,
""".replace("{hash}", "c" * 64)


def parameters(number: int, address: str = "192.0.2.7", agent: str = "cli", **request: Any) -> dict[str, Any]:
    return event(number, sourceIPAddress=address, userAgent=agent, requestParameters=request or None)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> CaseFolder:
    folder = tmp_path_factory.mktemp("ioc")
    made = new_case(folder, SETTINGS)
    events = [
        parameters(1, "203.0.113.9"),
        parameters(2, "198.51.100.200", "x Sneaky/1"),
        parameters(3, agent="Tool/77"),
        parameters(4, agent="Tool/77x", cidrIp="1203.0.113.99/32"),
        parameters(5, note="mail to eve@mail.evil.example now"),
        parameters(6, note="notevil.example and evil.example.org"),
        parameters(7, roleName="vault"),
        parameters(8, roleName="vaulted"),
        parameters(9, accessKeyId="AKIAPARAM22222222222"),
        parameters(61, accessKeyId="AKIAPARAM22222222222"),
    ]
    (folder / "trail.json").write_bytes(delivery(events))
    (folder / "list.csv").write_text(LIST, encoding="utf-8")
    ingest(made, [folder / "trail.json"], IngestOptions())
    assert run(["ioc", str(made.root), str(folder / "list.csv")]) == 10
    return made


def outcomes(case: CaseFolder) -> dict[str, Any]:
    connection = case.reader()
    try:
        return {o.value: o for o in outcomes_of(connection, case.settings())}
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("value", "state", "events", "fields"),
    [
        ("203.0.113.9", "hit", 1, "aws_event.source_ip"),
        ("203.0.113.99", "no_hit", 0, ""),
        ("198.51.100.0/24", "hit", 1, "aws_event.source_ip"),
        ("sneaky", "hit", 1, "aws_event.user_agent"),
        ("^Tool/[0-9]+$", "hit", 1, "aws_event.user_agent"),
        ("evil.example", "hit", 1, "aws_event.request_parameters"),
        ("vault", "hit", 1, "aws_event.request_parameters"),
        ("AKIAPARAM22222222222", "hit", 2, "aws_event.request_parameters"),
        ("c" * 64, "no_hit", 0, ""),
        ("arn:aws:iam::111122223333:user/a*", "hit", 10, "aws_event.actor, aws_event.actor_arn"),
    ],
)
def test_each_indicator_ends_with_a_state(case: CaseFolder, value: str, state: str, events: int, fields: str) -> None:
    found = outcomes(case)[value]
    assert (found.state, found.events, found.fields) == (state, events, fields)
    assert len(found.event_keys) == events
    assert found.searched > 0


def test_own_accounts_are_marked_and_validity_is_counted(case: CaseFolder) -> None:
    found = outcomes(case)
    assert found["111122223333"].noisy == "an own account" and not found["vault"].noisy
    assert (found["AKIAPARAM22222222222"].events, found["AKIAPARAM22222222222"].valid_events) == (2, 1)


def test_summaries_say_the_same_as_the_command(case: CaseFolder, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["summary", "indicator_hits", str(case.root), "--json"]) == 0
    hits = json.loads(capsys.readouterr().out)
    assert run(["summary", "indicators_not_found", str(case.root), "--json"]) == 0
    others = json.loads(capsys.readouterr().out)
    told = outcomes(case)
    assert {r["value"] for r in hits} == {v for v, o in told.items() if o.state == "hit"}
    assert {r["value"]: (r["state"], r["values_compared"]) for r in others} == {
        v: (o.state, o.searched) for v, o in told.items() if o.state != "hit"
    }
    (row,) = (r for r in hits if r["value"] == "AKIAPARAM22222222222")
    assert (row["records"], row["valid_records"], row["field"]) == (2, 1, "request_parameters")
    assert (row["principals"], row["credentials"], row["addresses"], row["one_list"]) == (1, 1, 1, "list.csv")


def test_without_a_field_of_its_kind_an_indicator_is_not_evaluable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = new_case(tmp_path)
    (tmp_path / "list.txt").write_text("203.0.113.9\n", encoding="utf-8")
    assert run(["ioc", str(case.root), str(tmp_path / "list.txt"), "--json"]) == 6
    (found,) = json.loads(capsys.readouterr().out)["indicators"]
    assert (found["state"], found["searched"]) == ("not_evaluable", 0)


def test_a_list_taken_twice_counts_once_and_withdrawn_not_at_all(
    case: CaseFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = len(outcomes(case))
    (tmp_path / "again.csv").write_text(LIST, encoding="utf-8")
    run(["ioc", str(case.root), str(tmp_path / "again.csv"), "--json"])
    again = json.loads(capsys.readouterr().out)
    assert len(again["indicators"]) == before
    connection = case.reader()
    rows = connection.execute("SELECT count(*) FROM indicator").fetchall()[0][0]
    connection.close()
    assert rows == before


def test_a_list_that_was_first_met_as_unknown_evidence_is_taken_in_later(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = new_case(tmp_path)
    folder = tmp_path / "received"
    folder.mkdir()
    (folder / "list.txt").write_text("203.0.113.9\n", encoding="utf-8")
    (folder / "trail.json").write_bytes(delivery([parameters(1, "203.0.113.9")]))
    assert [s["path"] for s in ingest(case, [folder], IngestOptions()).skipped] == ["list.txt"]
    for _ in range(2):  # the second time it is known, and counts once
        capsys.readouterr()
        assert run(["ioc", str(case.root), str(folder / "list.txt"), "--json"]) == 10
        (found,) = json.loads(capsys.readouterr().out)["indicators"]
        assert (found["value"], found["events"]) == ("203.0.113.9", 1)
    connection = case.reader()
    assert connection.execute("SELECT count(*) FROM indicator").fetchall() == [(1,)]
    states = connection.execute(
        "SELECT state, source_id FROM evidence_file WHERE source_id = 'indicator_list'"
    ).fetchall()
    connection.close()
    assert states == [("registered", "indicator_list")]


def test_evidence_that_comes_later_is_searched_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = new_case(tmp_path)
    (tmp_path / "list.txt").write_text("203.0.113.9\n", encoding="utf-8")
    run(["ioc", str(case.root), str(tmp_path / "list.txt")])
    (tmp_path / "trail.json").write_bytes(delivery([parameters(1, "203.0.113.9")]))
    ingest(case, [tmp_path / "trail.json"], IngestOptions())
    capsys.readouterr()
    assert run(["ioc", str(case.root), "--json"]) == 10
    assert json.loads(capsys.readouterr().out)["indicators"][0]["events"] == 1


def test_own_indicators_are_read_again_as_derived(made_sample_case: CaseFolder, tmp_path: Path) -> None:
    values: dict[str, set[tuple[str, str]]] = {}
    for name in ("own.txt", "own.csv", "own.stix.json", "own.misp.json"):
        target = tmp_path / name
        assert run(["ioc", str(made_sample_case.root), "--export", str(target)]) == 0
        assert run(["ioc", str(made_sample_case.root), "--export", str(target)]) == 2
        found = read_indicators(target.read_bytes(), name)
        assert not found.faults, found.faults
        values[name] = {(r["kind"], r["value"]) for r in found.rows}
        if name != "own.txt":
            assert all(r["derived"] for r in found.rows)
    assert len({frozenset(v) for v in values.values()}) == 1 and ("address", "203.0.113.45") in values["own.txt"]
    text = (tmp_path / "own.txt").read_text(encoding="utf-8")
    assert "203[.]0[.]113[.]45" in text and "203.0.113.45" not in text
    assert "203.0.113.45" in (tmp_path / "own.stix.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("kind", "value", "text", "found"),
    [
        ("address", "203.0.113.9", "from 203.0.113.9.", True),
        ("address", "203.0.113.9", "203.0.113.9/32", True),
        ("address", "203.0.113.9", "203.0.113.90", False),
        ("address", "203.0.113.9", "1.203.0.113.9", False),
        ("address", "2001:db8::1", "2001:db8::1:5", False),
        ("domain", "evil.example", "https://a.evil.example/x", True),
        ("domain", "evil.example", "notevil.example", False),
        ("domain", "evil.example", "evil.example.org", False),
        ("domain", "evil.example", "so says evil.example.", True),
        ("account", "111122223333", "arn:aws:iam::111122223333:role/x", True),
        ("account", "111122223333", "9111122223333", False),
        ("bucket", "logs", '{"bucketname":"logs"}', True),
        ("bucket", "logs", '{"bucketname":"logs-2"}', False),
    ],
)
def test_text_is_searched_for_words_of_their_own(kind: str, value: str, text: str, found: bool) -> None:
    finder = TextFinder([Sought("I-1", kind, value, "exact")])
    data = text.encode()
    assert finder.found(data, [0, len(data)]) == ({(0, "I-1")} if found else set())


def test_many_texts_are_searched_as_one_but_told_apart() -> None:
    finder = TextFinder(
        [Sought("I-1", "domain", "evil.example", "exact"), Sought("I-2", "email", "a@b.example", "exact")]
    )
    texts = [
        b"evil.exam",
        b"ple",
        b"",
        "\u00e9 evil.example \u00e9".encode(),
        b"evil.example",
        b"xa@b.example",
        b"a@b.example",
    ]
    bounds = [sum(map(len, texts[:n])) for n in range(len(texts) + 1)]
    assert finder.found(b"".join(texts), bounds) == {(3, "I-1"), (4, "I-1"), (6, "I-2")}


def test_networks_that_lie_in_one_another() -> None:
    matcher = Matcher(
        Sought(str(n), "network", v, "exact")
        for n, v in enumerate(["203.0.113.0/24", "203.0.113.16/28", "203.0.113.40-203.0.113.50", "198.51.100.0/25"])
    )
    assert sorted(matcher.found(("network",), "203.0.113.17")) == ["0", "1"]
    assert sorted(matcher.found(("network",), "203.0.113.45")) == ["0", "2"]
    assert sorted(matcher.found(("network",), "203.0.114.1")) == []
    assert sorted(matcher.found(("network",), "s3.amazonaws.com")) == []
