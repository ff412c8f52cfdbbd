"""How rarely the pack cries wolf: harmless console sessions of others, and the quiet weeks before the sample incident."""

from __future__ import annotations

import pytest

from forensics.analysis.context import catalogue
from forensics.analysis.refresh import compute_hunt, load_case_values
from forensics.ingest.run import IngestOptions, ingest
from forensics.model.outcome import State
from forensics.model.query import Severity
from tests.building import clock, new_case
from tests.noise import week_of
from tests.paths import shared_data


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


@pytest.mark.parametrize(("number", "alone"), [(1, False), (3, False), (2, True)])
def test_quiet_week_of_the_sample(made_sample_case, number, alone):
    """A week before the incident as if its first day were T0, or with nothing before it and no T0 stated."""
    week = week_of(made_sample_case, number, alone=alone)
    assert week.failed() == []
    assert 1000 * len(week.grave()) <= 5 * week.events, week.groups()
    assert len(week.groups()) <= 20, week.groups()
    assert len(week.groups(Severity.HIGH)) <= 3, week.groups(Severity.HIGH)
    assert week.events > 3_000
    if alone:  # it is listed all the same: nobody knows that it is usual
        assert {"aws.secrets_read_in_bulk", "aws.secret_read_by_new_principal"} <= {
            f.query_id for f in week.result.findings
        }
