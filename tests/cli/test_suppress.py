"""keytrail suppress: findings are marked, listed last, never deleted; verdicts do not move; each can be taken back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from forensics.analysis.context import catalogue
from forensics.analysis.refresh import hunt_case, staleness
from forensics.cli.main import run
from forensics.ingest.run import IngestOptions, ingest
from forensics.report.render import render_report
from forensics.store.case_folder import CaseFolder
from tests.building import clock, delivery, event, made_once, new_case

ROOT = {
    "type": "Root",
    "arn": "arn:aws:iam::111122223333:root",
    "accountId": "111122223333",
    "accessKeyId": "AKIAROOT22222222222",
}


def _make(folder: Path) -> None:
    made = new_case(folder)
    events = [event(n, userIdentity=ROOT, sourceIPAddress=f"192.0.2.{n}") for n in (1, 2)]
    events.append(
        event(3, eventSource="cloudtrail.amazonaws.com", eventName="StopLogging", requestParameters={"name": "org"})
    )
    (folder / "trail.json").write_bytes(delivery(events))
    ingest(made, [folder / "trail.json"], IngestOptions())
    hunt_case(made, catalogue(), clock)


@pytest.fixture
def case(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> CaseFolder:
    """A copy of one hunted case."""
    root = tmp_path / "case"
    shutil.copytree(made_once(tmp_path_factory, "suppress", _make) / "case", root)
    return CaseFolder(root, clock)


def findings(case: CaseFolder) -> dict[str, list[int | None]]:
    connection = case.reader()
    try:
        rows = connection.execute("SELECT query_id, suppression FROM finding ORDER BY query_id, finding_id").fetchall()
    finally:
        connection.close()
    found: dict[str, list[int | None]] = {}
    for query, number in rows:
        found.setdefault(query, []).append(number)
    return found


def test_a_suppression_marks_and_keeps(case: CaseFolder, capsys: pytest.CaptureFixture[str]) -> None:
    before = findings(case)
    assert before["aws.root_activity"] == [None]
    arguments = ["suppress", str(case.root), "--query", "aws.root_activity", "--ip", "192.0.2.0/29", "--by", "Kim"]
    assert run(arguments) == 2  # no reason
    assert run([*arguments, "--reason", "<b>yearly test</b>", "--dry-run"]) == 0 and not case.work_path.read_bytes()
    assert run([*arguments, "--reason", "<b>yearly test</b>"]) == 0
    connection = case.reader()
    assert "hunt" in staleness(connection, case)
    connection.close()
    hunt_case(case, catalogue(), clock)
    after = findings(case)
    assert after["aws.root_activity"] == [1] and after["aws.cloudtrail_logging_stopped"] == [None]
    assert {q: len(n) for q, n in after.items()} == {q: len(n) for q, n in before.items()}
    capsys.readouterr()
    run(["hunt", str(case.root), "--json"])
    told = {o["query_id"]: o for o in json.loads(capsys.readouterr().out)["outcomes"]}
    assert (
        told["aws.root_activity"]["state"] == "finding" and told["aws.root_activity"]["findings"][0]["suppression"] == 1
    )


def test_the_report_shows_reason_and_author_and_runs_neither(case: CaseFolder, tmp_path: Path) -> None:
    run(["suppress", str(case.root), "--query", "aws.root_activity", "--reason", "<b>yearly test</b>", "--by", "Kim"])
    hunt_case(case, catalogue(), clock)
    text = render_report(case, clock).html.decode()
    assert "&lt;b&gt;yearly test&lt;/b&gt;, says Kim" in text and "<b>yearly test" not in text


def test_only_findings_whose_every_event_fits(case: CaseFolder) -> None:
    run(
        [
            "suppress",
            str(case.root),
            "--query",
            "aws.root_activity",
            "--ip",
            "192.0.2.1",
            "--reason",
            "r",
            "--by",
            "Kim",
        ]
    )
    hunt_case(case, catalogue(), clock)
    assert findings(case)["aws.root_activity"] == [None]


@pytest.mark.parametrize(
    ("criterion", "query", "other"),
    [
        (["--principal", "root:111122223333"], "aws.root_activity", "aws.cloudtrail_logging_stopped"),
        (["--principal", "AKIAADA2222222222222"], "aws.cloudtrail_logging_stopped", "aws.root_activity"),
        (["--resource", "org"], "aws.cloudtrail_logging_stopped", "aws.root_activity"),
        (["--ip", "192.0.2.7"], "aws.cloudtrail_logging_stopped", "aws.root_activity"),
    ],
)
def test_principal_credential_resource_and_address_each_choose(
    case: CaseFolder, criterion: list[str], query: str, other: str
) -> None:
    assert run(["suppress", str(case.root), *criterion, "--reason", "known since May", "--by", "Kim"]) == 0
    hunt_case(case, catalogue(), clock)
    found = findings(case)
    assert found[query] == [1] and found[other] == [None]
    text = render_report(case, clock).html.decode()
    assert "known since May, says Kim" in text and "No verdict rests on a finding" in text


def test_it_is_taken_back_by_a_second_entry(case: CaseFolder, capsys: pytest.CaptureFixture[str]) -> None:
    run(["suppress", str(case.root), "--query", "aws.", "--reason", "r", "--by", "Kim"])
    hunt_case(case, catalogue(), clock)
    assert run(["hunt", str(case.root)]) == 6  # nothing is left that counts, but something could not be evaluated
    assert run(["suppress", str(case.root), "--undo", "2", "--reason", "r", "--by", "Kim"]) == 2
    assert run(["suppress", str(case.root), "--undo", "1", "--reason", "wrong", "--by", "Ada"]) == 0
    assert run(["suppress", str(case.root), "--undo", "1", "--reason", "wrong", "--by", "Ada"]) == 2
    capsys.readouterr()
    run(["suppress", str(case.root), "--json"])
    (listed,) = json.loads(capsys.readouterr().out)
    assert listed["undone"] and listed["by"] == "Kim"
    hunt_case(case, catalogue(), clock)
    assert findings(case)["aws.root_activity"] == [None]
    assert len(case.work_path.read_bytes().splitlines()) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["--reason", "r", "--by", "Kim"],
        ["--query", "aws.x", "--reason", "r"],
        ["--ip", "not an address", "--reason", "r", "--by", "Kim"],
    ],
)
def test_what_is_refused(case: CaseFolder, arguments: list[str]) -> None:
    assert run(["suppress", str(case.root), *arguments]) == 2
    assert not case.work_path.read_bytes()


def test_verdicts_are_the_same_with_everything_suppressed(sample_case: CaseFolder) -> None:
    from forensics.analysis.verdicts import exposure_case

    def answers() -> list[tuple[str, str]]:
        connection = sample_case.reader()
        try:
            return connection.execute("SELECT key_id, answer FROM verdict ORDER BY provider, key_id").fetchall()
        finally:
            connection.close()

    before = answers()
    for group in ("aws.", "usage.", "openai.", "anthropic.", "correlation."):
        run(["suppress", str(sample_case.root), "--query", group, "--reason", "r", "--by", "Kim"])
    hunt_case(sample_case, catalogue(), clock)
    exposure_case(sample_case, catalogue(), clock)
    assert answers() == before
