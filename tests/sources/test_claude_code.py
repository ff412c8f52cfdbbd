"""Claude Code and analytics of Anthropic: cents, caches, and counts that must not be summed."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from forensics.ingest.scratch import read_bytes
from tests.sources.building import claimants, read_json, read_values, rows
from tests.stores import new_store

ISO = {"starting_at": "2026-11-14T00:00:00Z", "ending_at": "2026-11-15T00:00:00Z"}


def spent(model: str = "claude-opus-4-5", **changes: Any) -> dict[str, Any]:
    tokens = {"input": 1000, "output": 200, "cache_read": 5000, "cache_creation": 300}
    return {"model": model, "tokens": tokens, "estimated_cost": {"amount": 1025, "currency": "USD"}, **changes}


def day(*models: Any, **changes: Any) -> dict[str, Any]:
    return {
        "date": "2026-11-14T00:00:00Z",
        "actor": {"type": "user_actor", "email_address": "dev@example.com"},
        "organization_id": "org_01X",
        "customer_type": "api",
        "terminal_type": "vscode",
        "core_metrics": {"num_sessions": 4, "lines_of_code": {"added": 10, "removed": 2}},
        "model_breakdown": list(models) or [spent()],
        **changes,
    }


def page(*days: Any, more: bool = False) -> dict[str, Any]:
    return {"data": list(days), "has_more": more, "next_page": None}


def test_a_day_without_a_model_is_said_beside_one_with_models() -> None:
    empty = day(model_breakdown=[], actor={"type": "api_actor", "api_key_name": "ci"})
    _, reading = read_json(page(day(), empty))
    said = "days without a model: their sessions name no tokens and fill no row"
    assert len(rows(reading)) == 1
    assert said in reading.notes
    assert read_json(page(empty))[1].notes == [said]
    assert said not in read_json(page(day()))[1].notes


def test_a_model_of_a_day_is_a_row_and_its_cost_is_cents() -> None:
    source, reading = read_json(page(day()))
    (row,) = rows(reading)
    raw = json.loads(row.pop("raw"))
    assert source == "anthropic_claude_code"
    assert {name: value for name, value in row.items() if value is not None} == {
        "provider": "anthropic",
        "bucket_start": datetime.fromisoformat("2026-11-14T00:00:00"),
        "bucket_end": datetime.fromisoformat("2026-11-15T00:00:00"),
        "granularity_s": 86400,
        "endpoint": "claude_code",
        "user_id": "dev@example.com",
        "model": "claude-opus-4-5",
        "input_tokens_total": 6300,
        "input_tokens_uncached": 1000,
        "cache_read_tokens": 5000,
        "cache_write_tokens": 300,
        "output_tokens": 200,
        "grouped_by": "actor,customer_type,model,organization_id,subscription_type,terminal_type",
    }
    assert raw["estimated_cost_in_units"] == {"amount": "10.25", "currency": "USD"}
    assert "estimated_cost" not in raw
    assert raw["core_metrics"]["num_sessions"] == 4
    assert reading.coverage == []


@pytest.mark.parametrize(("amount", "units"), [(1025, "10.25"), ("0.5", "0.005"), (7, "0.07"), (0, "0")])
def test_cents_are_exact(amount: Any, units: str) -> None:
    (row,) = rows(read_json(day(spent(estimated_cost={"amount": amount, "currency": "usd"})))[1])
    assert json.loads(row["raw"])["estimated_cost_in_units"] == {"amount": units, "currency": "USD"}


def test_sessions_of_a_day_are_not_counted_once_a_model() -> None:
    two = rows(read_json(page(day(spent("m1"), spent("m2"))))[1])
    assert [(row["model"], row["requests"], row["other_quantity"]) for row in two] == [
        ("m1", None, None),
        ("m2", None, None),
    ]


def test_actors_by_key_name_and_terminals_stay_apart_and_a_later_day_supersedes() -> None:
    connection = new_store()
    by_key = day(actor={"type": "api_actor", "api_key_name": "ci"})
    first = page(day(), day(terminal_type="tmux"), by_key)
    read_bytes(connection, "a", json.dumps(first).encode(), received_at=datetime(2026, 11, 14, 12))
    later = page(day(spent(tokens={"input": 2000, "output": 400})), day(terminal_type="tmux"), by_key)
    read_bytes(connection, "b", json.dumps(later).encode(), received_at=datetime(2026, 11, 16))
    found = connection.execute(
        "SELECT user_id, key_name, key_id, output_tokens FROM ai_usage_current ORDER BY user_id NULLS LAST, output_tokens"
    ).fetchall()
    assert found == [
        ("dev@example.com", None, None, 200),
        ("dev@example.com", None, None, 400),
        (None, "ci", None, 200),
    ]
    assert connection.execute("SELECT count(*) FROM key_usage").fetchall() == [(0,)]


def test_what_cannot_be_read_is_told() -> None:
    lacking = {name: value for name, value in day().items() if name != "model_breakdown"}
    _, reading = read_json(page(day(), lacking, more=True))
    assert reading.answers[1].out_of_scope == "days without model_breakdown name no tokens"
    assert "truncated: the last page says that more follows" in reading.notes
    values = [spent(tokens={"input": "x"}), spent(tokens={}), 1, spent(estimated_cost={"amount": "x"})]
    answers = read_values("anthropic_claude_code", values, (day(),)).answers
    assert [answer.defect for answer in answers] == [
        "tokens.input is not a whole number",
        "no tokens",
        "the record is not an object",
        "",
    ]
    assert read_values("anthropic_claude_code", [spent()], ({"date": "x"},)).answers[0].defect == "no readable date"
    assert read_values("anthropic_claude_code", [spent()]).answers[0].defect == "no date around the model"
    assert claimants(json.dumps({"data": [{"date": "2026-11-14", "actor": "x", "model_breakdown": []}]})) == []


def usage_result(**changes: Any) -> dict[str, Any]:
    return {
        "uncached_input_tokens": 100,
        "cache_creation": {"ephemeral_1h_input_tokens": 5, "ephemeral_5m_input_tokens": 7},
        "cache_read_input_tokens": 30,
        "output_tokens": 11,
        "requests": 4,
        "product": "claude_code",
        "model": "claude-opus-4-5",
        "account_id": "user_01Y",
        "rbac_group_id": None,
        **changes,
    }


def cost_result(**changes: Any) -> dict[str, Any]:
    return {"amount": "123.45", "list_amount": "200.5", "currency": "usd", "product": "chat", "model": None, **changes}


def report(*results: Any) -> dict[str, Any]:
    return {"data": [{**ISO, "results": []}, {**ISO, "results": list(results)}], "has_more": False, "next_page": None}


def test_usage_of_analytics_has_an_endpoint_of_its_own() -> None:
    source, reading = read_json(report(usage_result()))
    (row,) = rows(reading)
    assert source == "anthropic_analytics"
    assert (row["endpoint"], row["requests"], row["input_tokens_total"], row["cache_write_tokens"]) == (
        "analytics",
        4,
        142,
        12,
    )
    assert (row["user_id"], row["grouped_by"]) == ("user_01Y", "account_id,model,product")
    assert reading.notes == [
        "analytics: a bucket shows at most 100 groups and no remainder, so totals may be incomplete"
    ]
    assert reading.coverage == []


def test_costs_of_analytics_are_fractional_cents() -> None:
    source, reading = read_json(report(cost_result()))
    (row,) = rows(reading)
    assert (source, reading.answers[0].table) == ("anthropic_analytics", "ai_cost")
    assert (row["amount"], row["currency"], row["line_item"]) == (Decimal("1.2345"), "USD", "chat")
    assert json.loads(row["raw"]) == {"list_amount_in_units": "2.005", "product": "chat"}


def test_a_full_bucket_is_told() -> None:
    results = [usage_result(account_id=f"user_{n}") for n in range(100)]
    assert any("100 groups or more" in note for note in read_json(report(*results))[1].notes)
    assert not any("100 groups or more" in note for note in read_json(report(*results[1:]))[1].notes)


@pytest.mark.parametrize(
    ("value", "source"),
    [
        ({**ISO, "results": [usage_result()]}, "anthropic_analytics"),
        ({**ISO, **cost_result()}, "anthropic_analytics"),
        (report(cost_result()), "anthropic_analytics"),
        (report({n: v for n, v in usage_result().items() if n not in ("product", "rbac_group_id")}), "anthropic_usage"),
        (report({"amount": "1", "currency": "USD", "cost_type": "tokens"}), "anthropic_cost"),
    ],
)
def test_analytics_and_the_plain_reports_are_told_apart_also_behind_empty_buckets(value: Any, source: str) -> None:
    assert claimants(json.dumps(value)) == [source]


def test_defects_of_analytics() -> None:
    values = [usage_result(requests="x"), cost_result(amount="x"), {"product": "chat"}, 1]
    assert [a.defect for a in read_values("anthropic_analytics", values, (ISO,)).answers] == [
        "requests is not a whole number",
        "amount is not a number",
        "neither tokens nor requests nor an amount",
        "the record is not an object",
    ]
    assert "starting_at" in read_values("anthropic_analytics", [usage_result()]).answers[0].defect
