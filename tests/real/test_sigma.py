"""The public rules over real logs match what an independent evaluation says, event by event."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from forensics.analysis.sigma_hunt import sigma_case
from forensics.cli.main import run
from tests.building import clock, new_case
from tests.sources.real_data import shared_data

FOLDERS = {
    "stratus-red-team": "stratus-red-team",
    "traildiscover": "traildiscover",
    "permiso": "permiso",
    "trailscraper": "trailscraper",
    "SANS-504-S3-ransomware-lab": "suzaku/SANS-504",
}


@pytest.mark.real_data
@pytest.mark.parametrize("name", FOLDERS)
def test_matches_equal_the_independent_ones(tmp_path, name):
    data = shared_data()
    rules, oracle = data / "sigma-rules", data / "sigma_oracle_matches.jsonl"
    if not rules.is_dir() or not oracle.is_file():
        pytest.skip("no Sigma rules with expected matches among the real logs")
    lines = map(json.loads, oracle.read_text(encoding="utf-8").splitlines())
    expected = {(r["rule"], r["eventID"]) for r in lines if r["source"] == FOLDERS[name]}
    assert expected
    case = new_case(tmp_path)
    run(["ingest", str(case.root), str(data / name)])
    result = sigma_case(case, rules, clock, store=False)
    assert {(o.rule.id.removeprefix("sigma."), i) for o in result.outcomes for i in o.event_ids} == expected
    states = Counter(str(o.state) for o in result.outcomes)
    assert states["hit"] + states["none_seen"] == 57
    (other,) = [o for o in result.outcomes if str(o.state) not in {"hit", "none_seen"}]
    assert str(other.state) == "not_convertible" and "placeholder" in other.reason
