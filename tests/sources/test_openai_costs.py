"""Costs of OpenAI: dollars as JSON numbers, exact to twelve places."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.sources.building import read_json, read_text, rows

DAY = 86400
START = 1794614400  # 2026-11-14T00:00:00Z


def cost(**changes: Any) -> dict[str, Any]:
    return {
        "object": "organization.costs.result",
        "amount": {"value": 412.7731, "currency": "usd"},
        "line_item": "gpt-5-2025-08-07, input",
        "project_id": "proj_Lant",
        "api_key_id": "key_Lant1",
        "user_id": None,
        "quantity": 330218480,
        "quantity_unit": "tokens",
        **changes,
    }


def page(*results: dict[str, Any]) -> dict[str, Any]:
    bucket = {"object": "bucket", "start_time": START, "end_time": START + DAY, "results": list(results)}
    return {"object": "page", "data": [bucket], "has_more": False, "next_page": None}


def test_a_result_becomes_a_row_with_exact_values() -> None:
    source, reading = read_json(page(cost()))
    assert source == "openai_costs"
    assert rows(reading) == [
        {
            "provider": "openai",
            "period_start": datetime.fromisoformat("2026-11-14"),
            "period_end": datetime.fromisoformat("2026-11-15"),
            "line_item": "gpt-5-2025-08-07, input",
            "cost_type": None,
            "token_type": "input",
            "model": "gpt-5-2025-08-07",
            "project_id": "proj_Lant",
            "workspace_id": None,
            "key_id": "key_Lant1",
            "key_name": None,
            "user_id": None,
            "amount": Decimal("412.773100000000"),
            "currency": "USD",
            "grouped_by": "api_key_id,line_item,project_id",
            "raw": '{"quantity":330218480,"quantity_unit":"tokens"}',
        }
    ]
    assert reading.answers[0].native_id.startswith("costs|2026-11-14T00:00:00Z|86400|api_key_id=key_Lant1|")
    assert [(r["endpoint"], r["granularity_s"]) for r in reading.coverage] == [("costs", DAY)]
    assert not reading.notes


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("0.1", "0.100000000000"),
        ("0.30000000000000004", "0.300000000000"),
        ("4.1e-7", "0.000000410000"),
        ("1234567890123.123456789012", "1234567890123.123456789012"),
        ("-2", "-2.000000000000"),
        ('"12.50"', "12.500000000000"),
    ],
)
def test_amounts_are_read_from_their_text_and_never_through_a_float(written: str, amount: str) -> None:
    text = (
        f'{{"object":"page","data":[{{"object":"bucket","start_time":{START},"end_time":{START + DAY},'
        '"results":'
        f'[{{"object":"organization.costs.result","amount":{{"value":{written},"currency":"eur"}}}}]}}]}}'
    )
    (row,) = rows(read_text(text)[1])
    assert row["amount"] == Decimal(amount)
    assert row["currency"] == "EUR"


def test_a_line_item_of_another_form_names_no_model() -> None:
    (row,) = rows(read_json(page(cost(line_item="web search tool calls")))[1])
    assert (row["line_item"], row["model"], row["token_type"]) == ("web search tool calls", None, None)


def test_costs_not_grouped_by_key_are_said() -> None:
    reading = read_json(page(cost(api_key_id=None)))[1]
    assert rows(reading)[0]["key_id"] is None
    assert reading.notes == ["costs: not grouped by API key"]


@pytest.mark.parametrize("amount", [None, {"value": None}, {"value": "NaN"}, {"value": "1e40"}, {"value": True}, 3])
def test_an_amount_that_is_no_number_is_a_defect(amount: Any) -> None:
    reading = read_json(page(cost(amount=amount)))[1]
    assert [answer.defect for answer in reading.answers] == ["amount.value is not a number"]


def test_an_empty_day_between_costs_is_covered() -> None:
    first, empty = (
        page(cost())["data"][0],
        {**page()["data"][0], "start_time": START + DAY, "end_time": START + 2 * DAY},
    )
    reading = read_json({"object": "page", "data": [first, empty], "has_more": False, "next_page": None})[1]
    assert [row["covered_until"] for row in reading.coverage] == [datetime.fromisoformat("2026-11-16")]
