"""What the finding commands print: stable JSON, safe terminals, guarded sheets."""

from __future__ import annotations

import csv
import json

import pyarrow.parquet as pq
import pytest

from forensics.cli.main import run
from forensics.model.query import Severity
from tests.building import delivery, event, new_case
from tests.paths import SAMPLE

HOSTILE = [
    "\x1b[2J\x1b]0;owned\x07",
    "=cmd|' /C calc'!A0",
    "\u202egnp.exe",
    "<script>alert(1)</script>",
    "a\x9bb\x00c",
]


@pytest.fixture
def hostile_case(tmp_path):
    case = new_case(tmp_path)
    (tmp_path / "logs").mkdir()
    events = [
        event(n, userAgent=text, sourceIPAddress=text, requestParameters={"bucketName": text}, errorMessage=text)
        for n, text in enumerate(HOSTILE)
    ]
    (tmp_path / "logs" / "a.json").write_bytes(delivery(events))
    assert run(["ingest", str(case.root), str(tmp_path / "logs")]) == 0
    return case


def test_hunt_json_shape(made_sample_case, capsys):
    assert run(["hunt", str(made_sample_case.root), "--query", "aws.", "--json"]) == 10
    out = json.loads(capsys.readouterr().out)
    assert set(out) == {"outcomes", "groups", "horizons", "seconds"}
    names = {
        "query_id",
        "state",
        "severity",
        "count",
        "first_seen",
        "last_seen",
        "reason",
        "event_ids",
        "integrity",
        "findings",
    }
    assert all(set(o) == names for o in out["outcomes"])
    states = {o["state"] for o in out["outcomes"]}
    assert {"finding", "clear", "not_evaluable"} <= states
    assert all(o["reason"] for o in out["outcomes"])
    _groups_fit(out["groups"], [f["finding_id"] for o in out["outcomes"] for f in o["findings"]], made_sample_case)


def _groups_fit(groups, findings, case):
    """Each finding is in one group, gravest first; the view of the stored findings says the same."""
    names = {"query_id", "title", "severity", "confidence", "state", "principal", "principals", "resource", "resources"}
    names |= {"findings", "without_baseline", "finding_ids", "events", "first_seen", "last_seen", "suppression"}
    assert all(set(g) == names for g in groups)
    assert sorted(i for g in groups for i in g["finding_ids"]) == sorted(findings)
    assert all(g["findings"] == len(g["finding_ids"]) for g in groups)
    ranks = [Severity(g["severity"]).rank for g in groups]
    assert ranks == sorted(ranks, reverse=True)
    connection = case.reader()
    try:
        stored = connection.execute(
            "SELECT query_id, severity, principal, resource, findings, events FROM finding_group"
            " WHERE starts_with(query_id, 'aws.') ORDER BY place"
        ).fetchall()
    finally:
        connection.close()
    assert stored == [
        tuple(g[n] for n in ("query_id", "severity", "principal", "resource", "findings", "events")) for g in groups
    ]


def test_hunt_shows_groups_and_says_what_it_cut(made_sample_case, capsys, monkeypatch):
    hunt = ["hunt", str(made_sample_case.root), "--query", "correlation.exposed_key_not_rotated"]
    run(hunt)
    whole = capsys.readouterr()
    head, *lines = whole.out.splitlines()
    assert {"principal", "resource", "findings", "finding", "events"} <= set(head.split())
    groups = sum(line.startswith(("critical", "high", "medium", "low")) for line in lines)
    assert groups > 1 and f"findings in {groups} groups by query, principal and resource" in whole.err
    assert "not shown" not in whole.out
    monkeypatch.setattr("forensics.cli.hunt_output.GROUPS_SHOWN", 1)
    run(hunt)
    assert f"{groups - 1} further groups with" in capsys.readouterr().out


def test_hunt_shows_hostile_text_safely(hostile_case, capsys):
    run(["hunt", str(hostile_case.root)])
    told = capsys.readouterr()
    assert not set("\x1b\x9b\u202e") & set(told.out + told.err)


def test_exposure_json_shape(made_sample_case, capsys):
    assert run(["exposure", str(made_sample_case.root), "--json", "--dry-run"]) == 10
    keys = json.loads(capsys.readouterr().out)["keys"]
    documented = {
        "provider",
        "key_id",
        "customer",
        "exposure",
        "abuse",
        "verdict",
        "decision",
        "exposed_at",
        "first_use_unexplained",
        "excess_cost",
        "rotated_at",
        "revoked_at",
        "still_active",
        "as_of",
        "reasons",
        "alternatives",
    }
    assert len(keys) == 10 and all(documented <= set(k) for k in keys)
    cost = next(k["excess_cost"] for k in keys if k["customer"] == "Brindlewick")
    assert set(cost) == {"low", "mid", "high", "currency", "basis"} and isinstance(cost["mid"], str)


def test_terminal_output_carries_no_escape_sequence(hostile_case, capsys):
    for arguments in (["timeline"], ["status"], ["summary", "principals"], ["summary", "addresses"]):
        run(
            [*arguments[:2], str(hostile_case.root)]
            if arguments[0] == "summary"
            else [arguments[0], str(hostile_case.root)]
        )
        captured = capsys.readouterr()
        text = captured.out + captured.err
        assert not any((ord(c) < 0x20 and c != "\n") or 0x7F <= ord(c) <= 0x9F or c == "\u202e" for c in text), (
            arguments
        )


