"""Horizons: up to when a source is complete, and what is said as of then."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from forensics.analysis.coverage import coverage_of
from forensics.analysis.exposure import judge
from forensics.analysis.facts import Facts
from forensics.analysis.horizon import (
    Horizon,
    export_horizon,
    horizons_of,
    reach_of,
    reach_words,
    trail_horizon,
    trail_horizons,
)
from forensics.analysis.keys import Key
from forensics.analysis.triage import Triage
from forensics.ingest.run import IngestOptions, ingest
from forensics.model.case import read_settings
from forensics.store.eventstore import EventStore
from tests.analysis.verdict_facts import usage_rows
from tests.building import delivery, event, new_case

DAY = datetime(2026, 5, 5)
SETTINGS = read_settings(b'[case]\nid = "X"\n')
KEY = Key("openai", "key_A", "Heron Works", "inventory", location_kind="secret", location_region="eu-west-1")


def at(hour, minute=0):
    return DAY + timedelta(hours=hour, minutes=minute)


@pytest.mark.parametrize(
    ("last", "received", "proven", "until"),
    [
        (at(7, 59), at(8, 15), None, at(8)),
        (at(7, 59), at(8, 14), None, at(7)),
        (at(7, 59), None, None, at(7)),
        (at(7, 59), None, at(12), at(11)),
        (at(7, 59), at(8, 15), at(8), at(8)),
        (None, at(9), at(12, 15), at(12)),
        (None, at(9), None, None),
    ],
)
def test_the_last_complete_hour_of_a_trail(last, received, proven, until):
    assert trail_horizon(last, received, proven) == until


@pytest.mark.parametrize(
    ("stretches", "until"),
    [
        ([(at(0), at(12), None)], at(12)),
        ([(at(0), at(12), at(13))], at(12)),
        ([(at(0), at(12), at(12, 59))], at(11)),
        ([(at(0), at(12), at(14)), (at(10), at(20), at(18, 30))], at(17)),
        ([(at(0), at(12), at(0, 30))], None),
        ([], None),
    ],
)
def test_the_last_complete_hour_of_exports(stretches, until):
    assert export_horizon(stretches) == until


FIRST, COVERED, LAST = at(-240), at(36), at(48)


def facts(*used, covered=((FIRST, COVERED),), received=LAST, truncated=False, until=LAST, trails=()):
    """One key with hourly buckets of use, and what its exports cover."""
    made = Facts(SETTINGS, at(-240), until, None)
    made.coverage = [
        {"provider": "openai", "owner": "Heron Works", "source_id": "openai_usage", "endpoint": "completions",
         "granularity_s": 3600, "grouped_by": "api_key_id,model", "covered_from": a, "covered_until": b,
         "truncated": truncated, "received_at": received}
        for a, b in covered
    ]  # fmt: skip
    made.usage = usage_rows(
        {"provider": "openai", "owner": "Heron Works", "key_id": "key_A", "granularity_s": 3600, "bucket_start": at(h),
         "bucket_end": at(h + 1), "model": "m", "requests": 5, "tokens": 100, "event_key": f"{n:032x}", "evidence": "",
         "source_id": "openai_usage", "grouped_by": "api_key_id,model", "views": 1, "named_by": None}
        for n, h in enumerate(used)
    )  # fmt: skip
    made.trails = {(h.who, h.what): h for h in trails}
    return made


@pytest.mark.parametrize(
    ("known", "last", "active", "as_of"),
    [
        (facts(11), at(12), True, at(36)),  # a day before the horizon
        (facts(10), at(11), False, at(36)),
        (facts(10, received=at(36, 30)), at(11), True, at(35)),  # the export came early: its horizon moves back
        (facts(10, until=at(30)), at(11), True, at(30)),  # the window ends before the horizon
        (facts(35, received=at(30)), at(36), True, at(29)),  # use after the horizon is a fact
        (facts(-100, covered=((at(-240), at(-50)), (at(30), at(36)))), at(-99), None, at(36)),  # the day is not covered
        (facts(10, truncated=True), at(11), None, at(36)),
        (facts(0, received=at(-240)), None, None, None),
    ],
)
def test_still_active_is_as_of_the_horizon_of_the_usage(known, last, active, as_of):
    (answer,) = judge([KEY], known)
    assert (answer["last_use"], answer["still_active"], answer["as_of"]) == (last, active, as_of)
    assert answer["as_of_source"] == "usage of Heron Works at openai"


def test_a_key_without_usage_is_as_of_the_trail_where_it_is_stored():
    there, elsewhere = (
        Horizon("cloudtrail", "111122223333", r, at(h), None) for r, h in (("eu-west-1", 9), ("us-east-1", 20))
    )
    known = facts(trails=(there, elsewhere))
    known.usage.clear()
    (answer,) = judge([KEY], known)
    assert (answer["still_active"], answer["as_of"]) == (None, at(9))
    assert answer["as_of_source"] == "CloudTrail of 111122223333 in eu-west-1"
    known.trails.clear()
    (answer,) = judge([KEY], known)
    assert (answer["as_of"], answer["as_of_source"]) == (None, None)


def test_nothing_unusual_is_not_said_beyond_the_horizon():
    early = facts(*range(-200, 20), covered=((at(-240), at(36)),), received=at(20), until=at(48))
    early.settings = read_settings(b'[case]\nid = "X"\nt0 = 2026-05-05T00:00:00Z\n')
    early.baseline_until = at(-24)
    (answer,) = judge([KEY], early)
    assert answer["abuse"] == "not_evaluable"
    assert any("usage of Heron Works at openai to 2026-05-05T19:00:00Z" in r["text"] for r in answer["reasons"])


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    made, folder = new_case(tmp_path_factory.mktemp("horizon")), tmp_path_factory.mktemp("logs")
    events = [event(n, eventTime=f"2026-05-05T{t}Z") for n, t in enumerate(("03:10:00", "07:59:59"))]
    events.append(
        event(7, eventTime="2026-05-05T05:00:00Z", eventSource="cloudtrail.amazonaws.com", eventName="StopLogging")
        | {"requestParameters": {"name": "main"}, "readOnly": False}
    )
    (folder / "t.json").write_bytes(delivery(events))
    ingest(made, [folder], IngestOptions())
    return made


def put(case, **tables):
    with case.writer("test") as connection:
        for table, rows in tables.items():
            EventStore(connection).replace(table, rows)


def digest(**changes):
    return {
        "object": "d", "account": "111122223333", "region": "us-east-1", "state": "valid", "log_files": 1,
        "start_at": at(8), "end_at": at(9), **changes,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "missing", "until"),
    [
        (digest(), False, 8), (digest(end_at=at(10)), False, 9), (digest(end_at=at(10)), True, 7),
        (digest(end_at=at(10), state="valid_hash_only"), False, 7), (digest(end_at=at(10), region="eu-west-1"), False, 7),
    ],
)  # fmt: skip
def test_a_digest_carries_the_horizon_on_only_when_it_is_valid_and_its_files_are_there(case, row, missing, until):
    lost = [{"object": "l", "state": "missing", "digest_object": "d"}] if missing else []
    put(case, log_digest=[row], log_integrity=lost)
    connection = case.reader()
    try:
        found = trail_horizons(connection, DAY, at(24))
        streams = coverage_of(connection, SETTINGS, DAY, at(24)).streams
    finally:
        connection.close()
    assert found["111122223333", "us-east-1"].until == at(until)
    assert next(s.horizon for s in streams if s.what == "us-east-1") == at(until)


def test_usage_horizons_leave_out_costs_and_audit_logs(case):
    base = {
        "source_id": "openai_usage",
        "provider": "openai",
        "owner": "Heron Works",
        "covered_from": DAY,
        "received_at": at(30),
    }
    rows = [
        {**base, "endpoint": "completions", "covered_until": at(12)},
        {**base, "endpoint": "costs", "covered_until": at(24)},
        {**base, "endpoint": "audit", "covered_until": at(24)},
    ]
    put(case, ai_coverage=rows, log_digest=[], log_integrity=[])
    connection = case.reader()
    try:
        found = horizons_of(connection, DAY, at(24))
    finally:
        connection.close()
    assert [(h.kind, h.who, h.what, h.until) for h in found] == [
        ("cloudtrail", "111122223333", "us-east-1", at(7)),
        ("usage", "Heron Works", "openai", at(12)),
    ]
    assert reach_words(found) == "CloudTrail to 2026-05-05T07:00:00Z; usage to 2026-05-05T12:00:00Z"
    assert reach_words([]) == "no complete hour of any source"
    assert reach_of(found, "Heron Works") == found[1]
    assert reach_of(found, "another") is None


def test_triage_names_the_horizon_where_nothing_is_active(case):
    put(case, ai_coverage=[], log_digest=[], log_integrity=[])
    connection = case.reader()
    try:
        screen = Triage(connection, (), DAY)
        sections = dict(screen.sections())
        (line,) = sections["Still active as of the horizon of the logs"]
        (stopped,) = sections["Logging switched off or narrowed"]
        assert [h.source for h in screen.horizons()] == ["CloudTrail of 111122223333 in us-east-1"]
    finally:
        connection.close()
    assert "CloudTrail of 111122223333 in us-east-1 to 2026-05-05T07:00:00Z" in line.text
    assert stopped.text.endswith("not seen on again as of 2026-05-05T07:00:00Z")
