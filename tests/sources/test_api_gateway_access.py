"""The access log of API Gateway: names that each customer chose, and two units of time."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from forensics.ingest.scratch import read_bytes
from tests.sources.building import claimants, read_json, read_values, rows
from tests.stores import new_store

KEY = "Inv3ntedKeyInv3ntedKeyInv3ntedKeyInv3nt9"


def access(**changes: Any) -> dict[str, Any]:
    return {
        "requestId": "c6af9ac6-0000-4000-8000-000000000001",
        "ip": "203.0.113.9",
        "caller": "-",
        "user": "-",
        "apiKeyId": "abc123key",
        "requestTime": "14/Nov/2026:03:10:05 +0100",
        "httpMethod": "GET",
        "resourcePath": "/v1/keys/{id}",
        "status": "200",
        "protocol": "HTTP/1.1",
        "responseLength": "512",
        **changes,
    }


def test_a_call_becomes_a_row() -> None:
    source, reading = read_json(access(apiKey=KEY), access())
    assert source == "api_gateway_access"
    first = rows(reading)[0]
    assert KEY not in repr(first)
    assert {name: value for name, value in first.items() if value is not None} == {
        "provider": "aws",
        "event_time": datetime.fromisoformat("2026-11-14T02:10:05"),
        "request_id": "c6af9ac6-0000-4000-8000-000000000001",
        "key_id": "abc123key",
        "method": "GET",
        "path": "/v1/keys/{id}",
        "status": 200,
        "source_ip": "203.0.113.9",
        "source_ip_key": "00000000000000000000ffffcb007109",
        "response_bytes": 512,
        "raw": '{"protocol":"HTTP/1.1"}',
    }


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"requestTime": "10/Oct/2026:13:55:36 +0000"}, "2026-10-10T13:55:36"),
        ({"requestTime": "10/Oct/2026:13:55:36 -0530"}, "2026-10-10T19:25:36"),
        ({"requestTimeEpoch": "1794622205123"}, "2026-11-14T02:10:05.123000"),  # milliseconds, before the text
        ({"requestTime": "", "requestTimeEpoch": 1794622205123}, "2026-11-14T02:10:05.123000"),
    ],
)
def test_times_are_utc(written: dict[str, Any], expected: str) -> None:
    assert rows(read_json(access(**written))[1])[0]["event_time"] == datetime.fromisoformat(expected)


def test_names_of_other_spelling_and_inner_objects_are_read() -> None:
    value = access(identity={"sourceIp": "192.0.2.4", "userAgent": "curl/8"}, extended_request_id="x1=")
    del value["ip"]
    (row,) = rows(read_json(value)[1])
    assert (row["source_ip"], row["user_agent"], row["extended_request_id"]) == ("192.0.2.4", "curl/8", "x1=")


@pytest.mark.parametrize("name", ["events", "logEvents"])
def test_messages_of_log_events_are_read_and_counted_once(name: str) -> None:
    wrapped = {name: [{"timestamp": 1794622205123, "message": json.dumps(access())}]}
    source, reading = read_json(wrapped)
    assert (source, rows(reading)[0]["status"]) == ("api_gateway_access", 200)
    connection = new_store()
    for data in (json.dumps(wrapped), json.dumps(access())):
        read_bytes(connection, "x", data.encode(), owner="acme")
    assert connection.execute("SELECT count(*) FROM api_access").fetchall() == [(1,)]
    found = connection.execute("SELECT action, outcome, credential, table_name FROM activity").fetchall()
    assert found == [("api:GET", "success", "abc123key", "api_access")]


def test_lines_without_names_are_not_claimed() -> None:
    assert claimants('203.0.113.9 - - [10/Oct/2026:13:55:36 +0000] "GET /v1/keys HTTP/1.1" 200 5 c6af\n') == []
    assert claimants("c6af,203.0.113.9,-,-,10/Oct/2026:13:55:36 +0000,GET,/v1/keys,200,512\n") == []


def test_records_without_time_are_defects() -> None:
    answers = read_values("api_gateway_access", [access(requestTime="31/Feb/2026:00:00:00 +0000"), 1]).answers
    assert [bool(a.defect) for a in answers] == [True, True]
