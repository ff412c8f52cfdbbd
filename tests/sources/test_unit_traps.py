"""Units that look alike and are not: one row a trap, read as a file is read, with what must come out.

Money in dollars, cents as text, as integers, as fractions, in billionths; input tokens with and without cached ones;
times in seconds, milliseconds, nanoseconds, ticks and local days; ends of buckets; counts in thousands.
"""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from forensics.ingest.reading import FileReading, Received, read_file
from forensics.ingest.unpack import unpack
from forensics.sources.protocol import Provenance
from forensics.store.eventstore import Group

S = 1794614400
AT = datetime(2026, 11, 14)
ISO, END = "2026-11-14T00:00:00Z", "2026-11-15T00:00:00Z"


def openai(kind: str, end: int = S + 86400, **result: Any) -> dict[str, Any]:
    bucket = {"object": "bucket", "start_time": S, "end_time": end}
    bucket["results"] = [{"object": f"organization.{kind}.result", **result}]
    return {"object": "page", "data": [bucket], "has_more": False, "next_page": None}


def anthropic(end: str = END, **result: Any) -> dict[str, Any]:
    return {"data": [{"starting_at": ISO, "ending_at": end, "results": [result]}], "has_more": False, "next_page": None}


def spend(**changes: Any) -> list[dict[str, Any]]:
    row = {"request_id": "q", "call_type": "c", "api_key": "ab" * 32, "spend": 0.25, "model": "m", "prompt_tokens": 100}
    return [row | {"total_tokens": 110, "completion_tokens": 10, "startTime": "2026-11-14 00:00:00"} | changes]


