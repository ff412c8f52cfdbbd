"""Rule files are hostile: bounded, no traceback, every file named with its reason. And what the command prints and keeps."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from forensics.analysis.sigma_hunt import sigma_case
from forensics.cli.main import run
from forensics.sigma.load import MOST_BYTES, load_rules
from tests.building import clock, event
from tests.paths import REPOSITORY
from tests.sigma.rules import filled, numbers, of, ran, rule, written

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(12)
)
GOOD = rule({"eventName": "DeleteTrail"}, name="good")


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return filled(tmp_path_factory.mktemp("files"), [event(0), event(1, eventName="DeleteTrail")])


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "detection: &a {s: *a}",
        "a: &a {x: 1}\nb: {<<: [*a, *a]}",
        "[" * 5000,
        "{" * 5000 + "}" * 5000,
        "x: !!python/object/apply:os.system ['true']",
        "x" * (MOST_BYTES + 1),
        "---\n" * 2000 + "a: 1",
        "",
        "just text",
        "- 1\n- 2",
        "title: [1]\ndetection: 7",
        "title: 1\nlogsource: x\ndetection: {condition: 1}",
        "title: t\nlogsource: {product: aws, service: cloudtrail}\ndetection: {s: {a: {b: c}}, condition: [[s]]}",
        "title: t\ncorrelation: 5",
        "title: t\ncorrelation: {type: event_count, rules: {a: b}, timespan: 5m, condition: {gte: x}}",
        "title: t\ncorrelation: {type: [1], rules: [[1]], timespan: [5m], condition: {gte: [1]}}",
        "title: t\naction: global",
        "title: t\nfilter: {rules: any}",
        "x: 2026-99-99",
        "x: " + "9" * 50_000,
        "\ufeffa: \x07",
        rule({"a": "b"}, "((" * 400 + "s" + "))" * 400),
        rule({"a": ["x"] * 5000}),
        rule({"s": {"a": "b"}}, "not " * 900 + "s"),
        json.dumps({"title": "t", "id": 5, "level": {}, "logsource": {"product": []}, "detection": {"condition": "s"}}),
        '{"title": "\\ud800", "detection": 1}',
    ],
)
def test_hostile_files_are_reported_and_the_good_rule_runs(case, tmp_path, text):
    started = time.monotonic()
    result = ran(case, tmp_path, text, GOOD)
    assert time.monotonic() - started < 20
    assert numbers(of(result, "good")) == [1]
    others = [o for o in result.outcomes if o.rule.title != "good"]
    assert others
    assert all(str(o.state) == "not_convertible" and o.reason for o in others)


def test_bytes_links_and_folders_that_are_no_rules(case, tmp_path):
    folder = written(tmp_path, GOOD)
    (folder / "bytes.yml").write_bytes(b"\xff\xfe\x00a")
    (folder / "link.yml").symlink_to(tmp_path / "nowhere")
    (folder / "dir.yml").mkdir()
    faults = {r.place: r.fault for r in load_rules(folder) if r.fault}
    assert faults == {"bytes.yml": "is no UTF-8 text", "link.yml": "is no regular file"}


def test_of_two_rules_with_one_id_both_are_named(case, tmp_path):
    same = {"id": "5f3d1c2e-7a46-4c2b-9a67-0c4f5be0a001"}
    result = ran(case, tmp_path, rule({"eventName": "DeleteTrail"}, **same), rule({"eventName": "x"}, **same))
    assert sorted(str(o.state) for o in result.outcomes) == ["hit", "not_convertible"]
    assert any("same id as r00.yml" in o.reason for o in result.outcomes)


def test_no_folder_and_no_rules_are_said(case, tmp_path, capsys):
    assert run(["hunt", str(case.root), "--sigma", str(tmp_path / "nowhere")]) == 2
    assert run(["hunt", str(case.root), "--sigma", str(tmp_path), "--query", "aws."]) == 2
    (tmp_path / "empty").mkdir()
    assert run(["hunt", str(case.root), "--sigma", str(tmp_path / "empty")]) == 2
    assert "no .yml" in capsys.readouterr().err


def test_what_is_kept_and_printed(case, tmp_path, capsys):
    whole = rule(
        {"eventName": "DeleteTrail"},
        name="good",
        id="5f3d1c2e-7a46-4c2b-9a67-0c4f5be0a001",
        author="A. Author \x1b[31m",
        license="CC0-1.0",
        status="stable",
        tags=["attack.t1562.008", "attack.impact"],
        falsepositives=["Planned work"],
    )
    folder = written(tmp_path, whole, rule({"eventName|expand": "%x%"}, name="bad"))
    assert run(["hunt", str(case.root), "--sigma", str(folder)]) == 10
    text = capsys.readouterr()
    assert "\x1b" not in text.out + text.err
    assert "CC0-1.0" in text.err and "Planned work" in text.err and "A. Author" in text.err
    assert "not_convertible: r01.yml: bad" in text.err
    connection = case.reader()
    rows = connection.execute("SELECT state, attack, severity FROM sigma_rule ORDER BY state").fetchall()
    found = connection.execute("SELECT query_id, severity, confidence, event_count FROM sigma_finding").fetchall()
    events = connection.execute("SELECT evidence FROM sigma_finding_event").fetchall()
    basis = connection.execute("SELECT count(*) FROM result_basis WHERE kind = 'sigma'").fetchall()
    connection.close()
    assert rows == [("hit", '["T1562.008", "impact"]', "high"), ("not_convertible", "[]", "high")]
    assert found == [("sigma.5f3d1c2e-7a46-4c2b-9a67-0c4f5be0a001", "high", "high", 1)]
    assert len(events) == 1 and events[0][0]
    assert basis == [(1,)]


def test_two_runs_agree(case, tmp_path):
    folder = written(tmp_path, GOOD, rule({"eventName": "*"}, name="all"))
    one, two = (sigma_case(case, folder, clock, store=False) for _ in range(2))
    assert [o.rows.sha256 for o in one.outcomes] == [o.rows.sha256 for o in two.outcomes]
    assert one.findings == two.findings


def test_the_library_opens_no_network_and_fetches_nothing(tmp_path):
    """In a process of its own: nothing that could fetch is even loaded once rules were read and converted."""
    folder = written(tmp_path, rule({"eventName|re": "a.*"}, tags=["attack.t1078"]))
    code = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise SystemExit('a socket was opened')\n"
        "socket.socket.connect = refuse\n"
        "from pathlib import Path\n"
        "from forensics.sigma.load import load_rules\n"
        "from forensics.sigma.compile import compile_rule\n"
        f"[compile_rule(r, {{}}) for r in load_rules(Path({str(folder)!r}))]\n"
        "bad = {'requests', 'urllib3', 'diskcache', 'sigma.plugins', 'sigma.data.mitre_attack'} & set(sys.modules)\n"
        "sys.exit(repr(sorted(bad)) if bad else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
