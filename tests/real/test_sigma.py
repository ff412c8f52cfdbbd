"""The public rules over real logs match what an independent evaluation says, event by event."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta

import pytest

from forensics.analysis.sigma_hunt import sigma_case
from forensics.cli.main import run
from tests.building import clock, new_case
from tests.real.test_labelled_events import ENVELOPE
from tests.sources.real_data import shared_data

FOLDERS = {
    "stratus-red-team": "stratus-red-team",
    "traildiscover": "traildiscover",
    "permiso": "permiso",
    "trailscraper": "trailscraper",
    "SANS-504-S3-ransomware-lab": "suzaku/SANS-504",
    "cloudtrail2sightings": "cloudtrail2sightings",
    "ocsf": "ocsf-raw",
}
#: Its three events share one event id; the evaluation lists one of them.
SHARED_ID = "AWS.ConfigService.DisabledDeleted"


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


@pytest.mark.real_data
def test_labelled_events_match_as_listed_but_for_repeated_ones(tmp_path):
    """Labelled events are no log: ids repeat or are missing, so each gets its own, and the evaluation lists equal ones once."""
    data = shared_data()
    labelled_file, oracle = (
        data / "panther-analysis" / "aws_cloudtrail.labelled.jsonl",
        data / "sigma_oracle_matches.jsonl",
    )
    if not labelled_file.is_file() or not oracle.is_file():
        pytest.skip("no labelled events with expected matches among the real logs")
    labelled = [json.loads(line) for line in labelled_file.read_text(encoding="utf-8").splitlines()]
    start = datetime(2026, 4, 1)
    records = [
        {**ENVELOPE, "eventSource": "unknown.amazonaws.com", "eventName": "Unknown", **row["event"]}
        | {"eventID": str(n), "eventTime": f"{(start + timedelta(hours=2 * n)).isoformat()}Z"}
        for n, row in enumerate(labelled)
    ]
    (tmp_path / "events.json").write_text(json.dumps({"Records": records}), encoding="utf-8")
    case = new_case(tmp_path)
    run(["ingest", str(case.root), str(tmp_path / "events.json")])
    result = sigma_case(case, data / "sigma-rules", clock, store=False)

    def named(rule, row):
        return rule, row["rule_id"], str(row["event"].get("eventID")), str(row["event"].get("eventName"))

    found = [(o.rule.id.removeprefix("sigma."), labelled[int(i)]) for o in result.outcomes for i in o.event_ids]
    lines = map(json.loads, oracle.read_text(encoding="utf-8").splitlines())
    listed = Counter(
        (r["rule"], r["file"], str(r["eventID"]), str(r["eventName"])) for r in lines if r["source"] == "panther"
    )
    matched = Counter(named(*one) for one in found)
    assert listed.total() == 140 and not listed - matched
    contents = Counter(json.dumps(row["event"], sort_keys=True) for row in labelled)
    more = matched - listed
    assert more.total() == 11
    repeated = {named(rule, row) for rule, row in found if contents[json.dumps(row["event"], sort_keys=True)] > 1}
    assert {name for name in more if name not in repeated and name[1] != SHARED_ID} == set()
