"""Gateways and observability tools whose records are taken by name."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from forensics.ingest.scratch import read_bytes
from tests.sources.building import read_json, read_text, read_values, rows
from tests.stores import new_store

ASKED = "an invented question that nobody may store"
KEY = "sk-ant-api03-" + "A1b2C3d4" * 11
CALLS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "helicone": (
        {
            "request_id": "r1",
            "request_created_at": "2026-11-14T02:10:00.5Z",
            "request_path": "/v1/chat/completions",
            "request_user_id": "u1",
            "request_body": {"messages": ASKED},
            "response_body": ASKED,
            "response_created_at": "2026-11-14T02:10:02Z",
            "response_status": 200,
            "model": "gpt-5",
            "provider": "OPENAI",
            "prompt_tokens": 120,
            "completion_tokens": 30,
            "prompt_cache_read_tokens": 100,
            "prompt_cache_write_tokens": 0,
            "costUSD": 0.0125,
            "cost": 12500000,
            "country_code": "NL",
        },
        {
            "event_time": datetime(2026, 11, 14, 2, 10, 0, 500000),
            "end_time": datetime(2026, 11, 14, 2, 10, 2),
            "request_id": "r1",
            "operation": "/v1/chat/completions",
            "model": "gpt-5",
            "upstream_provider": "OPENAI",
            "user_id": "u1",
            "status": "ok",
            "input_tokens_total": 120,
            "cache_read_tokens": 100,
            "cache_write_tokens": 0,
            "output_tokens": 30,
            "cost": Decimal("0.0125"),
            "currency": "USD",
        },
    ),
    "portkey_logs": (
        {
            "id": "p1",
            "trace_id": "t",
            "created_at": "2026-11-14T02:10:00Z",
            "request": {"messages": [ASKED]},
            "response": {"choices": [ASKED]},
            "is_success": False,
            "ai_org": "openai",
            "ai_model": "gpt-5",
            "req_units": 120,
            "res_units": 30,
            "cost": 1.25,
            "cost_currency": "USD",
            "response_status_code": 429,
            "request_url": "https://api.example.test/v1/chat/completions",
            "metadata": {"_user": "u1"},
        },
        {
            "event_time": datetime(2026, 11, 14, 2, 10),
            "request_id": "p1",
            "operation": "https://api.example.test/v1/chat/completions",
            "model": "gpt-5",
            "upstream_provider": "openai",
            "user_id": "u1",
            "status": "error",
            "error_code": "429",
            "input_tokens_total": 120,
            "output_tokens": 30,
        },
    ),
    "langfuse": (
        {
            "id": "o1",
            "traceId": "t1",
            "type": "GENERATION",
            "name": "answer",
            "startTime": "2026-11-14T02:10:00.000Z",
            "endTime": "2026-11-14T02:10:02.000Z",
            "projectId": "proj",
            "userId": "u1",
            "model": "claude-sonnet-4-6",
            "input": ASKED,
            "output": ASKED,
            "usageDetails": {"input": 20, "input_cached_tokens": 100, "output": 30, "total": 150},
            "totalCost": 0.00125,
            "level": "DEFAULT",
        },
        {
            "event_time": datetime(2026, 11, 14, 2, 10),
            "end_time": datetime(2026, 11, 14, 2, 10, 2),
            "request_id": "o1",
            "operation": "answer",
            "model": "claude-sonnet-4-6",
            "user_id": "u1",
            "account_id": "proj",
            "status": "ok",
            "input_tokens_total": 120,
            "cache_read_tokens": 100,
            "output_tokens": 30,
            "cost": Decimal("0.00125"),
            "currency": "USD",
        },
    ),
    "braintrust": (
        {
            "id": "b1",
            "_xact_id": "1",
            "created": "2026-11-14T02:11:00Z",
            "span_id": "s",
            "root_span_id": "s",
            "span_attributes": {"name": "llm call", "type": "llm"},
            "input": [{"content": ASKED}],
            "output": ASKED,
            "metadata": {"model": "gpt-5"},
            "metrics": {"start": 1794622200.5, "end": 1794622202, "prompt_tokens": 120, "completion_tokens": 30},
        },
        {
            "event_time": datetime(2026, 11, 14, 2, 10, 0, 500000),
            "end_time": datetime(2026, 11, 14, 2, 10, 2),
            "request_id": "b1",
            "operation": "llm call",
            "model": "gpt-5",
            "status": "ok",
            "input_tokens_total": 120,
            "output_tokens": 30,
        },
    ),
    "cloudflare_gateway": (
        {
            "id": "c1",
            "created_at": "2026-11-14T02:10:00Z",
            "provider": "openai",
            "model": "gpt-5",
            "path": "v1/chat",
            "success": True,
            "status_code": 200,
            "tokens_in": 120,
            "tokens_out": 30,
            "cost": 0.5,
            "metadata": "{}",
        },
        {
            "event_time": datetime(2026, 11, 14, 2, 10),
            "request_id": "c1",
            "operation": "v1/chat",
            "model": "gpt-5",
            "upstream_provider": "openai",
            "status": "ok",
            "input_tokens_total": 120,
            "output_tokens": 30,
            "cost": Decimal("0.5"),
            "currency": "USD",
        },
    ),
    "litellm_payload": (
        {
            "id": "l1",
            "call_type": "acompletion",
            "response_cost": 0.0025,
            "status": "failure",
            "startTime": 1794622200.5,
            "endTime": 1794622202.25,
            "model": "gpt-5",
            "custom_llm_provider": "openai",
            "prompt_tokens": 120,
            "completion_tokens": 30,
            "requester_ip_address": "203.0.113.50",
            "messages": [{"content": ASKED}],
            "response": ASKED,
            "error_information": {"error_code": "429"},
            "metadata": {"user_api_key_hash": "ab" * 32, "user_api_key_alias": "prod", "user_agent": "curl/8"},
        },
        {
            "event_time": datetime(2026, 11, 14, 2, 10, 0, 500000),
            "end_time": datetime(2026, 11, 14, 2, 10, 2, 250000),
            "request_id": "l1",
            "operation": "acompletion",
            "model": "gpt-5",
            "upstream_provider": "openai",
            "key_hash": "ab" * 32,
            "key_name": "prod",
            "source_ip": "203.0.113.50",
            "source_ip_key": "00000000000000000000ffffcb007132",
            "user_agent": "curl/8",
            "status": "error",
            "error_code": "429",
            "input_tokens_total": 120,
            "output_tokens": 30,
            "cost": Decimal("0.0025"),
            "currency": "USD",
        },
    ),
    "fireworks_metrics": (
        {
            "email": "ada@example.test",
            "start_time": "2026-11-14 02:10:00 UTC",
            "end_time": "2026-11-14 02:10:02 UTC",
            "usage_type": "TEXT_COMPLETION_INFERENCE_USAGE",
            "accelerator_type": "",
            "base_model_name": "llama",
            "prompt_tokens": "120",
            "completion_tokens": "30",
        },
        {
            "event_time": datetime(2026, 11, 14, 2, 10),
            "end_time": datetime(2026, 11, 14, 2, 10, 2),
            "operation": "TEXT_COMPLETION_INFERENCE_USAGE",
            "model": "llama",
            "principal": "ada@example.test",
            "input_tokens_total": 120,
            "output_tokens": 30,
        },
    ),
}


def filled(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None and name not in ("raw", "provider")}


def as_csv(value: dict[str, Any]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(value)
    writer.writerow([json.dumps(v) if isinstance(v, dict | list) else v for v in value.values()])
    return out.getvalue()


@pytest.mark.parametrize("name", CALLS)
def test_a_call_has_its_columns_and_nothing_of_what_was_asked(name: str) -> None:
    value, expected = CALLS[name]
    found, reading = read_json(value)
    assert found == name
    (row,) = rows(reading)
    assert filled(row) == expected
    assert ASKED not in repr(row)


@pytest.mark.parametrize("name", CALLS)
def test_lists_lines_and_csv_give_the_same(name: str) -> None:
    value, expected = CALLS[name]
    for text in (json.dumps([value]), json.dumps({"data": [value]}), "\n".join([json.dumps(value)] * 2), as_csv(value)):
        found, reading = read_text(text)
        assert found == name
        assert filled(rows(reading)[0]) == expected


@pytest.mark.parametrize("name", CALLS)
def test_broken_values_are_defects_or_stay_in_raw(name: str) -> None:
    value, expected = CALLS[name]
    timeless = {n: v for n, v in value.items() if "time" not in n.lower() and "created" not in n and n != "metrics"}
    broken = {n: {"x": [None, {"y": 1}]} if n not in ("type", "span_attributes") else v for n, v in value.items()}
    for odd in ([1], None, "text", 7, {}):
        assert read_values(name, [odd]).answers[0].row is None
    answers = read_values(name, [timeless, broken]).answers
    assert [bool(a.row) for a in answers] == [False, False]
    assert expected


def test_two_equal_calls_without_an_id_are_two(tmp_path: Any) -> None:
    value = CALLS["fireworks_metrics"][0]
    connection = new_store()
    text = as_csv(value) + as_csv(value).splitlines()[1] + "\r\n"
    account = read_bytes(connection, "x", text.encode())[1]
    assert (account["seen"], account["accepted"]) == (2, 2)
    assert read_bytes(connection, "y", (text + "\r\n").encode())[1]["duplicate"] == 2


def test_spans_that_are_no_calls_are_out_of_scope() -> None:
    span = {**CALLS["langfuse"][0], "type": "SPAN"}
    assert (
        read_values("langfuse", [span]).answers[0].out_of_scope == "observations of type SPAN are no calls of a model"
    )
    task = {**CALLS["braintrust"][0], "span_attributes": {"type": "task"}, "metrics": {"start": 1794622200}}
    assert read_values("braintrust", [task]).answers[0].out_of_scope


def test_langfuse_without_a_total_counts_the_input_that_is_given() -> None:
    value = {**CALLS["langfuse"][0], "usageDetails": {"input": 120, "output": 30}}
    assert rows(read_json(value)[1])[0]["input_tokens_total"] == 120


def test_names_in_the_other_case() -> None:
    value = {
        "id": "o1", "trace_id": "t1", "type": "GENERATION", "start_time": "2026-11-14T02:10:00Z", "user_id": "u1",
        "usage_details": json.dumps({"input": 120, "output": 30}), "total_cost": "0.5", "model": "m",
    }  # fmt: skip
    found, reading = read_text(as_csv(value))
    assert (found, rows(reading)[0]["output_tokens"], rows(reading)[0]["user_id"]) == ("langfuse", 30, "u1")


def test_a_cost_of_unknown_unit_is_no_cost() -> None:
    reading = read_json(CALLS["portkey_logs"][0])[1]
    (row,) = rows(reading)
    assert row["cost"] is None
    assert json.loads(row["raw"])["cost"] == "1.25"
    assert reading.notes == ["costs are kept in raw: their unit is not documented"]


def test_encrypted_bodies_of_logpush_are_not_kept() -> None:
    sealed = {"type": "rsa", "key": "k" * 40, "iv": "i", "data": "d" * 400}
    value = {
        "Gateway": "acme", "Provider": "openai", "Model": "gpt-5", "StatusCode": 200, "Endpoint": "chat",
        "Datetime": "2026-11-14T02:10:00Z", "RequestBody": sealed, "ResponseBody": sealed,
    }  # fmt: skip
    found, reading = read_json(value)
    (row,) = rows(reading)
    assert (found, row["account_id"]) == ("cloudflare_gateway", "acme")
    assert "dddd" not in row["raw"]


ACTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "portkey_audit": (
        {
            "timestamp": "2026-11-14T02:10:00Z",
            "method": "POST",
            "uri": "/v1/api-keys",
            "request_id": "a1",
            "request_body": {"key": KEY},
            "request_headers": {"authorization": "Bearer " + KEY},
            "user_id": "k1",
            "user_type": "api_key",
            "workspace_id": "w1",
            "response_status_code": 403,
            "resource_type": "api_key",
            "action": "create",
            "client_ip": "203.0.113.50",
            "country": "NL",
        },
        {
            "event_id": "a1",
            "action": "api_key.create",
            "outcome": "failure",
            "actor_type": "api_key",
            "actor_key_id": "k1",
            "target_id": "/v1/api-keys",
            "project_id": "w1",
        },
    ),
    "litellm_audit": (
        {
            "id": "a1",
            "updated_at": "2026-11-14T02:10:00Z",
            "changed_by": "ada",
            "changed_by_api_key": "ab" * 32,
            "action": "created",
            "table_name": "LiteLLM_VerificationToken",
            "object_id": "cd" * 32,
            "before_value": None,
            "updated_values": {"key": KEY, "max_budget": 10},
        },
        {
            "event_id": "a1",
            "action": "LiteLLM_VerificationToken.created",
            "outcome": "success",
            "actor_id": "ada",
            "actor_key_id": "ab" * 32,
            "target_id": "cd" * 32,
            "target_key_id": "cd" * 32,
        },
    ),
    "fireworks_audit": (
        {
            "id": "a1",
            "timestamp": "2026-11-14T02:10:00Z",
            "principal": "ada@example.test",
            "api_key_id": "k1",
            "client_ip": "203.0.113.50",
            "user_agent": "curl/8",
            "method": "CreateApiKey",
            "resource": "accounts/acme/apiKeys/1",
            "status_code": 200,
            "payload": {"key": KEY},
        },
        {
            "event_id": "a1",
            "action": "CreateApiKey",
            "outcome": "success",
            "actor_id": "ada@example.test",
            "actor_key_id": "k1",
            "target_id": "accounts/acme/apiKeys/1",
            "user_agent": "curl/8",
        },
    ),
    "mistral_audit": (
        {
            "log_id": "a1",
            "created_at": "2026-11-14T02:10:00Z",
            "actor_type": "user",
            "actor_metadata": {"id": "u1", "email": "ada@example.test", "ip_address": "203.0.113.50"},
            "event_type": "api_key.created",
            "event_metadata": {"note": KEY},
            "target_type": "api_key",
            "target_metadata": {"id": "k9"},
            "organization_uuid": "o1",
            "workspace_uuid": "w1",
        },
        {
            "event_id": "a1",
            "action": "api_key.created",
            "actor_type": "user",
            "actor_id": "u1",
            "actor_email": "ada@example.test",
            "target_id": "k9",
            "target_key_id": "k9",
            "project_id": "w1",
        },
    ),
}


@pytest.mark.parametrize("name", ACTS)
def test_acts_say_who_what_and_from_where_and_hold_no_key(name: str) -> None:
    value, expected = ACTS[name]
    for shape in ([value], {"data": [value]}):
        found, reading = read_json(shape)
        assert found == name
        (row,) = rows(reading)
        assert row["event_time"] == datetime(2026, 11, 14, 2, 10)
        if name != "litellm_audit":
            assert row["source_ip"] == "203.0.113.50"
        whole = filled(row)
        for dropped in ("event_time", "source_ip", "source_ip_key", "details"):
            whole.pop(dropped, None)
        assert whole == expected
        assert KEY not in repr(row)


@pytest.mark.parametrize("name", [*CALLS, *ACTS])
def test_rows_are_stored_and_counted(name: str) -> None:
    value = (CALLS | ACTS)[name][0]
    connection = new_store()
    _, account = read_bytes(connection, "x", json.dumps([value]).encode(), owner="acme")
    assert (account["seen"], account["accepted"]) == (1, 1)
    again = json.dumps([dict(reversed(value.items()))]).encode()
    assert read_bytes(connection, "y", again, owner="acme")[1]["duplicate"] == 1
