"""Times at the ends of the calendar, where nothing can have happened: kept, said, and never a crash."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from forensics.analysis.account import account
from forensics.analysis.context import window_of
from forensics.cli.main import run
from forensics.ingest.run import IngestOptions, ingest
from forensics.model.times import parse_time
from forensics.model.wrapping import american_time
from forensics.sources.catalogue import catalogue
from forensics.store.case_folder import CaseFolder
from tests.building import delivery, event, new_case
from tests.sources.building import read_values

ENDS = ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z")
DAY = "9999-12-31"
#: Formats that make a bucket of a day, or whose last event ends a stretch.
RECORDS: dict[str, dict[str, Any]] = {
    "deepseek_usage": {"utc_date": "99991231", "type": "output_tokens", "amount": "1"},
    "deepseek_cost": {"utc_date": DAY, "cost": "1"},
    "copilot_metrics": {"day": DAY},
    "copilot_billing": {"date": DAY, "net_amount": "1"},
    "litellm_daily": {"date": DAY, "api_key": "a", "model": "m"},
    "openrouter_activity": {"date": DAY, "model_permaslug": "m", "usage": 1, "requests": 1},
    "anthropic_console_usage": {"usage_date_utc": DAY, "model_version": "m"},
    "anthropic_console_cost": {"usage_date_utc": DAY, "cost_usd": "1"},
    "azure_cost": {"Date": "12/31/9999", "MeterCategory": "Azure OpenAI", "Cost": "1"},
    "fireworks_cost": {"start_time": DAY, "model": "m", "subtotal_units": "1"},
    "helicone": {"request_created_at": "9999-12-31T23:59:59.999999Z"},
}


@pytest.mark.parametrize("text", [*ENDS, "0001-01-01T00:00:00+23:59", "9999-12-31", "00010101T000000Z"])
def test_such_times_are_none(text: str) -> None:
    assert parse_time(text) is None
    assert parse_time("2026-05-01T00:00:00Z") == datetime(2026, 5, 1)
    assert american_time("12/31/9999") is None


@pytest.mark.parametrize("source_id", sorted(RECORDS))
def test_a_day_at_the_end_is_a_defect_and_no_crash(source_id: str) -> None:
    assert source_id in catalogue()
    (answer,) = read_values(source_id, [RECORDS[source_id]]).answers
    assert answer.row is None
    assert "no readable" in answer.defect


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> CaseFolder:
    folder = tmp_path_factory.mktemp("ends")
    made = new_case(folder)
    events = [event(1), *(event(n, eventTime=text) for n, text in enumerate(ENDS, start=2))]
    (folder / "trail.json").write_bytes(delivery(events))
    result = ingest(made, [folder / "trail.json"], IngestOptions())
    assert result.records["accepted"] == 3
    return made


def test_a_window_that_nobody_stated_does_not_reach_there(case: CaseFolder) -> None:
    connection = case.reader()
    try:
        window = window_of(connection, case.settings())
        assert (window.since, window.until) == (datetime(2026, 5, 1, 0, 0, 1), datetime(2026, 5, 1, 0, 0, 2))
        assert account(connection)["outside_of_time"] == 2
    finally:
        connection.close()


@pytest.mark.parametrize("command", ["status", "hunt", "exposure", "timeline", "coverage", "posture", "report"])
def test_every_command_goes_on(case: CaseFolder, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, str(case.root)]) in (0, 6, 10)
    said = capsys.readouterr()
    if command == "status":
        assert "2 records tell a time before 2000 or after 2099" in said.err
        run([command, str(case.root), "--json"])
        assert json.loads(capsys.readouterr().out)["outside_of_time"] == 2
