"""No stale figure is ever shown as fresh."""

from __future__ import annotations

import json

import pytest

from forensics.analysis.context import catalogue
from forensics.analysis.refresh import staleness
from forensics.cli.main import run
from forensics.report.render import render_report
from tests.building import clock, delivery, event


def stale(case):
    connection = case.reader()
    try:
        return staleness(connection, case)
    finally:
        connection.close()


@pytest.fixture
def late_file(tmp_path):
    path = tmp_path / "late.json"
    changes = {
        "eventSource": "secretsmanager.amazonaws.com",
        "eventName": "GetSecretValue",
        "sourceIPAddress": "203.0.113.45",
        "eventTime": "2026-05-05T02:44:00Z",
        "awsRegion": "eu-central-1",
    }
    identity = {
        "type": "IAMUser",
        "arn": "arn:aws:iam::111122223333:user/ci-deploy",
        "accountId": "111122223333",
        "accessKeyId": "AKIACIDEPLOY2LEAK777",
        "userName": "ci-deploy",
    }
    path.write_bytes(
        delivery(
            [
                event(
                    1,
                    userIdentity=identity,
                    requestParameters={"secretId": "prod/customers/yarrowdene/anthropic"},
                    **changes,
                )
            ]
        )
    )
    return path


def test_one_more_file_after_exposure_makes_results_stale_and_report_computes_them_again(
    sample_case, late_file, capsys
):
    assert stale(sample_case) == {}
    assert run(["ingest", str(sample_case.root), str(late_file)]) == 0
    assert set(stale(sample_case)) == {"hunt", "exposure"}
    marked = render_report(sample_case, clock).html.decode()
    assert "evidence was added or changed" in marked
    assert run(["report", str(sample_case.root)]) == 0
    assert stale(sample_case) == {}
    html = next(sample_case.out.glob("report-*.html")).read_text(encoding="utf-8")
    assert "evidence was added or changed" not in html
    capsys.readouterr()
    assert run(["exposure", str(sample_case.root), "--json", "--customer", "Yarrowdene"]) == 10
    key = json.loads(capsys.readouterr().out)["keys"][0]
    assert (key["exposure"], key["verdict"]) == ("read", "exposed_no_abuse_seen")


def test_changed_settings_are_logged_and_make_results_stale(sample_case):
    text = sample_case.settings_path.read_text(encoding="utf-8")
    sample_case.settings_path.write_text(text.replace("TLP:AMBER", "TLP:RED"), encoding="utf-8")
    assert run(["status", str(sample_case.root)]) == 0
    assert "settings changed" in sample_case.custody.path.read_text(encoding="utf-8")
    assert stale(sample_case)["exposure"] == ["the settings changed"]


def test_a_changed_query_makes_results_stale(sample_case, monkeypatch):
    from forensics.analysis import refresh

    monkeypatch.setattr(refresh, "catalogue_sha256", lambda _: "0" * 64)
    assert "the queries changed" in stale(sample_case)["hunt"]
    assert len(catalogue()) > 50
