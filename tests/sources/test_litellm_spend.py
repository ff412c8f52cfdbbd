"""The spend log of LiteLLM, from JSON and from a dump of its table."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from tests.sources.building import read_json, read_text, rows

HASH = sha256(b"invented virtual key").hexdigest()
PROMPT = "an invented question that nobody may store"
METADATA = {
    "user_api_key_alias": "brind-prod",
    "user_api_key_user_email": "ops@example.com",
    "requester_ip_address": "192.0.2.60",
    "additional_usage_values": {"cache_read_input_tokens": 4, "cache_creation_input_tokens": 2},
    "status": "success",
}


def request(**changes: Any) -> dict[str, Any]:
    return {
        "request_id": "chatcmpl-Lf1",
        "call_type": "acompletion",
        "api_key": HASH,
        "spend": 0.00033,
        "total_tokens": 30,
        "prompt_tokens": 10,
        "completion_tokens": 20,
        "startTime": "2026-11-14T12:37:44.874",
        "endTime": "2026-11-14T12:37:46+00:00",
        "model": "anthropic/claude-opus-4-5",
        "custom_llm_provider": "anthropic",
        "user": "",
        "end_user": "end-user-7",
        "request_tags": ["env:prod", "User-Agent: curl", "User-Agent: curl/8.7.1"],
        "messages": [{"role": "user", "content": PROMPT}],
        "response": {"choices": [{"message": {"content": PROMPT}}]},
        "metadata": METADATA,
        **changes,
    }


EXPECTED = {
    "provider": "litellm",
    "event_time": datetime.fromisoformat("2026-11-14T12:37:44.874000"),
    "end_time": datetime.fromisoformat("2026-11-14T12:37:46"),
    "request_id": "chatcmpl-Lf1",
    "operation": "acompletion",
    "model": "anthropic/claude-opus-4-5",
    "upstream_provider": "anthropic",
    "key_id": None,
    "key_name": "brind-prod",
    "key_hash": HASH,
    "principal": "ops@example.com",
    "user_id": "end-user-7",
    "account_id": None,
    "region": None,
    "source_ip": "192.0.2.60",
    "source_ip_key": "00000000000000000000ffffc000023c",
    "user_agent": "curl/8.7.1",
    "status": "ok",
    "error_code": None,
    "input_tokens_total": 10,
    "cache_read_tokens": 4,
    "cache_write_tokens": 2,
    "output_tokens": 20,
    "cost": Decimal("0.000330000000"),
    "currency": "USD",
}


def as_csv(*values: dict[str, Any], lower: bool = False) -> str:
    out = io.StringIO()
    header = [name.lower() if lower else name for name in values[0]]
    writer = csv.writer(out)
    writer.writerow(header)
    for value in values:
        writer.writerow([json.dumps(v) if isinstance(v, dict | list) else v for v in value.values()])
    return out.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(request()),
        json.dumps([request()]),
        json.dumps({"data": [request()]}),
        as_csv(request()),
        as_csv(request(), lower=True),
    ],
    ids=["object", "array", "data", "csv", "csv in lower case"],
)
def test_a_request_becomes_a_row_with_exact_values(text: str) -> None:
    source, reading = read_text(text)
    assert source == "litellm_spend"
    (row,) = rows(reading)
    assert {name: value for name, value in row.items() if name != "raw"} == EXPECTED
    assert PROMPT not in row["raw"]
    assert "messages" not in row["raw"]
    assert reading.answers[0].native_id == "chatcmpl-Lf1"
    assert reading.notes == []


def test_the_column_of_the_address_comes_before_the_metadata() -> None:
    reading = read_json(request(requester_ip_address="203.0.113.9"), request(requester_ip_address=""))[1]
    assert [row["source_ip"] for row in rows(reading)] == ["203.0.113.9", "192.0.2.60"]


def test_a_stated_agent_comes_before_the_tags() -> None:
    (row,) = rows(read_json(request(metadata={**METADATA, "user_agent": "app/1"}))[1])
    assert row["user_agent"] == "app/1"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": "failure", "metadata": {"error_information": {"error_code": "401"}}}, ("error", "401")),
        ({"metadata": {"error_information": {"error_class": "Timeout"}}}, ("error", "Timeout")),
        ({"metadata": {}}, ("ok", None)),
        ({"metadata": {}, "completion_tokens": 0, "spend": 0}, (None, None)),
    ],
)
def test_status_and_error(changes: dict[str, Any], expected: tuple[str | None, str | None]) -> None:
    (row,) = rows(read_json(request(**changes))[1])
    assert (row["status"], row["error_code"]) == expected


def test_a_virtual_key_in_the_clear_is_masked() -> None:
    key = "sk-" + "Q1w2E3r4T5y6U7i8O9p0"
    (row,) = rows(read_json(request(api_key=key, metadata={**METADATA, "note": f"Bearer {key}"}))[1])
    assert row["key_hash"] == "sk-...O9p0"
    assert key not in row["raw"]


def test_spend_in_scientific_form_is_exact() -> None:
    (row,) = rows(read_text(as_csv(request(spend="3.3e-05")))[1])
    assert row["cost"] == Decimal("0.000033")


def test_spend_that_is_no_number_is_said_and_kept() -> None:
    reading = read_text(as_csv(request(spend="n/a")))[1]
    assert (rows(reading)[0]["cost"], rows(reading)[0]["currency"]) == (None, None)
    assert '"spend":"n/a"' in rows(reading)[0]["raw"]
    assert reading.notes == ["spend is not a number in some rows"]


def test_a_start_that_cannot_be_read_is_a_defect() -> None:
    reading = read_json(request(startTime="noon"), request())[1]
    assert [answer.defect for answer in reading.answers] == ["no readable startTime", ""]
