"""Resource logs of Azure OpenAI: two categories in one file, ticks, masked addresses."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from typing import Any

import pytest

from forensics.ingest.scratch import read_bytes
from tests.sources.building import claimants, read_json, read_text, read_values, rows
from tests.stores import new_store

RESOURCE = (
    "/SUBSCRIPTIONS/0A0A0A0A-0000-4000-8000-000000000001/RESOURCEGROUPS/AI/PROVIDERS/"
    "MICROSOFT.COGNITIVESERVICES/ACCOUNTS/AOAI-PROD"
)
PROPERTIES = {
    "apiName": "Azure OpenAI API version 2024-10-21",
    "requestTime": 639302190000000000,
    "requestLength": 48211,
    "responseTime": 639302190021010000,
    "responseLength": 9921,
    "objectId": "",
    "streamType": "Non-Streaming",
    "modelDeploymentName": "gpt4o-prod",
    "modelName": "gpt-4o",
    "modelVersion": "2024-11-20",
}


def asked(**changes: Any) -> dict[str, Any]:
    return {
        "Tenant": "eastus",
        "callerIpAddress": "203.0.113.***",
        "category": "RequestResponse",
        "correlationId": "6c1e0000-0000-4000-8000-000000000001",
        "durationMs": 2101,
        "event": "ShoeboxCallResult",
        "location": "eastus",
        "operationName": "ChatCompletions_Create",
        "properties": json.dumps(PROPERTIES),
        "resourceId": RESOURCE,
        "resultSignature": "200",
        "time": "2026-11-14T02:10:02.1010000Z",
        **changes,
    }


def listed(**changes: Any) -> dict[str, Any]:
    return {
        **asked(category="Audit", operationName="ListKey", correlationId="aa", AssetIdentity="AOAI-PROD"),
        "properties": {"objectId": "0b0b0b0b-0000-4000-8000-000000000002"},
        "callerIpAddress": None,
        **changes,
    }


@pytest.mark.parametrize("properties", [PROPERTIES, json.dumps(PROPERTIES)])
def test_a_request_becomes_a_row_with_exact_values(properties: Any) -> None:
    source, reading = read_json(asked(properties=properties))
    assert source == "azure_openai"
    (row,) = rows(reading)
    raw = json.loads(row.pop("raw"))
    assert {name: value for name, value in row.items() if value is not None} == {
        "provider": "azure_openai",
        # Ticks of 100 ns since the year 1: when it was asked, two seconds before the record's own time.
        "event_time": datetime.fromisoformat("2026-11-14T02:10:00"),
        "end_time": datetime.fromisoformat("2026-11-14T02:10:02.101000"),
        "request_id": "6c1e0000-0000-4000-8000-000000000001",
        "operation": "ChatCompletions_Create",
        "model": "gpt-4o",
        "account_id": "0a0a0a0a-0000-4000-8000-000000000001",
        "region": "eastus",
        "status": "ok",
    }
    assert raw["calleripaddress"] == "203.0.113.***"  # masked: no address, and not thrown away
    assert raw["properties"]["modeldeploymentname"] == "gpt4o-prod"
    assert reading.notes == [
        "requests without objectId: likely made with one of the account's keys, which the log does not name",
        "the log masks the last part of callers' addresses",
    ]


@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [{"records": v}]])
@pytest.mark.parametrize("turn", [False, True])
def test_both_categories_of_one_file_reach_their_tables(wrap: Any, turn: bool) -> None:
    values = [asked(), listed(), asked(category="Trace"), asked(callerIpAddress="203.0.113.8")]
    values = values[::-1] if turn else values
    text = "\n".join(json.dumps(v) for v in wrap(values))
    connection = new_store()
    reading, account = read_bytes(connection, "PT1H.json", text.encode(), owner="acme")
    assert (reading.source_id, account["seen"], account["accepted"], account["out_of_scope"]) == (
        ("azure_openai", 4, 3, 1)
    )
    assert "records of category Trace are not read" in reading.notes
    assert connection.execute("SELECT source_ip FROM ai_request ORDER BY 1 NULLS LAST").fetchall() == [
        ("203.0.113.8",),
        (None,),
    ]
    acts = connection.execute("SELECT action, outcome, actor_id, target_id FROM ai_audit_event").fetchall()
    assert acts == [("ListKey", "success", "0b0b0b0b-0000-4000-8000-000000000002", "AOAI-PROD")]
    again = read_bytes(connection, "again", text.encode(), owner="acme")[1]
    assert (again["accepted"], again["duplicate"]) == (0, 3)


def test_columns_of_log_analytics_are_read() -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ["TimeGenerated [UTC]", "ResourceId", "Category", "OperationName", "CallerIPAddress", "CorrelationId",
         "ResultSignature", "objectId_g", "properties_s"]
    )  # fmt: skip
    inner = json.dumps({k: v for k, v in PROPERTIES.items() if k not in ("objectId", "requestTime")})
    writer.writerow(
        ["11/14/2026, 2:10:02.101 PM", RESOURCE, "RequestResponse", "Embeddings_Create", "203.0.113.***", "c-2", "429",
         "0b0b-1", inner]
    )  # fmt: skip
    source, reading = read_text("\ufeff" + out.getvalue())
    (row,) = rows(reading)
    assert source == "azure_openai"
    assert row["event_time"] == datetime.fromisoformat("2026-11-14T14:10:02.101000")
    assert (row["principal"], row["status"], row["error_code"]) == ("0b0b-1", "error", "429")
    (again,) = rows(
        read_json([{"TimeGenerated": "2026-11-14T14:10:02.101Z", "Category": "RequestResponse", "_ResourceId": RESOURCE,
                    "OperationName": "Embeddings_Create", "modelName_s": "ada"}])[1]
    )  # fmt: skip
    assert (again["event_time"], again["model"]) == (row["event_time"], "ada")


def test_records_without_time_are_defects_and_other_resources_are_not_claimed() -> None:
    answers = read_values("azure_openai", [3, listed(time="soon"), asked(category=None)]).answers
    assert [a.defect or a.out_of_scope for a in answers] == [
        "the record is not an object",
        "no readable time",
        "records of no category are not read",
    ]
    assert claimants(json.dumps(asked(resourceId="/SUBSCRIPTIONS/x/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/V"))) == []
