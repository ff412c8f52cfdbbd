"""Labelled CloudTrail events: what a rule of others expects is found by the query of the same behaviour.

Each event stands alone: it gets credentials and an hour of its own, so that no finding comes from its neighbours. Only rules
whose events need nothing but themselves are taken. Which behaviour a rule stands for is written in panther_rules.toml.
"""

from __future__ import annotations

import json
import tomllib
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from forensics.analysis.context import catalogue
from forensics.analysis.refresh import compute_hunt, load_case_values
from forensics.ingest.run import IngestOptions, ingest
from forensics.model.outcome import State
from tests.building import clock, new_case
from tests.docs.test_detection_coverage_page import rows as coverage_rows
from tests.paths import REPOSITORY, shared_data

RULES = tomllib.loads(Path(__file__).with_name("panther_rules.toml").read_text(encoding="utf-8"))
PAGE = REPOSITORY / "docs" / "detection-quality.md"
#: What every record of CloudTrail has; some labelled ones leave it out.
ENVELOPE = {
    "eventVersion": "1.08",
    "awsRegion": "us-east-1",
    "eventType": "AwsApiCall",
    "userIdentity": {"type": "Unknown"},
}


def expected_events():
    """Return (rule, name, event) of every labelled event that its rule must match and that needs no mock."""
    text = (shared_data("panther-analysis") / "aws_cloudtrail.labelled.jsonl").read_text(encoding="utf-8")
    labelled = [json.loads(line) for line in text.splitlines()]
    return [(r["rule_id"], r["test_name"], r["event"]) for r in labelled if r["expected"] and not r["has_mocks"]]


def alone(event, number):
    """Return the event with an id, an hour and credentials of its own."""
    record = {**ENVELOPE, **{k: v for k, v in event.items() if not k.startswith("p_")}}
    record.setdefault("eventSource", "unknown.amazonaws.com")
    record.setdefault("eventName", "Unknown")
    moment = datetime(2026, 4, 1) + timedelta(hours=2 * number)
    record["eventID"], record["eventTime"] = f"row-{number}", f"{moment.isoformat()}Z"
    identity = dict(record["userIdentity"] or {})
    if identity.get("accessKeyId"):
        identity["accessKeyId"] = f"{'AKIA' if identity.get('type') == 'IAMUser' else 'ASIA'}ROW2EXAMPLE{number:05d}"
    return {**record, "userIdentity": identity}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """The ids of the queries that name each event, by number."""
    events = expected_events()
    folder = tmp_path_factory.mktemp("labelled")
    file = folder / "events.json"
    file.write_text(json.dumps({"Records": [alone(e, n) for n, (_, _, e) in enumerate(events)]}), encoding="utf-8")
    case = new_case(folder)
    result = ingest(case, [file], IngestOptions())
    assert result.records["accepted"] == len(events), result.records
    load_case_values(case)
    hunt, _ = compute_hunt(case, catalogue(), clock)
    assert [o.query_id for o in hunt.outcomes if o.state == State.FAILED] == []
    queries: dict[int, set[str]] = {n: set() for n in range(len(events))}
    for outcome in hunt.outcomes:
        for event_id in outcome.event_ids:
            queries[int(event_id.removeprefix("row-"))].add(outcome.query_id)
    return queries


@cache
def queries_of(behaviours):
    """Return the queries that docs/detection-coverage.md names for these behaviours."""
    return {query for row in coverage_rows() if row.id in behaviours for query in row.queries}


def counted(rule):
    """Return whether a rule stands for a behaviour of tier 1 or 2."""
    tiers = {row.id: row.tier for row in coverage_rows()}
    return any(tiers[b] < 3 for b in RULES["behaviour"].get(rule, []))


@pytest.mark.real_data
def test_every_rule_is_judged():
    rules = {rule for rule, _, _ in expected_events()}
    assert rules - RULES["behaviour"].keys() - RULES["not_a_behaviour"].keys() == set()
    assert not RULES["behaviour"].keys() & RULES["not_a_behaviour"].keys()
    known = {row.id for row in coverage_rows()}
    assert {b for behaviours in RULES["behaviour"].values() for b in behaviours} <= known


@pytest.mark.real_data
def test_at_least_95_of_100_expected_events_are_found(found):
    judged = [(rule, name, n) for n, (rule, name, _) in enumerate(expected_events()) if counted(rule)]
    missed = [(rule, name) for rule, name, n in judged if not found[n] & queries_of(tuple(RULES["behaviour"][rule]))]
    assert len(judged) >= 50
    assert 100 * (len(judged) - len(missed)) >= 95 * len(judged), missed


@pytest.mark.real_data
def test_the_page_names_what_is_not_found(found):
    page = PAGE.read_text(encoding="utf-8")
    for n, (rule, name, _) in enumerate(expected_events()):
        behaviours = tuple(RULES["behaviour"].get(rule, []))
        if not behaviours or not found[n] & queries_of(behaviours):
            assert f"`{rule}`" in page, f"{rule}: {name}"


def test_the_page_gives_the_reason_of_every_rule_that_is_no_behaviour():
    page = PAGE.read_text(encoding="utf-8")
    assert [rule for rule, reason in RULES["not_a_behaviour"].items() if f"| `{rule}` | {reason} |" not in page] == []
