"""Azure's activity log: keys listed and made anew, in the forms of storage and of the interface."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from forensics.ingest.scratch import new_store, read_bytes
from forensics.resources import queries_folder
from tests.sources.building import claimants, read_json, read_values, rows

ACCOUNT = "/subscriptions/0a0a/resourceGroups/heron/providers/Microsoft.CognitiveServices/accounts/heron-ai"
LIST_KEYS = "Microsoft.CognitiveServices/accounts/listKeys/action"


def told(**changes: Any) -> dict[str, Any]:
    """A record as the interface gives it."""
    return {
        "eventDataId": "e-1",
        "eventTimestamp": "2026-11-14T02:10:02.1010000Z",
        "caller": "dev@example.com",
        "claims": {"ipaddr": "203.0.113.9", "appid": "app-1"},
        "category": {"value": "Administrative", "localizedValue": "Administrative"},
        "correlationId": "c-1",
        "httpRequest": {"clientIpAddress": "203.0.113.54", "method": "POST"},
        "operationName": {"value": LIST_KEYS, "localizedValue": "List Keys"},
        "status": {"value": "Succeeded", "localizedValue": "Succeeded"},
        "resourceId": ACCOUNT,
        **changes,
    }


def stored(**changes: Any) -> dict[str, Any]:
    """A record as a storage account or an event hub holds it."""
    return {
        "time": "2026-11-14T02:10:02.1010000Z",
        "resourceId": ACCOUNT.upper(),
        "operationName": LIST_KEYS.upper(),
        "category": "Administrative",
        "resultType": "Success",
        "callerIpAddress": "203.0.113.54",
        "correlationId": "c-1",
        "identity": {"claims": {"appid": "app-1"}},
        **changes,
    }


def test_a_record_of_the_interface_has_exact_values() -> None:
    source, reading = read_json([told()])
    (row,) = rows(reading)
    raw, details = json.loads(row.pop("raw")), json.loads(row.pop("details"))
    assert source == "azure_openai_activity"
    assert {name: value for name, value in row.items() if value is not None} == {
        "provider": "azure_openai",
        "event_time": datetime(2026, 11, 14, 2, 10, 2, 101000),
        "event_id": "e-1",
        "action": LIST_KEYS,
        "outcome": "success",
        "actor_type": "caller",
        "actor_email": "dev@example.com",
        "source_ip": "203.0.113.54",
        "source_ip_key": "00000000000000000000ffffcb007136",
        "target_id": ACCOUNT,
    }
    assert (details, raw["claims"]["appid"], raw["correlationid"]) == ({"status": "Succeeded"}, "app-1", "c-1")


@pytest.mark.parametrize("value", [stored(), {"records": [stored()]}, {"value": [stored()]}, [stored()]])
def test_a_record_of_storage_in_every_envelope(value: Any) -> None:
    (row,) = rows(read_json(value)[1])
    assert (row["action"], row["outcome"], row["actor_id"]) == (LIST_KEYS.upper(), "success", "app-1")
    assert (row["source_ip"], row["target_id"]) == ("203.0.113.54", ACCOUNT.upper())


def test_the_keys_in_an_answer_are_not_kept() -> None:
    bodies = {"responseBody": json.dumps({"key1": "0123456789abcdef" * 2}), "statusCode": "OK"}
    for properties in (bodies, json.dumps(bodies)):
        (row,) = rows(read_values("azure_openai_activity", [told(properties=properties)]))
        assert "0123456789abcdef" not in row["raw"]
        assert json.loads(row["raw"])["properties"] == {"statusCode": "OK"}


def test_what_is_told_of_the_outcome() -> None:
    states = [{"status": {"value": text}} for text in ("Started", "Accepted", "Failed", "Succeeded")]
    found = rows(read_values("azure_openai_activity", [told(**state) for state in states]))
    assert [row["outcome"] for row in found] == [None, None, "failure", "success"]


def test_other_operations_are_out_of_scope_and_broken_ones_defects() -> None:
    odd = [told(operationName={"value": "Microsoft.Compute/virtualMachines/write"}), told(eventTimestamp="soon")]
    answers = read_values("azure_openai_activity", [*odd, {"time": "x"}, 7]).answers
    assert [answer.out_of_scope or answer.defect for answer in answers] == [
        "operations of Microsoft.Compute are not read",
        "no readable eventTimestamp or time",
        "no operationName",
        "the record is not an object",
    ]


def test_a_start_and_an_end_are_two_and_a_copy_is_a_duplicate() -> None:
    connection = new_store()
    both = [stored(resultType="Start"), stored()]
    first = read_bytes(connection, "a", json.dumps(both).encode())[1]
    second = read_bytes(connection, "b", "\n".join(map(json.dumps, both)).encode())[1]
    assert (first["accepted"], second["accepted"], second["duplicate"]) == (2, 0, 2)


def test_resource_logs_and_other_records_are_not_claimed() -> None:
    resource_log = stored(category="Audit", operationName="ListKey", properties={})
    assert claimants(json.dumps(resource_log)) == ["azure_openai"]
    assert claimants(json.dumps({"time": "t", "operationName": "a/b/c", "resourceId": "r"})) == []


def test_the_detection_of_listed_keys_finds_both_forms() -> None:
    connection = new_store()
    read_bytes(connection, "a", json.dumps([told(), stored(correlationId="c-2")]).encode())
    text = (queries_folder() / "detections/azure/openai_keys_listed.sql").read_text(encoding="utf-8")
    window = {"since": datetime(2026, 11, 1), "until": datetime(2026, 12, 1)}
    found = connection.execute(text, window).fetchall()
    assert sorted(row[2] for row in found) == ["app-1", "dev@example.com"]
