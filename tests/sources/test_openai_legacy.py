"""OpenAI's older interfaces: seconds that are no milliseconds, cents that are no dollars."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from forensics.ingest.scratch import read_bytes
from tests.sources.building import claimants, read_json, read_values, rows
from tests.stores import new_store

NOON = 1794657600  # 2026-11-14 12:00:00 UTC


def used(**changes: Any) -> dict[str, Any]:
    return {
        "organization_id": "org-1",
        "organization_name": "Brindlewood",
        "aggregation_timestamp": NOON,
        "n_requests": 3,
        "operation": "completion",
        "snapshot_id": "gpt-4o-2024-11-20",
        "n_context": 3,
        "n_context_tokens_total": 1200,
        "n_cached_context_tokens_total": 200,
        "n_generated": 3,
        "n_generated_tokens_total": 90,
        "api_key_id": "key_9QxT",
        "api_key_name": "prod-chat",
        "email": "dev@example.com",
        "project_id": "proj_Ab12",
        **changes,
    }


def page(*values: Any) -> dict[str, Any]:
    return {"object": "list", "data": list(values), "ft_data": [], "dalle_api_data": [], "current_usage_usd": 0.0}


def daily(*costs: Any, total: Any = 1225) -> dict[str, Any]:
    items = [{"name": f"Model {n}", "cost": cost} for n, cost in enumerate(costs)]
    return {"object": "list", "total_usage": total, "daily_costs": [{"timestamp": 1794614400.0, "line_items": items}]}


def test_a_row_counts_five_minutes_from_seconds() -> None:
    source, reading = read_json(page(used()))
    (row,) = rows(reading)
    raw = json.loads(row.pop("raw"))
    assert source == "openai_legacy_usage"
    assert {name: value for name, value in row.items() if value is not None} == {
        "provider": "openai",
        "bucket_start": datetime.fromisoformat("2026-11-14T12:00:00"),
        "bucket_end": datetime.fromisoformat("2026-11-14T12:05:00"),
        "granularity_s": 300,
        "endpoint": "chat",
        "project_id": "proj_Ab12",
        "key_id": "key_9QxT",
        "key_name": "prod-chat",
        "user_id": "dev@example.com",
        "model": "gpt-4o-2024-11-20",
        "requests": 3,
        "input_tokens_total": 1200,
        "cache_read_tokens": 200,
        "output_tokens": 90,
        "grouped_by": "api_key_id,api_key_name,email,operation,organization_id,project_id,snapshot_id",
    }
    assert raw["organization_name"] == "Brindlewood"
    assert reading.coverage == []
    assert any("five minutes assumed" in note for note in reading.notes)
    assert any("lists beside it" in note for note in reading.notes)


def test_rows_without_a_key_are_told_and_rows_named_alike_all_count() -> None:
    bare = {n: v for n, v in used().items() if not n.startswith("api_key")}
    connection = new_store()
    data = json.dumps(page(bare, {**bare, "n_requests": 4}, {**bare, "operation": "embeddings"})).encode()
    reading, account = read_bytes(connection, "x", data)
    assert account["accepted"] == 3
    assert "usage of the old interface: not grouped by API key" in reading.notes
    found = connection.execute("SELECT endpoint, sum(requests) FROM ai_usage_current GROUP BY 1 ORDER BY 1").fetchall()
    assert found == [("chat", 7), ("embeddings", 3)]


def test_daily_costs_are_cents() -> None:
    source, reading = read_json(daily(1200, Decimal(25).to_eng_string()))
    first, second = rows(reading)
    assert source == "openai_legacy_usage"
    assert [answer.table for answer in reading.answers] == ["ai_cost"] * 2
    assert (first["amount"], second["amount"], first["currency"]) == (Decimal(12), Decimal("0.25"), "USD")
    assert (first["period_start"], first["period_end"]) == (datetime(2026, 11, 14), datetime(2026, 11, 15))
    assert (first["line_item"], reading.notes) == (
        "Model 0",
        ["costs of the old dashboard count cents: divided by 100"],
    )


def test_line_items_that_do_not_add_up_are_told() -> None:
    assert "the line items do not add up to total_usage" in read_json(daily(1200, 25, total=99999))[1].notes
    assert (
        "the line items do not add up to total_usage"
        not in read_json(daily(0.1, 0.2, total=0.30000000000000004))[1].notes
    )


def test_costs_go_to_their_table_and_are_not_added_to_those_of_the_costs_interface() -> None:
    connection = new_store()
    read_bytes(connection, "old", json.dumps(daily(1200, 25)).encode())
    assert connection.execute("SELECT sum(amount) FROM ai_cost_current").fetchall() == [(Decimal("12.25"),)]
    bucket = {"object": "bucket", "start_time": 1794614400, "end_time": 1794700800}
    result = {"object": "organization.costs.result", "amount": {"value": 12.25, "currency": "usd"}, "line_item": "x"}
    new = {"object": "page", "data": [{**bucket, "results": [result]}], "has_more": False}
    read_bytes(connection, "new", json.dumps(new).encode())
    assert connection.execute("SELECT source_id, amount FROM ai_cost_current").fetchall() == [
        ("openai_costs", Decimal("12.25"))
    ]


def test_defects_name_what_cannot_be_read() -> None:
    values = [used(aggregation_timestamp="soon"), used(n_requests="many"), {"name": "x", "cost": "1"}, {"a": 1}, 7]
    assert [a.defect for a in read_values("openai_legacy_usage", values).answers] == [
        "no readable aggregation_timestamp",
        "n_requests is not a whole number",
        "no readable timestamp of the day",
        "neither a row of usage nor a line item of daily costs",
        "the record is not an object",
    ]
    bad = read_values("openai_legacy_usage", [{"name": "x", "cost": "much"}], ({"timestamp": NOON},))
    assert bad.answers[0].defect == "cost is not a number"


def test_lines_are_read_and_likenesses_are_not_claimed() -> None:
    assert read_json(used(), used(snapshot_id="o3"))[0] == "openai_legacy_usage"
    assert claimants(json.dumps({"object": "list", "data": [{"n_requests": 1, "snapshot_id": "x"}]})) == []
    assert claimants(json.dumps({"object": "list", "total_usage": 3})) == []