def test_timeline_files_agree_and_sheets_are_guarded(hostile_case, tmp_path):
    for form in ("csv", "jsonl", "parquet"):
        assert run(["timeline", str(hostile_case.root), "--output", str(tmp_path / f"t.{form}")]) == 0
    lines = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text(encoding="ascii").splitlines()]
    table = pq.read_table(tmp_path / "t.parquet").to_pylist()
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(lines) == len(table) == len(rows) == len(HOSTILE)
    assert [r["event_key"] for r in rows] == [line["event_key"] for line in lines] == [t["event_key"] for t in table]
    assert any(r["user_agent"] == "'=cmd|' /C calc'!A0" for r in rows)
    assert not any(cell.lstrip().startswith(("=", "+", "@")) for r in rows for cell in r.values())
    assert run(["timeline", str(hostile_case.root), "--output", str(tmp_path / "t.csv")]) == 2


def test_nothing_in_the_window_is_said_loudly(hostile_case, capsys):
    assert run(["timeline", str(hostile_case.root), "--since", "2031-01-01", "--until", "2031-01-02"]) == 0
    assert "NOTHING LIES IN THE WINDOW" in capsys.readouterr().err


def test_triage_needs_no_setting_and_every_line_has_event_ids(tmp_path, capsys):
    logs = SAMPLE / "aws"
    assert run(["triage", str(logs), "--case", str(tmp_path / "t"), "--json"]) == 10
    out = json.loads(capsys.readouterr().out)
    sections = {s["title"]: s["lines"] for s in out["sections"]}
    assert len(sections) == 7
    assert all(line["event_ids"] for lines in sections.values() for line in lines)
    cut = " ".join(line["text"] for line in sections["Cut these credentials and sessions"])
    assert all(name in cut for name in ("AKIACIDEPLOY2LEAK777", "release-4471", "vm-1", "last seen"))
    listed = [
        line["text"]
        for line in sections["Cut these credentials and sessions"]
        if not line["text"].startswith("not listed")
    ]
    assert not any("gateway-runtime" in text for text in listed)
    revoke = " ".join(line["text"] for line in sections["Revoke these keys first"])
    assert all(
        name in revoke
        for name in ("brindlewick", "oskelund", "vexholm", "tarnhaven", "zephrane", "pellamore", "dorvalis")
    )
    assert "yarrowdene" not in revoke
    assert "StopLogging" in " ".join(line["text"] for line in sections["Logging switched off or narrowed"])
    assert out["inventory_template"] == "inventory/inventory_template.csv"


def test_show_prints_exhibit_record_offsets_and_hash(made_sample_case, capsys):
    connection = made_sample_case.reader()
    event_id = connection.execute("SELECT event_id FROM aws_event WHERE event_name = 'StopLogging'").fetchall()[0][0]
    connection.close()
    assert run(["show", event_id, "--case", str(made_sample_case.root)]) == 0
    text = capsys.readouterr().out
    assert "StopLogging" in text and "SHA-256" in text and "bytes" in text and "record" in text


def test_help_lists_commands_by_task(capsys):
    assert run(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(word in text for word in ("Start", "Find", "Report", "Prove", "triage", "exposure", "verify"))


def test_lineage_prints_trees_and_writes_each_form(made_sample_case, tmp_path, capsys):
    case, key = str(made_sample_case.root), "ASIA57L5CI2B2QOZRAVF"
    assert run(["lineage", case, key]) == 0
    told = capsys.readouterr().out
    assert told.index("AKIACIDEPLOY2LEAK777") < told.index(f">> {key}") < told.index("ASIA5TAOTVN6WIIRGSWG")
    assert run(["lineage", case, key, "--json"]) == 0
    edges = json.loads(capsys.readouterr().out)["edges"]
    for form, count in (("csv", len(edges) + 1), ("dot", None), ("json", None)):
        target = tmp_path / f"edges.{form}"
        assert run(["lineage", case, key, "--output", str(target), "--dry-run"]) == 0 and not target.exists()
        assert run(["lineage", case, key, "--output", str(target)]) == 0
        assert count is None or len(target.read_text(encoding="utf-8").splitlines()) == count
        assert run(["lineage", case, key, "--output", str(target)]) == 2  # nothing is overwritten
    assert run(["lineage", case, "AKIANOBODY"]) == 2
    assert run(["lineage", case, key, "--output", "edges.doc"]) == 2


def test_lineage_without_a_key_tells_what_the_intrusion_reaches(made_sample_case, capsys):
    assert run(["lineage", str(made_sample_case.root), "--json"]) == 0
    members = json.loads(capsys.readouterr().out)["attribution"]["members"]
    sure = {m["credential"] for m in members if m["confidence"] == "high"}
    assert {"AKIACIDEPLOY2LEAK777", "ASIA57L5CI2B2QOZRAVF", "ASIA5TAOTVN6WIIRGSWG", "AKIAMETRICSDOOR23456"} <= sure
    assert "ASIAKOBZMLKAGKLJWYFB" not in {m["credential"] for m in members}  # the responder's session