def otlp(**attributes: int) -> dict[str, Any]:
    listed = [{"key": f"gen_ai.usage.{name}", "value": {"intValue": str(n)}} for name, n in attributes.items()]
    span = {"traceId": "t", "spanId": "s", "startTimeUnixNano": f"{S}000000000", "endTimeUnixNano": f"{S}500000000"}
    spans = [span | {"name": "chat", "attributes": listed}]
    return {"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [{"spans": spans}]}]}


AZURE = "/SUBSCRIPTIONS/S/RESOURCEGROUPS/R/PROVIDERS/MICROSOFT.COGNITIVESERVICES/ACCOUNTS/A"
CODE = {
    "date": ISO,
    "actor": {"type": "user_actor", "email_address": "dev@example.com"},
    "organization_id": "o",
    "customer_type": "api",
    "terminal_type": "x",
    "core_metrics": {"num_sessions": 1},
    "model_breakdown": [
        {
            "model": "m",
            "tokens": {"input": 100, "output": 10, "cache_read": 50, "cache_creation": 5},
            "estimated_cost": {"amount": 1025, "currency": "USD"},
        }
    ],
}
USED = {
    "uncached_input_tokens": 100,
    "cache_creation": {"ephemeral_1h_input_tokens": 3, "ephemeral_5m_input_tokens": 2},
    "cache_read_input_tokens": 50,
    "output_tokens": 10,
    "api_key_id": "apikey_01A",
    "model": "m",
}
INVOKED = {
    "schemaType": "ModelInvocationLog",
    "timestamp": ISO,
    "requestId": "q",
    "modelId": "anthropic.m",
    "input": {"inputTokenCount": 100, "cacheReadInputTokenCount": 50, "cacheWriteInputTokenCount": 5},
    "output": {"outputTokenCount": 10},
}
CONSOLE = "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,"
CONSOLE += "usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,"
CONSOLE += "usage_output_tokens,web_search_count,inference_geo,speed\n2026-11-14,m,prod,Default,standard,x,100,2,3,50,10,0,global,\n"
ASKED = {
    "category": "RequestResponse",
    "resourceId": AZURE,
    "operationName": "ChatCompletions_Create",
    "time": "2026-11-14T09:00:00Z",
    "correlationId": "c",
    "properties": {"requestTime": 638481757794854611, "modelName": "m"},
}
AZURE_COST = "Date,MeterCategory,MeterName,UnitOfMeasure,Quantity,CostInBillingCurrency,BillingCurrency,ResourceId,SubscriptionId\n"
AZURE_COST += "11/14/2026,Azure OpenAI,gpt 4o Inp glbl Tokens,1K,48120.5,120.30,EUR,/x,s\n"
DEEPSEEK = "user_id,start_time_iso,end_time_iso,model,api_key_name,api_key,type,price,amount\n"
DEEPSEEK += "u,2026-11-14T03:00:00+03:00,2026-11-14T04:00:00+03:00,m,prod,sk-***,input_cache_miss_tokens,1,7\n"
OPENAI_CSV = "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,project_id\n"
OPENAI_CSV += f'{S},{S + 86400},,,1.250000000000000000000000000000,usd,"m, input",p\n'
SPANNED = {"id": "e", "_xact_id": "1", "span_id": "s", "root_span_id": "s", "span_attributes": {"type": "llm"}}
COST_RESULT = {"currency": "USD", "cost_type": "tokens", "description": "d", "workspace_id": None, "model": "m"}
TOTAL = {"input_tokens_total": 155, "input_tokens_uncached": 100, "cache_read_tokens": 50, "cache_write_tokens": 5}

HELICONE = {
    "request_id": "q",
    "request_created_at": ISO,
    "response_status": 200,
    "prompt_tokens": 1,
    "completion_tokens": 1,
}

#: The trap, the file, the table, and what the row must hold.
TRAPS: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "OpenAI costs are dollars": (
        openai("costs", amount={"value": 1.25, "currency": "usd"}, line_item="m, input"),
        "ai_cost",
        {"amount": Decimal("1.25"), "currency": "USD"},
    ),
    "OpenAI cost files are dollars with thirty decimals": (OPENAI_CSV, "ai_cost", {"amount": Decimal("1.25")}),
    "Anthropic costs are cents as text": (
        anthropic(amount="123.45", **COST_RESULT, service_tier="standard", token_type="output_tokens"),
        "ai_cost",
        {"amount": Decimal("1.2345"), "currency": "USD"},
    ),
    "Anthropic analytics are fractions of cents": (
        anthropic(amount="0.5", list_amount="1", **COST_RESULT, product="chat", requests=1),
        "ai_cost",
        {"amount": Decimal("0.005")},
    ),
    "old OpenAI billing is cents": (
        {
            "object": "list",
            "total_usage": 125,
            "daily_costs": [{"timestamp": S, "line_items": [{"name": "m", "cost": 125}]}],
        },
        "ai_cost",
        {"amount": Decimal("1.25"), "period_start": AT},
    ),
    "Fireworks costs are units and billionths": (
        (
            "start_time,model,model_tier,api_key_id,user_id,subtotal_units,subtotal_nanos,subtotal_currency_code\n"
            f"{ISO},m,t,k,u,1,250000000,USD\n"
        ),
        "ai_cost",
        {"amount": Decimal("1.25")},
    ),
    "LiteLLM spends dollars": (spend(), "ai_request", {"cost": Decimal("0.25"), "currency": "USD"}),
    "Helicone's cost is no dollars, its costUSD is": (
        HELICONE | {"cost": 12500000},
        "ai_request",
        {"cost": None, "currency": None, "raw.cost": 12500000, "said": "without costUSD"},
    ),
    "Helicone's costUSD is dollars": (
        HELICONE | {"cost": 12500000, "costUSD": 0.0125},
        "ai_request",
        {"cost": Decimal("0.0125"), "currency": "USD"},
    ),
    "Azure meters count thousands of tokens, and the cost does not": (
        AZURE_COST,
        "ai_cost",
        {"amount": Decimal("120.30"), "currency": "EUR", "raw.Quantity": "48120.5", "raw.UnitOfMeasure": "1K"},
    ),
    "OpenAI input holds cached tokens": (
        openai(
            "usage.completions", input_tokens=155, input_cached_tokens=50, input_cache_write_tokens=5, api_key_id="k"
        ),
        "ai_usage",
        TOTAL,
    ),
    "Anthropic input leaves cached tokens out": (anthropic(**USED), "ai_usage", TOTAL),
    "Claude Code input leaves cached tokens out and its costs are cents": (
        {"data": [CODE], "has_more": False, "next_page": None},
        "ai_usage",
        TOTAL | {"raw.estimated_cost_in_units": {"amount": "10.25", "currency": "USD"}},
    ),
    "Anthropic Console input leaves cached tokens out": (CONSOLE, "ai_usage", TOTAL),
    "Bedrock input leaves cached tokens out": (
        INVOKED,
        "ai_request",
        {"input_tokens_total": 155, "cache_read_tokens": 50},
    ),
    "OpenTelemetry input holds cached tokens and its time is nanoseconds as text": (
        otlp(**{"input_tokens": 155, "cache_read.input_tokens": 50, "output_tokens": 10}),
        "ai_request",
        {
            "input_tokens_total": 155,
            "cache_read_tokens": 50,
            "event_time": AT,
            "end_time": datetime(2026, 11, 14, 0, 0, 0, 500000),
        },
    ),
    "Azure requests tell ticks, which go before the time of the record": (
        ASKED,
        "ai_request",
        {"event_time": datetime(2024, 4, 8, 12, 22, 59, 485461)},
    ),
    "Braintrust tells seconds with a fraction": (
        {"events": [SPANNED | {"metrics": {"start": S + 0.5, "prompt_tokens": 1}}]},
        "ai_request",
        {"event_time": datetime(2026, 11, 14, 0, 0, 0, 500000)},
    ),
    "times of LiteLLM's table without a zone are UTC": (spend(), "ai_request", {"event_time": AT}),
    "DeepSeek tells hours of its viewer, and only the uncached input": (
        DEEPSEEK,
        "ai_usage",
        {"bucket_start": AT, "bucket_end": datetime(2026, 11, 14, 1), "input_tokens_uncached": 7},
    ),
    "the end of an OpenAI bucket is exclusive": (
        openai("usage.completions", end=S + 60, input_tokens=1, api_key_id="k"),
        "ai_usage",
        {"bucket_start": AT, "bucket_end": datetime(2026, 11, 14, 0, 1), "granularity_s": 60},
    ),
    "the end of an Anthropic bucket is exclusive": (
        anthropic(end="2026-11-14T01:00:00Z", **USED),
        "ai_usage",
        {"bucket_end": datetime(2026, 11, 14, 1), "granularity_s": 3600},
    ),
    "an OpenAI export that is not grouped names no key": (
        openai("usage.completions", input_tokens=1, api_key_id=None, model=None, project_id=None),
        "ai_usage",
        {"key_id": None, "model": None, "grouped_by": "", "said": "chat: not grouped by API key"},
    ),
    "an Anthropic export that is not grouped names no key": (
        anthropic(**(USED | {"api_key_id": None})),
        "ai_usage",
        {"key_id": None, "said": "not grouped by API key"},
    ),
}


def read(value: Any) -> tuple[FileReading, Group]:
    data = (value if isinstance(value, str) else json.dumps(value)).encode()
    group = Group()
    return read_file(Received(sha256(data).hexdigest(), unpack(data), 1, Provenance()), group), group


@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap(trap: str) -> None:
    value, table, expected = TRAPS[trap]
    reading, group = read(value)
    assert (reading.reason, reading.offered, list(group.rows)) == ("", 1, [table])
    (row,) = group.rows[table]
    raw = json.loads(row["raw"] or "{}")
    for name, told in expected.items():
        if name == "said":
            assert any(told in note for note in reading.notes)
        else:
            found = raw.get(name[4:]) if name.startswith("raw.") else row[name]
            assert found == told, name
