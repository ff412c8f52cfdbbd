"""Costs of Fireworks: units and billionths are one amount, days are UTC, a key may be missing."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from forensics.ingest.scratch import new_store, read_bytes
from tests.sources.building import read_json, read_text, read_values, rows

HEAD = "start_time,model,model_tier,api_key_id,user_id,subtotal_units,subtotal_nanos,subtotal_currency_code\n"
LINE = "2026-11-14T00:00:00Z,accounts/fireworks/models/m1,serverless,fwk_1,u1,12,345000000,usd\n"
RECORD = {
    "start_time": "2026-11-14T00:00:00Z",
    "model": "accounts/fireworks/models/m1",
    "model_tier": "serverless",
    "api_key_id": "fwk_1",
    "user_id": "u1",
    "subtotal": {"units": "12", "nanos": 345_000_000, "currency_code": "USD"},
}


def test_a_row_has_exact_values() -> None:
    source, reading = read_text(HEAD + LINE)
    (row,) = rows(reading)
    assert source == "fireworks_cost"
    assert json.loads(row.pop("raw")) == {}
    assert {name: value for name, value in row.items() if value is not None} == {
        "provider": "fireworks",
        "period_start": datetime.fromisoformat("2026-11-14"),
        "period_end": datetime.fromisoformat("2026-11-15"),
        "line_item": "serverless",
        "model": "accounts/fireworks/models/m1",
        "key_id": "fwk_1",
        "user_id": "u1",
        "amount": Decimal("12.345"),
        "currency": "USD",
        "grouped_by": "api_key_id,model,model_tier,user_id",
    }
    (coverage,) = reading.coverage
    assert (coverage["covered_from"], coverage["covered_until"]) == (row["period_start"], row["period_end"])


def test_a_nested_amount_is_the_same() -> None:
    for value in ([RECORD], {"data": [RECORD]}, RECORD):
        source, reading = read_json(value)
        assert (source, rows(reading)[0]["amount"]) == ("fireworks_cost", Decimal("12.345"))


@pytest.mark.parametrize(
    ("subtotal", "amount"),
    [
        ({"units": 0, "nanos": 1}, Decimal("0.000000001")),
        ({"nanos": 500_000_000}, Decimal("0.5")),
        ({"units": "3"}, Decimal(3)),
        ({"units": -1, "nanos": -250_000_000}, Decimal("-1.25")),
        ({"units": 0, "nanos": 0}, Decimal(0)),
    ],
)
def test_units_and_billionths(subtotal: dict[str, Any], amount: Decimal) -> None:
    (row,) = rows(read_values("fireworks_cost", [RECORD | {"subtotal": subtotal}]))
    assert row["amount"] == amount


def test_what_is_no_amount_or_day_is_a_defect() -> None:
    odd: list[Any] = [
        {"subtotal": s} for s in ({}, {"units": "x"}, {"units": 1, "nanos": 10**9}, {"units": 1, "nanos": -1})
    ]
    odd += [{"start_time": "soon"}, {"end_time": "2026-11-13T00:00:00Z"}]
    answers = read_values("fireworks_cost", [*(RECORD | change for change in odd), 7]).answers
    assert [answer.defect for answer in answers] == [
        "neither subtotal_units nor subtotal_nanos",
        "subtotal_units or subtotal_nanos is not a number",
        "subtotal_units and subtotal_nanos are no amount of money",
        "subtotal_units and subtotal_nanos are no amount of money",
        "no readable start_time, or an end_time that is not after it",
        "no readable start_time, or an end_time that is not after it",
        "the record is not an object",
    ]


def test_an_export_without_keys_says_so() -> None:
    _, reading = read_text(HEAD + LINE.replace("fwk_1", ""))
    (row,) = rows(reading)
    assert (row["key_id"], row["grouped_by"]) == (None, "model,model_tier,user_id")
    assert reading.notes == ["costs: not grouped by API key"]


def test_a_later_export_of_a_day_supersedes_and_lines_alike_all_count() -> None:
    connection = new_store()
    for number, units in enumerate((12, 15)):
        data = (HEAD + LINE.replace(",12,", f",{units},") + LINE).encode()
        read_bytes(connection, str(number), data, "acme", received_at=datetime(2026, 11, 20 + number))
    found = connection.execute("SELECT count(*), sum(amount) FROM ai_cost_current").fetchall()
    assert found == [(2, Decimal("27.69"))]
    # The second line of both is the same record and a duplicate.
    assert connection.execute("SELECT count(*) FROM ai_cost").fetchall() == [(3,)]
