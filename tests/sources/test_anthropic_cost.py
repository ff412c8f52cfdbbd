"""Costs of Anthropic: amounts are decimal text in cents."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.sources.building import read_json, rows


def cost(**changes: Any) -> dict[str, Any]:
    return {
        "amount": "123.78912",
        "currency": "USD",
        "cost_type": "tokens",
        "description": "Claude Opus 4.5 Usage - Input Tokens",
        "model": "claude-opus-4-5-20251101",
        "service_tier": "standard",
        "context_window": "0-200k",
        "token_type": "uncached_input_tokens",
        "workspace_id": None,
        **changes,
    }


def page(*results: dict[str, Any]) -> dict[str, Any]:
    bucket = {
        "starting_at": "2026-11-14T00:00:00Z",
        "ending_at": "2026-11-15T00:00:00Z",
        "results": list(results),
    }
    return {"data": [bucket], "has_more": False, "next_page": None}


def test_a_result_becomes_a_row_with_exact_values() -> None:
    source, reading = read_json(page(cost()))
    assert source == "anthropic_cost"
    assert rows(reading) == [
        {
            "provider": "anthropic",
            "period_start": datetime.fromisoformat("2026-11-14"),
            "period_end": datetime.fromisoformat("2026-11-15"),
            "line_item": "Claude Opus 4.5 Usage - Input Tokens",
            "cost_type": "tokens",
            "token_type": "uncached_input_tokens",
            "model": "claude-opus-4-5-20251101",
            "project_id": None,
            "workspace_id": None,
            "key_id": None,
            "key_name": None,
            "user_id": None,
            "amount": Decimal("1.237891200000"),
            "currency": "USD",
            "grouped_by": "context_window,cost_type,description,model,service_tier,token_type",
            "raw": '{"context_window":"0-200k","service_tier":"standard"}',
        }
    ]
    assert reading.notes == ["costs: not grouped by API key, the cost report names none"]
    assert [(r["endpoint"], r["granularity_s"]) for r in reading.coverage] == [("costs", 86400)]


@pytest.mark.parametrize(
    ("cents", "units"),
    [("123.45", "1.2345"), ("1", "0.01"), ("-50", "-0.5"), (250, "2.5"), ("0.0000000001", "0.000000000001")],
)
def test_cents_become_units_of_the_currency(cents: Any, units: str) -> None:
    (row,) = rows(read_json(page(cost(amount=cents)))[1])
    assert row["amount"] == Decimal(units)


@pytest.mark.parametrize("amount", ["", "free", None, {"value": 1}, "inf", "1e30"])
def test_an_amount_that_is_no_number_is_a_defect(amount: Any) -> None:
    reading = read_json(page(cost(), cost(amount=amount)))[1]
    assert [answer.defect for answer in reading.answers] == ["", "amount is not a number"]


def test_tiers_and_windows_of_one_line_are_different_rows() -> None:
    reading = read_json(page(cost(), cost(context_window="200k-1M"), cost(service_tier="batch")))[1]
    assert len({answer.native_id for answer in reading.answers}) == 3


def test_usage_among_costs_is_a_defect() -> None:
    reading = read_json(page(cost(), {"uncached_input_tokens": 5, "output_tokens": 1}))[1]
    assert reading.answers[1].defect == "not a result of the cost report"
