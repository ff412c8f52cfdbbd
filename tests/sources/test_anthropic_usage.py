"""Usage of Anthropic: the parts of the input are added, ends are exclusive, no requests are counted."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from tests.sources.building import claimants, read_json, rows


def result(**changes: Any) -> dict[str, Any]:
    return {
        "uncached_input_tokens": 1500,
        "cache_creation": {"ephemeral_1h_input_tokens": 1000, "ephemeral_5m_input_tokens": 500},
        "cache_read_input_tokens": 200,
        "output_tokens": 480,
        "server_tool_use": {"web_search_requests": 10},
        "api_key_id": "apikey_01Lant",
        "workspace_id": "wrkspc_01Lant",
        "account_id": None,
        "service_account_id": "svac_01Lant",
        "model": "claude-opus-4-5-20251101",
        "service_tier": "batch",
        "context_window": "0-200k",
        **changes,
    }


def bucket(hour: int, *results: dict[str, Any]) -> dict[str, Any]:
    start, end = (f"2026-11-14T{h:02d}:00:00Z" for h in (hour, hour + 1))
    return {"starting_at": start, "ending_at": end, "results": list(results)}


def page(*buckets: dict[str, Any], more: bool = False) -> dict[str, Any]:
    return {"data": list(buckets), "has_more": more, "next_page": "page_x" if more else None}


def test_a_result_becomes_a_row_with_exact_values() -> None:
    source, reading = read_json(page(bucket(2, result())))
    assert source == "anthropic_usage"
    assert rows(reading) == [
        {
            "provider": "anthropic",
            "bucket_start": datetime.fromisoformat("2026-11-14T02:00:00"),
            "bucket_end": datetime.fromisoformat("2026-11-14T03:00:00"),
            "granularity_s": 3600,
            "endpoint": "chat",
            "project_id": None,
            "workspace_id": "wrkspc_01Lant",
            "key_id": "apikey_01Lant",
            "key_name": None,
            "user_id": "svac_01Lant",
            "model": "claude-opus-4-5-20251101",
            "service_tier": "batch",
            "is_batch": True,
            "requests": None,
            "input_tokens_total": 3200,
            "input_tokens_uncached": 1500,
            "cache_read_tokens": 200,
            "cache_write_tokens": 1500,
            "output_tokens": 480,
            "other_quantity": None,
            "other_unit": None,
            "grouped_by": "api_key_id,context_window,model,service_account_id,service_tier,workspace_id",
            "raw": '{"cache_creation":{"ephemeral_1h_input_tokens":1000,"ephemeral_5m_input_tokens":500},'
            '"context_window":"0-200k","server_tool_use":{"web_search_requests":10}}',
        }
    ]
    assert reading.notes == []
    assert reading.answers[0].native_id == (
        "chat|2026-11-14T02:00:00Z|3600|api_key_id=apikey_01Lant|context_window=0-200k"
        "|model=claude-opus-4-5-20251101|service_account_id=svac_01Lant|service_tier=batch"
        "|workspace_id=wrkspc_01Lant"
    )


def test_a_bucket_in_another_zone_is_brought_to_utc() -> None:
    one = {**bucket(2, result()), "starting_at": "2026-11-14T04:00:00+02:00"}
    (row,) = rows(read_json(page(one))[1])
    assert row["bucket_start"] == datetime.fromisoformat("2026-11-14T02:00:00")


@pytest.mark.parametrize(
    "values",
    [
        [page(bucket(0, result()), bucket(1, result()))],
        [[page(bucket(0, result())), page(bucket(1, result()))]],
        [page(bucket(0, result())), page(bucket(1, result()))],
        [bucket(0, result()), bucket(1, result())],
        [page(bucket(22), bucket(0, result()), bucket(1, result()))],
        [bucket(22), bucket(0, result()), bucket(1, result())],
    ],
)
def test_all_forms_give_the_same_rows(values: list[Any]) -> None:
    source, reading = read_json(*values)
    assert source == "anthropic_usage"
    assert [row["bucket_start"].hour for row in rows(reading)] == [0, 1]


def test_an_export_without_keys_is_said() -> None:
    reading = read_json(page(bucket(0, result(api_key_id=None))))[1]
    assert rows(reading)[0]["key_id"] is None
    assert reading.notes == ["chat: not grouped by API key"]
    assert "api_key_id" not in reading.coverage[0]["grouped_by"]


def test_coverage_joins_buckets_and_knows_the_last_page() -> None:
    reading = read_json(page(bucket(0, result()), bucket(1), bucket(4), more=True))[1]
    assert [(r["covered_from"].hour, r["covered_until"].hour, r["truncated"]) for r in reading.coverage] == [
        (0, 2, True),
        (4, 5, True),
    ]


def test_buckets_without_results_prove_nothing() -> None:
    source, reading = read_json(page(bucket(0), bucket(1)))
    assert (source, reading.coverage) == ("anthropic_usage", [])
    assert reading.notes


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"uncached_input_tokens": "x"}, "uncached_input_tokens is not a whole number"),
        ({"cache_creation": 7}, "cache_creation is not an object"),
        (
            {"cache_creation": {"ephemeral_5m_input_tokens": []}},
            "cache_creation.ephemeral_5m_input_tokens is not a whole",
        ),
        ({"uncached_input_tokens": 2**63 - 1}, "the sum of input tokens is out of range"),
        ({"amount": "5"}, "not a result of the messages usage report"),
    ],
)
def test_what_cannot_be_counted_is_a_defect(changes: dict[str, Any], reason: str) -> None:
    reading = read_json(page(bucket(0, result(), result(**changes))))[1]
    assert reading.answers[0].defect == ""
    assert reading.answers[1].defect.startswith(reason)


def test_analytics_reports_are_not_taken_for_usage() -> None:
    assert claimants(json.dumps(page(bucket(0, result(product="chat", requests=3))))) == ["anthropic_analytics"]
