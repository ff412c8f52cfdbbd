"""Each finding says to which session it belongs, or that its records name no credential of AWS."""

from __future__ import annotations

import json
import shutil

import pytest

from forensics.analysis.context import catalogue
from forensics.analysis.refresh import hunt_case
from forensics.cli.main import run
from forensics.ingest.run import IngestOptions, ingest
from forensics.report.render import render_report
from forensics.store.case_folder import CaseFolder
from tests.building import clock, delivery, event, new_case
from tests.paths import REPOSITORY


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> CaseFolder:
    folder = tmp_path_factory.mktemp("sessions")
    made = new_case(folder)
    stopped = event(
        3, eventSource="cloudtrail.amazonaws.com", eventName="StopLogging", requestParameters={"name": "org"}
    )
    (folder / "trail.json").write_bytes(delivery([stopped]))
    shutil.copy(REPOSITORY / "tests" / "base_events" / "openai_audit.json", folder / "audit.json")
    ingest(made, [folder / "trail.json", folder / "audit.json"], IngestOptions())
    hunt_case(made, catalogue(), clock)
    return made


def test_hunt_names_the_session_or_says_that_there_is_none(
    case: CaseFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["hunt", str(case.root), "--json"])
    told = {o["query_id"]: o["findings"] for o in json.loads(capsys.readouterr().out)["outcomes"] if o["findings"]}
    (stopped,) = told["aws.cloudtrail_logging_stopped"]
    assert stopped["chains"] and stopped["actor"] and stopped["resources"] == ["org"]
    (made,) = told["openai.key_lifecycle"]
    assert made["chains"] == [] and made["actor"] and made["confidence"]
    run(["hunt", str(case.root), "--query", "openai.key_lifecycle"])
    assert "no AWS" in capsys.readouterr().out
    run(["hunt", str(case.root), "--query", "aws.cloudtrail_logging_stopped"])
    assert "no AWS" not in capsys.readouterr().out


def test_the_report_says_it_of_the_finding(case: CaseFolder) -> None:
    text = render_report(case, clock).html.decode()
    for title, said in (("openai.key_lifecycle", True), ("aws.cloudtrail_logging_stopped", False)):
        articles = (a.split("</article>")[0] for a in text.split("<article")[1:])
        (finding,) = (a for a in articles if '<h3 id="h-f-' in a and f">{title}<" in a)
        assert ("no AWS credential in its records" in finding) == said, title
