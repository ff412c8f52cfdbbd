"""Downloads of dashboards: OpenAI, Anthropic Console, OpenRouter. Units, names instead of ids, and what is no zero."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from forensics.ingest.scratch import read_bytes
from tests.paths import shared_data
from tests.sources.building import claimants, read_json, read_text, rows
from tests.stores import new_store

COST = (
    "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,quantity,quantity_unit,line_item,"
    "user_id,api_key_id,project_id,organization_id,project_name,organization_name,user_email,api_source\r\n"
    "1794614400,1794700800,2026-11-14T00:00:00+00:00,2026-11-15T00:00:00+00:00,412.773100000000000000000000000000,usd,"
    '330218480,tokens,"gpt-5-2025-08-07, input",,key_9QxT,proj_Ab12,org-Zz9,prod-chat,Brindlewood,,\r\n'
    "1794700800,1794787200,2026-11-15T00:00:00+00:00,2026-11-16T00:00:00+00:00,,,,,,,,,org-Zz9,,Brindlewood,,\r\n"
)
OLD_COST = (
    "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,project_id,organization_id\n"
    '1794614400,1794700800,2026-11-14T00:00:00,2026-11-15T00:00:00,1.5,usd,"gpt-5, output",proj_Ab12,org-Zz9\n'
)
ACTIVITY = (
    "start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,api_key_id,model,input_tokens,"
    "output_tokens,input_cached_tokens,input_uncached_tokens\n"
    "1794614400,1794618000,2026-11-14T00:00:00+00:00,2026-11-14T01:00:00+00:00,proj_Ab12,3.0,key_9QxT,gpt-5,100.0,20,40,60\n"
)
CONSOLE_USAGE = (
    "\ufeffusage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,"
    "usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,"
    "usage_output_tokens,web_search_count,inference_geo,speed\n"
    "2026-11-14,claude-opus-4-5-20251101,prod-backend,Default,standard,≤ 200k,1000,7,3,90,55,0,global,\n"
)
CONSOLE_COSTS = {
    "2024": "usage_date_utc,model,workspace,api_key,usage_type,token_type,cost_usd\n"
    "2026-11-14,Claude Opus 4.5,Default,prod,standard,output,12.34\n",
    "2025": "usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,cost_type\n"
    "2026-11-14,Claude Opus 4.5,Default,prod,standard,≤ 200k,output,12.34,tokens\n",
    "2026": "usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,list_price_usd,"
    "cost_type,inference_geo,speed,api_key_id,api_key_status\n"
    "2026-11-14,Claude Opus 4.5,Default,prod,standard,≤ 200k,output,12.34,15.00,tokens,global,,apikey_01Qz,active\n",
}


def test_costs_are_dollars_and_a_day_without_amount_is_no_zero():
    identity, reading = read_text(COST)
    assert identity == "openai_cost_csv"
    first, second = reading.answers
    assert first.row is not None
    assert (first.row["amount"], first.row["currency"]) == (Decimal("412.7731"), "USD")
    assert (first.row["key_id"], first.row["model"], first.row["token_type"]) == (
        "key_9QxT",
        "gpt-5-2025-08-07",
        "input",
    )
    assert first.row["period_end"] == datetime.fromisoformat("2026-11-15T00:00:00")
    assert second.row is None
    assert "not evidence of zero" in second.out_of_scope
    assert [c["covered_until"] for c in reading.coverage] == [datetime.fromisoformat("2026-11-15T00:00:00")]


def test_an_older_cost_file_without_keys_says_so():
    identity, reading = read_text(OLD_COST)
    assert identity == "openai_cost_csv"
    assert rows(reading)[0]["key_id"] is None
    assert reading.notes == ["costs: not grouped by API key"]


def test_activity_counts_whole_numbers_written_as_fractions():
    identity, reading = read_text(ACTIVITY)
    row = rows(reading)[0]
    assert identity == "openai_activity_csv"
    assert (row["requests"], row["input_tokens_total"], row["output_tokens"]) == (3, 100, 20)
    assert (row["input_tokens_uncached"], row["cache_read_tokens"], row["granularity_s"]) == (60, 40, 3600)
    assert row["grouped_by"] == "api_key_id,model,project_id"


def test_activity_refuses_half_a_request():
    _, reading = read_text(ACTIVITY.replace(",3.0,", ",3.5,"))
    assert [a.defect for a in reading.answers] == ["num_model_requests is not a whole number"]


@pytest.mark.parametrize(
    ("columns", "cells", "expected"),
    [
        ("num_requests,vector_store_id", "5.0,vs_1", ("file_search", 5, None, None)),
        ("num_requests,num_model_requests,model", "5.0,3.0,gpt-5", ("web_search", 3, 5, "searches")),
        ("num_requests,context_level", "5.0,low", ("web_search", None, 5, "searches")),
        ("seconds,num_model_requests", "400.0,3.0", ("stt", 3, 400, "seconds")),
    ],
)
def test_activity_counts_searches_and_seconds_in_the_units_of_the_interface(
    columns: str, cells: str, expected: tuple[object, ...]
) -> None:
    head, times = "start_time,end_time,start_time_iso,end_time_iso,", "1794614400,1794618000,a,b,"
    _, reading = read_text(f"{head}{columns}\n{times}{cells}\n")
    (row,) = rows(reading)
    assert tuple(row[n] for n in ("endpoint", "requests", "other_quantity", "other_unit")) == expected


@pytest.mark.parametrize(
    ("columns", "cells", "reason"),
    [
        ("seconds,num_model_requests", "400.5,3.0", "seconds is not a whole number"),
        ("num_model_requests,api_key_id", "3.0,key_9QxT", "requests alone: the endpoint cannot be told"),
    ],
)
def test_activity_never_drops_a_count_in_silence(columns: str, cells: str, reason: str) -> None:
    head, times = "start_time,end_time,start_time_iso,end_time_iso,", "1794614400,1794618000,a,b,"
    _, reading = read_text(f"{head}{columns}\n{times}{cells}\n")
    assert [answer.defect for answer in reading.answers] == [reason]


def test_a_file_of_four_columns_is_known_and_proves_nothing():
    identity, reading = read_text("start_time,end_time,start_time_iso,end_time_iso\n")
    assert identity == "openai_activity_csv"
    assert reading.answers == []
    assert reading.coverage == []
    assert reading.notes


def test_console_tokens_without_cache_are_not_the_total():
    identity, reading = read_text(CONSOLE_USAGE)
    row = rows(reading)[0]
    assert identity == "anthropic_console_usage"
    assert (row["input_tokens_uncached"], row["cache_write_tokens"], row["cache_read_tokens"]) == (1000, 10, 90)
    assert (row["input_tokens_total"], row["output_tokens"]) == (1100, 55)
    assert (row["key_name"], row.get("key_id"), row["granularity_s"]) == ("prod-backend", None, 86400)
    assert "usage: keys by name, not by id" in reading.notes


def test_console_usage_of_the_older_header_has_one_column_of_cache_writes():
    text = (
        "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,"
        "usage_input_tokens_cache_write,usage_input_tokens_cache_read,usage_output_tokens\n"
        "2026-11-14T02:00:00Z,claude-x,prod,Default,standard,,10,4,6,1\n"
    )
    row = rows(read_text(text)[1])[0]
    assert (row["input_tokens_total"], row["cache_write_tokens"], row["granularity_s"]) == (20, 4, 3600)


@pytest.mark.parametrize("generation", sorted(CONSOLE_COSTS))
def test_console_costs_are_dollars_in_every_generation(generation: str):
    identity, reading = read_text(CONSOLE_COSTS[generation])
    row = rows(reading)[0]
    assert identity == "anthropic_console_cost"
    assert (row["amount"], row["currency"], row["key_name"]) == (Decimal("12.34"), "USD", "prod")
    assert row["key_id"] == ("apikey_01Qz" if generation == "2026" else None)


def test_openrouter_days_from_csv_and_interface_are_the_same_use():
    csv = (
        "Date,Slug,Usage,BYOK Usage,Requests,Prompt Tokens,Completion Tokens,Reasoning Tokens\n"
        '"2026-05-12 00:00:00","vendor/model-x","430.07","0","4115","70965665","3009973","0"\n'
    )
    page = {"data": [{"date": "2026-05-12", "model": "vendor/model-x", "model_permaslug": "vendor/model-x", "usage": 430.07,
                      "byok_usage_inference": 0, "requests": 4115, "prompt_tokens": 70965665,
                      "completion_tokens": 3009973, "reasoning_tokens": 0}]}  # fmt: skip
    one, two = read_text(csv), read_json(page)
    assert one[0] == two[0] == "openrouter_activity"
    assert one[1].answers[0].native_id == two[1].answers[0].native_id
    assert rows(one[1])[0]["output_tokens"] == rows(two[1])[0]["output_tokens"] == 3009973


def test_openrouter_generation_keeps_agent_and_dollars_and_no_address():
    answer = {"data": {"id": "gen-1", "created_at": "2026-11-14T02:00:00Z", "upstream_id": "u1", "total_cost": 0.25,
                       "model": "vendor/model-x", "tokens_prompt": 10, "tokens_completion": 5, "user_agent": "curl/8.7.1",
                       "cancelled": False}}  # fmt: skip
    identity, reading = read_json(answer)
    row = rows(reading)[0]
    assert identity == "openrouter_generations"
    assert (row["cost"], row["currency"], row["user_agent"], row["status"]) == (
        Decimal("0.25"),
        "USD",
        "curl/8.7.1",
        "ok",
    )
    assert row.get("source_ip") is None


@pytest.mark.parametrize("text", [COST, OLD_COST, ACTIVITY, CONSOLE_USAGE, *CONSOLE_COSTS.values()])
def test_one_format_alone_claims_a_file(text: str):
    assert len(claimants(text)) == 1


def test_a_later_download_of_the_same_day_stands_in_the_figures():
    store = new_store()
    partial = CONSOLE_USAGE.replace(",1000,", ",400,")
    read_bytes(
        store, "a.csv", partial.encode(), "Brindlewood", received_at=datetime.fromisoformat("2026-11-14T12:00:00")
    )
    read_bytes(
        store, "b.csv", CONSOLE_USAGE.encode(), "Brindlewood", received_at=datetime.fromisoformat("2026-11-16T12:00:00")
    )
    assert store.execute("SELECT input_tokens_uncached FROM ai_usage_current").fetchall() == [(1000,)]
    assert store.execute("SELECT count(*) FROM ai_usage").fetchall() == [(2,)]


def test_real_downloads_are_read():
    folder = shared_data("ai-provider-samples")
    found = {}
    for name in ("anthropic_console_usage_2026.csv", "openai_dashboard_completions_usage_min.csv",
                 "openrouter_activity_daily.csv"):  # fmt: skip
        text = (folder / name).read_text(encoding="utf-8")
        identity, reading = read_text(text)
        found[identity] = len(rows(reading))
        assert not [a for a in reading.answers if a.row is None]
    assert found == {"anthropic_console_usage": 4, "openai_activity_csv": 1, "openrouter_activity": 2}
