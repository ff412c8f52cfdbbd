"""How rarely the pack cries wolf: harmless console sessions of others, and the quiet weeks before the sample incident."""

from __future__ import annotations

from datetime import timedelta

import pytest

from forensics.analysis.context import Window, catalogue
from forensics.analysis.hunt import run_hunt
from forensics.analysis.refresh import compute_hunt, load_case_values
from forensics.ingest.run import IngestOptions, ingest
from forensics.model.outcome import State
from forensics.model.query import Severity
from forensics.store.duckdb_engine import DuckDBEngine
from tests.building import clock, new_case
from tests.paths import shared_data

WEEK = timedelta(days=7)


def grave(result, lowest=Severity.MEDIUM):
    """Return the ids of the queries of findings of at least this severity, one a finding."""
    return [finding.query_id for finding in result.findings if finding.severity.rank >= lowest.rank]


@pytest.mark.real_data
def test_console_sessions_of_others(tmp_path):
    case = new_case(tmp_path)
    result = ingest(case, [shared_data("permiso")], IngestOptions())
    load_case_values(case)
    hunt, _ = compute_hunt(case, catalogue(), clock)
    assert [o.query_id for o in hunt.outcomes if o.state == State.FAILED] == []
    assert 1000 * len(grave(hunt)) <= 5 * result.records["accepted"], grave(hunt)


@pytest.mark.parametrize("back", [1, 3])
def test_quiet_week_of_the_sample(made_sample_case, back):
    """A week before the incident, judged as if its first day were T0: the weeks before it are the baseline."""
    settings = made_sample_case.settings()
    start = settings.t0 - timedelta(days=1) - back * WEEK
    window = Window(start, start + WEEK, start - timedelta(days=1), stated=True, assumed_t0=False)
    connection = made_sample_case.reader()
    try:
        hunt = run_hunt(DuckDBEngine(connection), catalogue(), window, clock)
    finally:
        connection.close()
    assert [o.query_id for o in hunt.outcomes if o.state == State.FAILED] == []
    assert len(grave(hunt)) <= 17, grave(hunt)  # 5 a thousand of about 3,500 events; 20 groups are allowed
    assert len(grave(hunt, Severity.HIGH)) <= 3, grave(hunt, Severity.HIGH)
