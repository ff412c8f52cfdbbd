"""Summaries over what earlier commands stored: taint, verdicts, and the last hunt."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from forensics.analysis.context import catalogue
from forensics.cli.main import run
from forensics.ingest.run import IngestOptions, ingest
from forensics.ingest.scratch import read_bytes
from forensics.queries.binding import bind
from forensics.store.duckdb_engine import DuckDBEngine
from forensics.store.eventstore import EventStore
from tests.building import delivery, event, new_case
from tests.case_events import exports
from tests.stores import new_store

SECRET = {"eventSource": "secretsmanager.amazonaws.com", "requestParameters": {"secretId": "tenant/key"}}
EVENTS = [
    {"base": "iam_user", "eventTime": "2026-05-05T01:00:00Z"},  # before it was tainted
    {"base": "iam_user", **SECRET, "eventName": "GetSecretValue"},
    {"base": "iam_user", **SECRET, "eventName": "DeleteSecret", "readOnly": False},
    {"base": "iam_user", **SECRET, "eventName": "DeleteSecret", "readOnly": False, "errorCode": "AccessDenied"},
    {"base": "assumed_role", "sourceIPAddress": "203.0.113.99", "eventName": "CreateSubnet", "readOnly": False},
    {"base": "instance_role", "eventName": "CreateVpc", "readOnly": False},
    {"base": "root", "sourceIPAddress": "192.0.2.1", "eventName": "CreateVpc", "readOnly": False},
    {"base": "key_inventory"},
    {"base": "key_inventory", "provider_key_id": "key_HeronEx2"},
    {"base": "key_inventory", "provider_key_id": "key_ElderEx3", "customer": "Elder"},
]
START = datetime.fromisoformat("2026-05-05T02:00:00")


def _taint(kind: str, value: str) -> dict[str, object]:
    return {"kind": kind, "value": value, "since": START, "method": "known", "parent": "", "root": "settings"}


def _run(number: int, state: str) -> dict[str, object]:
    return {"run_id": number, "query_id": "aws.trail_stopped", "state": state, "reason": "r", "records_searched": 9}


def _finding(number: int, severity: str) -> dict[str, object]:
    place = {"first_seen": START, "last_seen": START, "query_id": "aws.trail_stopped"}
    return {"finding_id": f"F-{number}", "severity": severity, "event_count": number, **place}


@pytest.fixture(scope="module")
def engine():
    connection = new_store()
    for export in exports("iam_user", EVENTS):
        read_bytes(connection, export.name, export.data)
    store = EventStore(connection)
    store.insert(
        "tainted",
        [
            _taint("credential", "AKIAWREN2EXAMPLE77AA"),
            _taint("address", "203.0.113.99"),
            _taint("principal", "root:111122223333"),
        ],
    )
    store.insert(
        "verdict",
        [
            {"provider": "openai", "key_id": "key_HeronEx1", "customer": "Orchard", "verdict": "not_exposed"},
            {"provider": "openai", "key_id": "key_HeronEx2", "customer": "Orchard", "verdict": "suspicious"},
            {"provider": "openai", "key_id": "key_ElderEx3", "customer": "Orchard", "verdict": "confirmed"},
        ],
    )
    store.insert("query_run", [_run(1, "clear"), _run(2, "finding")])
    store.insert("finding", [_finding(2, "medium"), _finding(3, "critical")])
    yield DuckDBEngine(connection)
    connection.close()


def rows(engine, name):
    query = catalogue().by_id(f"summary.{name}")
    times = {"since": datetime.fromisoformat("2026-05-01"), "until": datetime.fromisoformat("2026-06-01")}
    return engine.run(query.sql, bind(query, baseline_until=None, **times)).dicts()


def test_the_intruder_acts_from_the_taint_on(engine):
    found = {row["value"]: (row["events"], row["denied"], row["changes"]) for row in rows(engine, "intruder")}
    assert found == {"AKIAWREN2EXAMPLE77AA": (3, 1, 2), "203.0.113.99": (1, 0, 1), "root:111122223333": (1, 0, 1)}


def test_changes_are_those_of_the_intruder_refused_ones_apart(engine):
    found = [(row["action"], row["outcome"], row["calls"]) for row in rows(engine, "intruder_changes")]
    assert sorted(found) == [
        ("CreateSubnet", "success", 1),
        ("CreateVpc", "success", 1),
        ("DeleteSecret", "denied", 1),
        ("DeleteSecret", "success", 1),
    ]


def test_a_resource_is_read_changed_and_refused(engine):
    found = [row for row in rows(engine, "intruder_resources") if row["resource"] == "tenant/key"]
    assert [(row["reads"], row["changes"], row["refused"], row["credentials"]) for row in found] == [(1, 1, 1, 1)]


def test_a_customer_has_the_gravest_verdict_of_its_own_keys(engine):
    found = [
        (r["customer"], r["category"], r["keys"], r["suspicious"], r["not_judged"]) for r in rows(engine, "customers")
    ]
    assert found == [("Orchard", "suspicious", 2, 1, 0), ("Elder", "not judged", 1, 0, 1)]


def test_the_ledger_shows_the_verdict_of_the_key(engine):
    found = {row["key"]: row["verdict"] for row in rows(engine, "key_ledger")}
    assert found == {"key_HeronEx1": "not_exposed", "key_HeronEx2": "suspicious", "key_ElderEx3": None}


def test_a_detection_has_the_state_of_its_last_run(engine):
    (found,) = rows(engine, "detections")
    assert (found["state"], found["severity"], found["findings"], found["events"]) == ("finding", "critical", 2, 5)
    assert found["groups"] == 1  # neither finding names a principal or a resource


def test_coverage_counts_files_and_records_by_owner_and_source(tmp_path, capsys):
    case = new_case(tmp_path)
    for name, events in (("a.json", [event(1), event(2)]), ("b.json", [event(2), event(61)])):
        (tmp_path / name).write_bytes(delivery(events))
    (tmp_path / "notes.txt").write_text("nothing of use", encoding="utf-8")
    ingest(case, [tmp_path / name for name in ("a.json", "b.json", "notes.txt")], IngestOptions())
    assert run(["summary", "evidence_coverage", str(case.root), "--json"]) == 0
    found = {row["source_id"]: row for row in json.loads(capsys.readouterr().out)}
    trail = found["aws_cloudtrail"]
    assert [int(trail[name]) for name in ("files", "seen", "accepted", "duplicate", "defect", "out_of_scope")] == [
        2, 4, 3, 1, 0, 0
    ]  # fmt: skip
    assert (trail["owner"], trail["state"]) == ("", "read")
    assert trail["first_event"].startswith("2026-05-01T00:00:01") and trail["last_event"].startswith(
        "2026-05-01T00:01:01"
    )
    (unknown,) = (row for source, row in found.items() if source != "aws_cloudtrail")
    assert unknown["files"] in (1, "1") and unknown["state"] != "read"
