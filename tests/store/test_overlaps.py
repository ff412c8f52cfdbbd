"""Exports that overlap: the later supersedes, other views of the same usage are never added."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from forensics.ingest.scratch import read_bytes
from forensics.store.eventstore import EventStore
from tests.paths import REPOSITORY
from tests.stores import new_store

PAGE = json.loads((REPOSITORY / "tests/base_events/openai_usage_page.json").read_text(encoding="utf-8"))
EARLY, LATE = datetime(2026, 5, 1, 12), datetime(2026, 5, 9, 12)


def page(tokens: int, **changes) -> bytes:
    value = json.loads(json.dumps(PAGE))
    result = value["data"][0]["results"][0]
    result["output_tokens"] = tokens
    result.update(changes)
    return json.dumps(value).encode()


def read(connection, name, data, owner="Heron Works", received_at=EARLY):
    return read_bytes(connection, name, data, owner, "org-1", received_at)


def all_rows(connection, sql):
    return connection.execute(sql).fetchall()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_partial_then_a_final_day(order):
    connection = new_store()
    files = [("partial.json", page(400), EARLY), ("final.json", page(900), LATE)]
    for number in order:
        name, data, received = files[number]
        read(connection, name, data, received_at=received)
    assert all_rows(connection, "SELECT count(*) FROM ai_usage") == [(2,)]
    assert all_rows(connection, "SELECT output_tokens FROM ai_usage_current") == [(900,)]
    assert all_rows(connection, "SELECT measure, earlier, later, difference FROM ai_usage_superseded") == [
        ("output_tokens", 400, 900, 500)
    ]


def test_two_customers_with_identical_files_are_two_things():
    connection = new_store()
    read(connection, "usage.json", page(400, api_key_id="prod"), "Heron Works")
    read(connection, "usage.json", page(400, api_key_id="prod"), "Quillmere")
    assert all_rows(
        connection, "SELECT owner, sum(output_tokens) FROM ai_usage_series GROUP BY owner ORDER BY owner"
    ) == [
        ("Heron Works", 400),
        ("Quillmere", 400),
    ]
    assert all_rows(connection, "SELECT count(*) FROM ai_usage_superseded") == [(0,)]
    assert all_rows(connection, "SELECT count(DISTINCT subject) FROM key_usage") == [(2,)]


def usage(connection, key, **values):
    row = {
        "event_key": key, "source_id": "openai_usage", "provider": "openai", "owner": "Heron Works",
        "organisation": "org-1", "bucket_start": EARLY, "bucket_end": LATE, "granularity_s": 86400, "endpoint": "chat",
        "key_id": "key_1", "requests": 10, "output_tokens": 100, "grouped_by": "api_key_id", "native_id": key,
    }  # fmt: skip
    EventStore(connection).insert("ai_usage", [row | values])


def figures(connection):
    return all_rows(connection, "SELECT source_id, grouped_by, sum(requests), sum(tokens) FROM key_usage GROUP BY ALL")


def test_by_key_and_by_key_and_model_are_one_usage():
    connection = new_store()
    usage(connection, "a")
    usage(connection, "b", grouped_by="api_key_id,model", model="m1", requests=4, output_tokens=40)
    usage(connection, "c", grouped_by="api_key_id,model", model="m2", requests=6, output_tokens=60)
    assert figures(connection) == [("openai_usage", "api_key_id,model", 10, 100)]
    assert all_rows(connection, "SELECT DISTINCT views FROM ai_usage_series") == [(2,)]


def test_hourly_and_daily_are_one_usage():
    connection = new_store()
    usage(connection, "a")
    usage(connection, "b", granularity_s=3600, requests=10, output_tokens=100)
    assert figures(connection) == [("openai_usage", "api_key_id", 10, 100)]


def test_an_hourly_export_of_a_day_does_not_put_the_other_days_aside():
    connection = new_store()
    for day in (1, 2, 3):
        usage(connection, f"d{day}", bucket_start=datetime(2026, 5, day), bucket_end=datetime(2026, 5, day + 1))
    for hour in (1, 2):
        usage(
            connection,
            f"h{hour}",
            granularity_s=3600,
            bucket_start=datetime(2026, 5, 3, hour),
            requests=5,
            output_tokens=50,
        )
    assert figures(connection) == [("openai_usage", "api_key_id", 30, 300)]
    # Once the hours tell of as many days, they count.
    for day in (1, 2):
        usage(
            connection,
            f"h{day}9",
            granularity_s=3600,
            bucket_start=datetime(2026, 5, day, 9),
            requests=10,
            output_tokens=100,
        )
    assert figures(connection) == [("openai_usage", "api_key_id", 30, 300)]
    assert all_rows(connection, "SELECT DISTINCT granularity_s FROM key_usage") == [(3600,)]


def test_by_key_plus_by_model_is_one_usage_of_the_key():
    connection = new_store()
    usage(connection, "a")
    usage(connection, "b", key_id=None, grouped_by="model", model="m1")
    assert figures(connection) == [("openai_usage", "api_key_id", 10, 100)]


def test_a_download_and_the_interface_are_one_usage_even_with_other_names_of_endpoints():
    connection = new_store()
    usage(connection, "a", source_id="openai_activity_csv", endpoint="", grouped_by="api_key_id,model", model="m1")
    usage(connection, "b")
    assert figures(connection) == [("openai_usage", "api_key_id", 10, 100)]


def cost(connection, key, **values):
    row = {
        "event_key": key, "source_id": "openai_costs", "provider": "openai", "owner": "Heron Works",
        "organisation": "org-1", "period_start": EARLY, "period_end": LATE, "key_id": "key_1", "amount": 5,
        "currency": "USD", "grouped_by": "api_key_id", "native_id": key,
    }  # fmt: skip
    EventStore(connection).insert("ai_cost", [row | values])


def test_costs_of_a_download_and_of_the_interface_are_not_added():
    connection = new_store()
    cost(connection, "a")
    cost(connection, "b", source_id="openai_cost_csv", grouped_by="", key_id=None)
    cost(connection, "c", grouped_by="line_item,project_id", key_id=None, line_item="x")
    assert all_rows(connection, "SELECT source_id, grouped_by, amount FROM ai_cost_current") == [
        ("openai_costs", "api_key_id", 5)
    ]
    cost(connection, "d", source_id="openai_cost_csv", grouped_by="", key_id=None, owner="Quillmere")
    cost(connection, "e", source_id="openai_cost_csv", grouped_by="", key_id=None, period_start=LATE)
    assert all_rows(connection, "SELECT sum(amount) FROM ai_cost_current") == [(15,)]


def test_of_two_bills_of_a_line_the_one_received_later_counts_and_the_difference_is_told():
    connection = new_store()
    cost(connection, "b", native_id="n", received_at=LATE, amount=7)
    cost(connection, "a", native_id="n", received_at=EARLY)
    cost(connection, "c", native_id="m", received_at=EARLY, currency="EUR")
    cost(connection, "d", native_id="m", received_at=LATE)
    cost(connection, "e", native_id="same", received_at=EARLY)
    cost(connection, "f", native_id="same", received_at=LATE)
    cost(connection, "g", native_id="n", received_at=EARLY, grouped_by="")  # another view of it
    cost(connection, "h", native_id="other", received_at=LATE, owner="Quillmere", amount=1)
    told = "earlier_event_key, event_key, earlier_currency, currency, earlier, later, difference"
    assert all_rows(connection, f"SELECT {told} FROM ai_cost_superseded ORDER BY event_key") == [
        ("a", "b", "USD", "USD", 5, 7, 2),
        ("c", "d", "EUR", "USD", 5, 5, None),
    ]
