"""Usage and costs a day out of gateways and shops, and OpenTelemetry."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from forensics.ingest.scratch import read_bytes
from tests.sources.building import claimants, read_json, read_text, read_values, rows
from tests.stores import new_store

DAY = {
    "id": "1",
    "user_id": "ada",
    "date": "2026-11-14",
    "api_key": "ab" * 32,
    "model": "gpt-5",
    "model_group": "big",
    "custom_llm_provider": "openai",
    "prompt_tokens": 120,
    "completion_tokens": 30,
    "cache_read_input_tokens": 100,
    "cache_creation_input_tokens": 0,
    "spend": 0.125,
    "api_requests": 3,
    "successful_requests": 2,
    "failed_requests": 1,
}


def test_a_day_of_litellm() -> None:
    found, reading = read_json([DAY])
    (row,) = rows(reading)
    assert found == "litellm_daily"
    assert (row["key_id"], row["requests"], row["input_tokens_total"], row["cache_read_tokens"], row["output_tokens"]) == (
        "ab" * 32, 3, 120, 100, 30,
    )  # fmt: skip
    assert (row["bucket_end"], row["granularity_s"], row["grouped_by"]) == (
        datetime(2026, 11, 15), 86_400, "key,model,user",
    )  # fmt: skip
    assert json.loads(row["raw"])["spend"] == "0.125"


def test_the_tables_by_user_and_by_team_are_two_views_and_never_added() -> None:
    connection = new_store()
    team = {n: v for n, v in DAY.items() if n != "user_id"} | {"team_id": "t1"}
    for number, value in enumerate((DAY, team)):
        assert read_bytes(connection, str(number), json.dumps([value]).encode(), owner="acme")[1]["accepted"] == 1
    found = connection.execute("SELECT sum(requests), sum(tokens), count(*) FROM key_usage").fetchall()
    assert found == [(3, 150, 1)]


AMOUNT = "user_id,utc_date,model,api_key_name,api_key,type,price,amount\r\n"
LINES = (
    "u1,20261114,deepseek-chat,prod,sk-ab***cd,input_cache_hit_tokens,0.00000007,100\r\n"
    "u1,20261114,deepseek-chat,prod,sk-ab***cd,input_cache_miss_tokens,0.00000027,20\r\n"
    "u1,2026-11-14,deepseek-chat,prod,sk-ab***cd,output_tokens,0.0000011,30\r\n"
    "u1,20261114,deepseek-chat,prod,sk-ab***cd,request_count,0,3\r\n"
)


def test_each_line_of_deepseek_fills_its_own_measure_and_sums_are_right() -> None:
    connection = new_store()
    assert claimants("\ufeff".strip("\ufeff") + AMOUNT + LINES) == ["deepseek_usage"]
    for number in range(2):  # the same days in a later export: superseded, not added
        data = ("\ufeff" + AMOUNT + LINES + "\r\n" * number).encode()
        read_bytes(connection, str(number), data, owner="acme")
    measures = (
        "input_tokens_total), sum(input_tokens_uncached), sum(cache_read_tokens), sum(output_tokens), sum(requests"
    )
    found = connection.execute(f"SELECT sum({measures}), count(*) FROM ai_usage_current").fetchall()
    assert found == [(120, 20, 100, 30, 3, 4)]


def test_times_with_the_offset_of_the_viewer() -> None:
    text = AMOUNT.replace("utc_date", "start_time_iso,end_time_iso") + (
        "u1,2026-11-14T03:00:00+03:00,2026-11-14T04:00:00+03:00,m,prod,sk-***,output_tokens,1,30\r\n"
    )
    (row,) = rows(read_text(text)[1])
    assert (row["bucket_start"], row["granularity_s"]) == (datetime(2026, 11, 14), 3_600)


def test_what_deepseek_lines_cannot_say_is_named() -> None:
    base = {"user_id": "u", "model": "m", "api_key_name": "n", "api_key": "k", "type": "output_tokens", "amount": "1"}
    odd = [base, {**base, "utc_date": "20261399"}, {**base, "utc_date": "20261114", "type": "x"}]
    odd += [{**base, "utc_date": "20261114", "amount": "1.5"}, 7]
    answers = read_values("deepseek_usage", odd).answers
    assert [a.defect or a.out_of_scope for a in answers] == [
        "no readable day or times",
        "no readable day or times",
        "amounts of type x are not read",
        "amount is not a whole number",
        "the record is not an object",
    ]


def test_dollars_and_yuan_stay_two_amounts() -> None:
    text = (
        "user_id,utc_date,model,wallet_type,cost,currency\r\n"
        "u1,20261114,m,normal,1.25,USD\r\nu1,20261114,m,normal,9.5,CNY\r\n"
    )
    found, reading = read_text(text)
    assert found == "deepseek_cost"
    assert [(r["amount"], r["currency"]) for r in rows(reading)] == [(Decimal("1.25"), "USD"), (Decimal("9.5"), "CNY")]
    assert [a.defect for a in read_values("deepseek_cost", [{"utc_date": "20261114", "cost": "x"}]).answers] == [
        "cost is not a number"
    ]


COPILOT = {
    "date": "2026-11-14",
    "username": "ada",
    "product": "copilot",
    "sku": "copilot_premium_request",
    "model": "Claude Sonnet 4.6",
    "quantity": "12.5",
    "unit_type": "requests",
    "applied_cost_per_quantity": "0.04",
    "gross_amount": "0.50",
    "discount_amount": "0.10",
    "net_amount": "0.40",
    "organization": "acme",
}


def test_copilot_bills_the_net_amount() -> None:
    text = ",".join(COPILOT) + "\n" + ",".join(COPILOT.values()) + "\n"
    found, reading = read_text(text)
    (row,) = rows(reading)
    assert (found, row["amount"], row["currency"], row["user_id"]) == ("copilot_billing", Decimal("0.4"), "USD", "ada")
    assert json.loads(row["raw"])["gross_amount"] == "0.50"
    answers = read_values("copilot_billing", [{**COPILOT, "net_amount": ""}, {**COPILOT, "date": "?"}, []]).answers
    assert [a.defect for a in answers] == [
        "net_amount is not a number", "no readable date", "the record is not an object",
    ]  # fmt: skip


def test_copilot_metrics_count_tokens_of_the_command_line_tool() -> None:
    line = {
        "day": "2026-11-14", "enterprise_id": "1", "user_id": 7, "user_login": "ada", "totals_by_ide": [],
        "totals_by_cli": {"request_count": 3, "token_usage": {"prompt_tokens_sum": 120, "output_tokens_sum": 30}},
    }  # fmt: skip
    found, reading = read_json(line, {**line, "user_id": 8})
    row = rows(reading)[0]
    assert (found, row["input_tokens_total"], row["output_tokens"], row["requests"]) == ("copilot_metrics", 120, 30, 3)


def attribute(name: str, value: Any) -> dict[str, Any]:
    kind = "intValue" if isinstance(value, int) else "stringValue"
    return {"key": name, "value": {kind: str(value) if isinstance(value, int) else value}}


NEW = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-5",
    "gen_ai.response.model": "gpt-5-2026-10-01",
    "gen_ai.response.id": "resp_1",
    "gen_ai.usage.input_tokens": 120,
    "gen_ai.usage.output_tokens": 30,
    "gen_ai.usage.cache_read.input_tokens": 100,
    "gen_ai.input.messages": "an invented question",
    "client.address": "203.0.113.50",
    "user_agent.original": "curl/8",
    "server.address": "api.example.test",
}


def span(**attributes: Any) -> dict[str, Any]:
    return {
        "traceId": "t1",
        "spanId": "s1",
        "name": "chat gpt-5",
        "kind": 3,
        "startTimeUnixNano": "1794622200500000000",
        "endTimeUnixNano": "1794622202000000000",
        "attributes": [attribute(n, v) for n, v in (attributes or NEW).items()],
        "status": {},
    }


def otlp(*spans: dict[str, Any]) -> dict[str, Any]:
    resource = {"attributes": [attribute("cloud.account.id", "111122223333"), attribute("service.name", "chat")]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {}, "spans": list(spans)}]}]}


def test_a_span_of_a_model_call() -> None:
    other = {**span(**{"http.method": "GET"}), "spanId": "s2"}
    for values in ([otlp(span(), other)], [otlp(span()), otlp(other)]):
        found, reading = read_json(*values)
        assert found == "otel_genai"
        assert [a.out_of_scope for a in reading.answers] == ["", "records without gen_ai attributes are not read"]
        row = reading.answers[0].row
        assert row is not None
        assert "invented" not in repr(row)
        assert {n: v for n, v in row.items() if v is not None and n not in ("raw", "provider")} == {
            "event_time": datetime(2026, 11, 14, 2, 10, 0, 500000),
            "end_time": datetime(2026, 11, 14, 2, 10, 2),
            "request_id": "resp_1",
            "operation": "chat",
            "model": "gpt-5-2026-10-01",
            "upstream_provider": "openai",
            "account_id": "111122223333",
            "source_ip": "203.0.113.50",
            "source_ip_key": "00000000000000000000ffffcb007132",
            "user_agent": "curl/8",
            "status": "ok",
            "input_tokens_total": 120,
            "cache_read_tokens": 100,
            "output_tokens": 30,
        }


def test_old_names_log_records_and_failures() -> None:
    old = {"gen_ai.system": "openai", "gen_ai.usage.prompt_tokens": 7, "gen_ai.usage.completion_tokens": 8}
    record = {
        "timeUnixNano": "0",
        "observedTimeUnixNano": "1794622200000000000",
        "attributes": span(**old)["attributes"],
    }
    found, reading = read_json({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]})
    (row,) = rows(reading)
    assert (found, row["input_tokens_total"], row["output_tokens"], row["upstream_provider"]) == (
        "otel_genai",
        7,
        8,
        "openai",
    )
    failed = {**span(), "status": {"code": 2}}
    timeless = {**span(), "startTimeUnixNano": "x"}
    answers = read_values("otel_genai", [failed, timeless, None]).answers
    assert answers[0].row is not None
    assert answers[0].row["status"] == "error"
    assert [a.defect for a in answers[1:]] == ["no readable startTimeUnixNano", "the record is not an object"]


@pytest.mark.parametrize("count", [1, 400])
def test_a_large_file_is_recognised(count: int) -> None:
    connection = new_store()
    spans = [{**span(), "spanId": f"s{n}", "padding": "x" * 12_000} for n in range(count)]
    assert read_bytes(connection, "x", json.dumps(otlp(*spans)).encode())[1]["accepted"] == count
