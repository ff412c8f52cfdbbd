"""Metrics of Azure OpenAI: a long table, in which no measure may stand for another nor be counted twice."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from forensics.ingest.scratch import read_bytes
from tests.sources.building import claimants, read_json, read_text, read_values, rows
from tests.stores import new_store

ACCOUNT = "/SUBSCRIPTIONS/0A1B/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.COGNITIVESERVICES/ACCOUNTS/AOAI-PROD"
STORAGE = "/SUBSCRIPTIONS/0A1B/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.STORAGE/STORAGEACCOUNTS/X"


def metric(name: str = "ProcessedPromptTokens", total: Any = 1200, **changes: Any) -> dict[str, Any]:
    return {
        "count": 7,
        "total": total,
        "minimum": 10,
        "maximum": 400,
        "average": 171.43,
        "resourceId": ACCOUNT,
        "time": "2026-11-14T02:10:00.0000000Z",
        "metricName": name,
        "timeGrain": "PT1M",
        **changes,
    }


MINUTE = (
    metric("AzureOpenAIRequests", 7),
    metric("ProcessedPromptTokens", 1200),
    metric("GeneratedTokens", 300),
    metric("TokenTransaction", 1500),
)


def test_a_record_is_one_measure_and_its_total_not_its_count() -> None:
    source, reading = read_json(*MINUTE)
    found = rows(reading)
    assert source == "azure_metrics"
    names = ("requests", "input_tokens_total", "output_tokens", "other_quantity")
    assert [tuple(row[name] for name in names) for row in found] == [
        (7, None, None, None),
        (None, 1200, None, None),
        (None, None, 300, None),
        (None, None, None, 1500),
    ]
    first = found[0]
    assert (first["project_id"], first["workspace_id"], first["key_id"]) == ("0a1b", "aoai-prod", None)
    assert first["bucket_start"] == datetime.fromisoformat("2026-11-14T02:10:00")
    assert first["bucket_end"] == datetime.fromisoformat("2026-11-14T02:11:00")
    assert found[3]["other_unit"] == "tokens (TokenTransaction)"
    assert reading.coverage == []


@pytest.mark.parametrize("order", [1, -1])
def test_no_measure_hides_or_doubles_another_in_the_views(order: int) -> None:
    connection = new_store()
    lines = [json.dumps(value) for value in MINUTE][::order]
    read_bytes(connection, "a", "\n".join(lines).encode(), received_at=datetime(2026, 11, 15))
    read_bytes(connection, "b", "\r\n".join(lines[:2]).encode(), received_at=datetime(2026, 11, 16))
    figures = """SELECT sum(requests), sum(input_tokens_total), sum(output_tokens), sum(other_quantity), count(*)
                 FROM ai_usage_current"""
    assert connection.execute(figures).fetchall() == [(7, 1200, 300, 1500, 4)]
    assert connection.execute("SELECT count(*) FROM ai_usage_superseded").fetchall() == [(0,)]
    late = metric("GeneratedTokens", 320)
    read_bytes(connection, "c", json.dumps(late).encode(), received_at=datetime(2026, 11, 17))
    assert connection.execute(figures).fetchall() == [(7, 1200, 320, 1500, 4)]
    assert connection.execute("SELECT measure, earlier, later FROM ai_usage_superseded").fetchall() == [
        ("output_tokens", 300, 320)
    ]
    assert connection.execute("SELECT count(*) FROM key_usage").fetchall() == [(0,)]


def test_deployments_stay_apart_and_totals_stand_beside_them() -> None:
    parts = [metric(total=n, dimensions={"ModelDeploymentName": f"d{n}", "ModelName": "gpt-4o"}) for n in (400, 800)]
    found = rows(read_json(metric(), *parts)[1])
    assert [(row["model"], row["input_tokens_total"], row["grouped_by"]) for row in found] == [
        (None, 1200, "resourceid"),
        ("gpt-4o", 400, "modeldeploymentname,modelname,resourceid"),
        ("gpt-4o", 800, "modeldeploymentname,modelname,resourceid"),
    ]


@pytest.mark.parametrize(
    ("grain", "seconds"), [("PT1M", 60), ("PT5M", 300), ("PT1H", 3600), ("P1D", 86400), ("pt15m", 900)]
)
def test_widths(grain: str, seconds: int) -> None:
    (row,) = rows(read_json(metric(timeGrain=grain))[1])
    assert row["granularity_s"] == seconds
    assert (row["bucket_end"] - row["bucket_start"]).total_seconds() == seconds


@pytest.mark.parametrize("wrapped", [{"records": [metric()]}, [metric()], metric(total=1200.0), metric(total="1200")])
def test_forms_of_the_blob(wrapped: Any) -> None:
    source, reading = read_json(wrapped)
    assert source == "azure_metrics"
    assert rows(reading)[0]["input_tokens_total"] == 1200


def test_the_table_of_log_analytics() -> None:
    text = (
        "\ufeffTimeGenerated [UTC],_ResourceId,MetricName,Total,Count,TimeGrain,Resource\r\n"
        f'"11/14/2026, 2:10:00.000 AM",{ACCOUNT.lower()},generatedtokens,300,7,PT1M,AOAI-PROD\r\n'
    )
    source, reading = read_text(text)
    (row,) = rows(reading)
    assert source == "azure_metrics"
    assert (row["output_tokens"], row["bucket_start"]) == (300, datetime.fromisoformat("2026-11-14T02:10:00"))


def test_the_rest_answer_keeps_equal_points_of_two_series() -> None:
    point = {"timeStamp": "2026-11-14T02:10:00Z", "total": 50}
    series = [{"metadatavalues": [{"value": d}], "data": [point, {"timeStamp": "2026-11-14T02:11:00Z"}]} for d in "ab"]
    name = {"value": "GeneratedTokens", "localizedValue": "Generated tokens"}
    place = f"{ACCOUNT}/providers/Microsoft.Insights/metrics/GeneratedTokens"
    answer = {"interval": "PT1M", "value": [{"id": place, "type": "x", "name": name, "timeseries": series}]}
    connection = new_store()
    _, account = read_bytes(connection, "x", json.dumps(answer).encode())
    assert (account["accepted"], account["duplicate"], account["out_of_scope"]) == (2, 0, 2)
    assert connection.execute("SELECT sum(output_tokens) FROM ai_usage_current").fetchall() == [(100,)]


def test_other_metrics_and_resources_are_named() -> None:
    values = [
        metric("Latency"),
        metric(resourceId=STORAGE),
        metric(total=None),
        metric(total=1.5),
        metric(timeGrain="PT"),
        metric(time="soon"),
        {"time": "2026-11-14T02:10:00Z"},
        1,
    ]
    answers = read_values("azure_metrics", values).answers
    assert [answer.out_of_scope or answer.defect for answer in answers] == [
        "metric Latency is not read",
        "metrics of other resources are not read",
        "total is not a whole number",
        "total is not a whole number",
        "no readable timeGrain",
        "no readable time",
        "no metricName",
        "the record is not an object",
    ]


@pytest.mark.parametrize(
    "value",
    [
        metric(resourceId=STORAGE),
        {n: v for n, v in metric().items() if n != "total"},
        {n: v for n, v in metric().items() if n != "resourceId"},
    ],
)
def test_what_only_resembles_metrics_is_not_claimed(value: Any) -> None:
    assert claimants(json.dumps(value)) == []
