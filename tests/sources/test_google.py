"""Google Cloud: audit entries, request logging and the bill."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from forensics.ingest.scratch import read_bytes
from tests.sources.building import claimants, read_json, read_text, read_values, rows
from tests.stores import new_store

PROMPT = "an invented question that nobody may store"
ACCOUNT = "billing@acme-ai.iam.gserviceaccount.com"


def entry(
    method: str = "google.cloud.aiplatform.v1.PredictionService.GenerateContent", **payload: Any
) -> dict[str, Any]:
    return {
        "logName": "projects/acme-ai/logs/cloudaudit.googleapis.com%2Fdata_access",
        "timestamp": "2026-11-14T02:10:00.123456789Z",
        "insertId": "1abc",
        "severity": "INFO",
        "resource": {"type": "audited_resource", "labels": {"project_id": "acme-ai", "service": "aiplatform"}},
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "serviceName": "aiplatform.googleapis.com",
            "methodName": method,
            "resourceName": "projects/acme-ai/locations/us-central1/publishers/google/models/gemini-2.5-pro",
            "authenticationInfo": {
                "principalEmail": ACCOUNT,
                "serviceAccountKeyName": f"//iam.googleapis.com/projects/acme-ai/serviceAccounts/{ACCOUNT}/keys/0f0f",
            },
            "requestMetadata": {"callerIp": "203.0.113.50", "callerSuppliedUserAgent": "python-requests/2.32"},
            "request": {"contents": [{"parts": [{"text": PROMPT}]}]},
            "response": {"candidates": [PROMPT]},
            **payload,
        },
    }


def control(**payload: Any) -> dict[str, Any]:
    value = entry("google.api.apikeys.v2.ApiKeys.GetKeyString", serviceName="apikeys.googleapis.com", **payload)
    value["protoPayload"]["resourceName"] = "projects/123/locations/global/keys/aa-bb"
    value["protoPayload"]["request"] = {"name": "projects/123/locations/global/keys/aa-bb"}
    return {**value, "insertId": "2abc"}


def test_a_call_becomes_a_request_without_what_was_asked() -> None:
    source, reading = read_json(entry())
    assert source == "vertex_audit"
    (row,) = rows(reading)
    assert PROMPT not in repr(row)
    row.pop("raw")
    assert {name: value for name, value in row.items() if value is not None} == {
        "provider": "vertex",
        "event_time": datetime.fromisoformat("2026-11-14T02:10:00.123456"),
        "request_id": "1abc",
        "operation": "GenerateContent",
        "model": "gemini-2.5-pro",
        "key_id": "0f0f",
        "principal": ACCOUNT,
        "account_id": "acme-ai",
        "region": "us-central1",
        "source_ip": "203.0.113.50",
        "source_ip_key": "00000000000000000000ffffcb007132",
        "user_agent": "python-requests/2.32",
        "status": "ok",
    }


def test_acts_on_keys_go_to_their_table_and_others_are_named() -> None:
    connection = new_store()
    other = entry("storage.objects.get", serviceName="storage.googleapis.com")
    refused = control(status={"code": 7, "message": "no"})
    values = [entry(), control(), {**refused, "insertId": "3abc"}, {**other, "insertId": "4abc"}]
    reading, account = read_bytes(connection, "x", json.dumps(values).encode(), owner="acme")
    assert (account["accepted"], account["out_of_scope"]) == (3, 1)
    assert "entries of storage.googleapis.com are not read" in reading.notes
    found = connection.execute(
        "SELECT action, outcome, target_key_id, actor_key_id, source_ip FROM ai_audit_event ORDER BY event_id"
    ).fetchall()
    action = "apikeys.googleapis.com:google.api.apikeys.v2.ApiKeys.GetKeyString"
    assert found == [
        (action, "success", "aa-bb", "0f0f", "203.0.113.50"),
        (action, "failure", "aa-bb", "0f0f", "203.0.113.50"),
    ]
    assert connection.execute("SELECT count(*) FROM ai_request").fetchall() == [(1,)]


def test_words_for_addresses_and_calls_by_api_key() -> None:
    value = entry(authenticationInfo={}, requestMetadata={"callerIp": "gce-internal-ip"}, status={"code": 8})
    reading = read_json(value)[1]
    (row,) = rows(reading)
    assert (row["source_ip"], row["principal"], row["status"], row["error_code"]) == (None, None, "error", "8")
    assert "gce-internal-ip" in row["raw"]
    assert reading.notes == ["calls without a principal: made with an API key, which the log does not name"]
    assert read_values("vertex_audit", [{**entry(), "timestamp": None}, 1]).answers[0].defect == "no readable timestamp"


def logged(**changes: Any) -> dict[str, Any]:
    usage = {
        "promptTokenCount": 120,
        "candidatesTokenCount": 30,
        "thoughtsTokenCount": 12,
        "cachedContentTokenCount": 100,
    }
    return {
        "endpoint": "publishers/google/models/gemini-2.5-pro",
        "deployed_model_id": "",
        "logging_time": "2026-11-14 02:10:00.123456 UTC",
        "request_id": "1234567890123456789012",
        "request_payload": [PROMPT],
        "response_payload": [PROMPT],
        "model": "gemini-2.5-pro",
        "api_method": "generateContent",
        "full_request": {"contents": PROMPT},
        "full_response": {"candidates": [PROMPT], "usageMetadata": usage},
        "metadata": {"request_latency": 1.25},
        **changes,
    }


def test_request_logging_counts_thoughts_as_output_and_cached_tokens_inside_the_input() -> None:
    source, reading = read_json(logged(), logged())
    assert source == "vertex_requests"
    row = rows(reading)[0]
    assert PROMPT not in repr(row)
    assert (row["input_tokens_total"], row["cache_read_tokens"], row["output_tokens"]) == (120, 100, 42)
    assert (row["request_id"], row["event_time"]) == (
        "1234567890123456789012",
        datetime.fromisoformat("2026-11-14T02:10:00.123456"),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"full_response": json.dumps({"usage_metadata": {"prompt_token_count": "120", "candidates_token_count": 42}})},
        {
            "full_response": [
                {"candidates": []},
                {"usageMetadata": {"promptTokenCount": 120, "candidatesTokenCount": 42}},
            ]
        },
        {"logging_time": "1.794622200123456E9"},
    ],
)
def test_spellings_streams_and_seconds_with_exponent(changes: dict[str, Any]) -> None:
    (row,) = rows(read_json(logged(**changes))[1])
    assert (row["input_tokens_total"], row["output_tokens"]) == (120, 42)
    assert row["event_time"] == datetime.fromisoformat("2026-11-14T02:10:00.123456")


def test_request_logging_as_csv() -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([name.upper() for name in logged()])
    writer.writerow([json.dumps(v) if isinstance(v, dict | list) else v for v in logged().values()])
    source, reading = read_text(out.getvalue())
    assert (source, rows(reading)[0]["output_tokens"]) == ("vertex_requests", 42)
    assert PROMPT not in repr(rows(reading))
    failed = logged(full_response={"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}, logging_time="?")
    assert [a.defect for a in read_values("vertex_requests", [failed]).answers] == ["no readable logging_time"]


def bill(**changes: Any) -> dict[str, Any]:
    return {
        "billing_account_id": "00AA-11BB",
        "service": {"id": "AEFD", "description": "Gemini API"},
        "sku": {"id": "1-2", "description": "Generate content input token count gemini 2.5 pro"},
        "usage_start_time": "2026-11-14 02:00:00 UTC",
        "usage_end_time": "2026-11-14 03:00:00 UTC",
        "project": {"id": "acme-ai", "name": "AI"},
        "cost": 0.000045,
        "currency": "eur",
        "usage": {"amount": 36.0, "unit": "count"},
        "credits": [{"name": "promotion", "amount": -0.00001}],
        "cost_type": "regular",
        **changes,
    }


FLAT = {
    f"{name}{mark}{inner}" if inner else name: text
    for mark in "."
    for name, member in bill().items()
    for inner, text in (member.items() if isinstance(member, dict) else [("", member)])
}


def as_csv(*values: dict[str, Any]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(values[0]))
    writer.writeheader()
    writer.writerows({k: json.dumps(v) if isinstance(v, list) else f"{v:f}" if isinstance(v, float) else v
                      for k, v in value.items()} for value in values)  # fmt: skip
    return out.getvalue()


@pytest.mark.parametrize(
    "text", [json.dumps([bill()]), as_csv(FLAT), as_csv({name.replace(".", "_"): v for name, v in FLAT.items()})]
)
def test_the_bill_has_exact_amounts_before_credits(text: str) -> None:
    source, reading = read_text(text)
    assert source == "gcp_billing"
    (row,) = rows(reading)
    assert (row["amount"], row["currency"]) == (Decimal("0.000045000000"), "EUR")
    assert (row["project_id"], row["token_type"], row["period_end"]) == (
        "acme-ai",
        "input",
        datetime.fromisoformat("2026-11-14T03:00:00"),
    )
    assert "promotion" in row["raw"]
    assert "costs are before credits, which are kept in raw" in reading.notes


def test_other_services_are_out_of_scope_and_broken_lines_defects() -> None:
    compute = bill(service={"id": "X", "description": "Compute Engine"})
    answers = read_values("gcp_billing", [compute, bill(cost="free"), bill(usage_end_time=None), 1]).answers
    assert [a.out_of_scope or a.defect for a in answers] == [
        "costs of other services are not read",
        "cost is not a number",
        "no readable start and end of usage",
        "the record is not an object",
    ]
    assert claimants(json.dumps({"cost": 1, "currency": "EUR"})) == []
