"""What usage costs by a price table: exact amounts, kinds apart, nothing priced by default."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from forensics.analysis.context import catalogue
from forensics.analysis.pricing import tables as pricing
from forensics.analysis.pricing.snapshot import Call, evaluate, patterns, rows_of_model, table_rows
from forensics.model.prices import read_prices
from forensics.store.duckdb_engine import DuckDBEngine
from forensics.store.eventstore import EventStore
from tests.stores import new_store

DAY = datetime(2026, 5, 5)
WINDOW = {"since": datetime(2026, 5, 1), "until": datetime(2026, 6, 1)}
OWN = b"""provider,model,service,above,from,until,currency,input,cache_read,cache_write,cache_write_1h,output,as_of
openai,m,standard,,,,USD,1,0.1,2,4,10,2026-05-01
openai,m,standard,1000,,,USD,100,100,100,100,100,2026-05-01
openai,m,batch,,,,USD,0.5,0.05,1,2,5,2026-05-01
openai,m,standard,,2026-05-10,,EUR,7,,,,7,2026-05-01
openai,dated,standard,,2026-05-10,,USD,2,,,,2,2026-05-01
openai,part,standard,,,,USD,1,,,,,2026-05-01
"""


@pytest.fixture
def connection():
    made = new_store()
    yield made
    made.close()


def usage(n, **changes):
    start = changes.pop("bucket_start", DAY)
    return {
        "event_key": f"{n:032d}", "source_id": "openai_usage", "provider": "openai", "owner": "Brindlewick", "bucket_start": start,
        "bucket_end": start + timedelta(hours=1), "granularity_s": 3600, "endpoint": "chat", "key_id": "key_A", "model": "m",
        "requests": 1, "input_tokens_total": 0, "output_tokens": 0, "grouped_by": "api_key_id,model", "native_id": str(n),
    } | changes  # fmt: skip


def estimate(connection, *rows, table=OWN):
    store = EventStore(connection)
    store.insert("ai_usage", rows)
    store.replace("model_price", pricing.rows_for(connection, [read_prices(table, "prices.csv")]))
    found = DuckDBEngine(connection).run(catalogue().by_id("exposure.estimated_days").sql, WINDOW)
    return found.dicts()


def test_each_kind_of_token_has_its_own_price(connection):
    (row,) = estimate(
        connection,
        usage(1, input_tokens_total=1_000_000, cache_read_tokens=200_000, cache_write_tokens=300_000, output_tokens=10_000,
              raw='{"cache_creation":{"ephemeral_1h_input_tokens":100000}}'),
    )  # fmt: skip
    # 0.5 M input at 1, 0.2 M read at 0.1, 0.2 M written at 2, 0.1 M written for an hour at 4, 0.01 M output at 10
    assert row["amount"] == Decimal("0.5") + Decimal("0.02") + Decimal("0.4") + Decimal("0.4") + Decimal("0.1")
    assert (row["currency"], row["unpriced_tokens"], row["unpriced_model"]) == ("USD", 0, None)


def test_a_bucket_never_takes_the_price_of_long_requests(connection):
    (row,) = estimate(connection, usage(1, input_tokens_total=2_000_000))
    assert row["amount"] == Decimal(2)


@pytest.mark.parametrize(
    ("tier", "batch", "amount", "unpriced"),
    [
        (None, None, 1, None),
        ("default", False, 1, None),
        ("priority", False, 0, "m (priority)"),
        (None, True, "0.5", None),
    ],
)
def test_batch_and_tiers_are_priced_apart_or_said(connection, tier, batch, amount, unpriced):
    (row,) = estimate(connection, usage(1, input_tokens_total=1_000_000, service_tier=tier, is_batch=batch))
    assert (row["amount"], row["unpriced_model"]) == (Decimal(amount), unpriced)
    assert row["untold_rows"] == (1 if tier is None and batch is None else 0)
    assert row["unpriced_tokens"] == (1_000_000 if unpriced else 0)


@pytest.mark.parametrize("model", ["unknown", None, "dated"])
def test_a_model_without_a_price_is_unpriced_and_named(connection, model):
    (row,) = estimate(connection, usage(1, model=model, input_tokens_total=700, output_tokens=300))
    assert (row["amount"], row["currency"], row["unpriced_tokens"]) == (0, None, 1000)
    assert (model or "does not name") in row["unpriced_model"]


def test_a_kind_without_a_price_takes_no_other(connection):
    (row,) = estimate(connection, usage(1, model="part", input_tokens_total=1_000_000, output_tokens=5))
    assert (row["amount"], row["unpriced_tokens"], row["unpriced_model"]) == (Decimal(1), 5, "part (standard)")


def test_the_day_of_use_decides_and_overlapping_prices_never_count_twice(connection):
    late = datetime(2026, 5, 12)
    rows = estimate(connection, usage(1, model="dated", bucket_start=late, input_tokens_total=1_000_000),
                    usage(2, bucket_start=late, input_tokens_total=1_000_000))  # fmt: skip
    # The second price of m overlaps the first one, which stands before it in the table.
    assert [(r["currency"], r["amount"]) for r in rows] == [("USD", Decimal(3))]


def test_counts_that_are_no_plausible_numbers_are_in_no_amount(connection):
    (row,) = estimate(
        connection,
        usage(1, input_tokens_total=2**62),
        usage(2, bucket_start=DAY + timedelta(hours=1), input_tokens_total=-5),
    )
    assert (row["amount"], row["implausible_rows"]) == (0, 2)


def test_a_cases_own_table_goes_before_the_list(connection):
    store = EventStore(connection)
    store.insert(
        "ai_usage", [usage(1, model="gpt-5-mini-2025-08-07"), usage(2, model="claude-x", provider="anthropic")]
    )
    own = read_prices(b"provider,model,currency,input,as_of\nopenai,gpt-5*,EUR,9,2026-05-01\n", "prices.csv")
    listed = read_prices(b"provider,model,currency,input,as_of\nopenai,gpt-5-mini*,USD,1,2026-04-01\n", "list.csv")
    (row,) = pricing.rows_for(connection, [own, listed])
    assert (row["currency"], row["table_name"], row["input_price"]) == ("EUR", "prices.csv", Decimal("0.000009"))
    assert pricing.unpriced_models(connection, [own, listed]) == [{"provider": "anthropic", "model": "claude-x"}]


def test_the_list_is_read_from_the_source_without_running_it():
    import ast

    text = """[Provider(id='openai', models=[
        ModelInfo(id='a', match=ClauseOr(or_=[ClauseEquals(equals='a'), ClauseStartsWith(starts_with='a-')]),
                  prices=[ConditionalPrice(prices=ModelPrice(input_mtok=Decimal('2'), output_mtok=Decimal('8'))),
                          ConditionalPrice(constraint=StartDateConstraint(start_date=datetime.date(2026, 3, 1)),
                                           prices=ModelPrice(input_mtok=TieredPrices(base=Decimal('1'), tiers=[Tier(start=200000, price=Decimal('3'))]), output_mtok=Decimal('4')))],
                  price_variants=[PriceVariant(when={'processing': 'batch'}, prices=ModelPrice(input_mtok=Decimal('0.5')),
                                               constraint=StartDateConstraint(start_date=datetime.date(2026, 4, 1)))])])]"""
    (provider,) = evaluate(ast.parse(text, mode="eval").body)
    (model,) = provider.get("models")
    assert patterns(model.get("match")) == ["a", "a-*"]
    rows = list(rows_of_model(model))
    whole = {"cache_read": "2", "cache_write": "2", "cache_write_1h": "2", "input": "2", "output": "8"}
    assert rows[0] == ("standard", 0, "", "2026-03-01", whole)
    assert [(r[0], r[1], r[2], r[4]["input"], r[4]["output"]) for r in rows[1:]] == [
        ("standard", 0, "2026-03-01", "1", "4"), ("standard", 200000, "2026-03-01", "3", "4"),
        ("batch", 0, "2026-04-01", "0.5", "4"), ("batch", 200000, "2026-04-01", "0.5", "4"),
    ]  # fmt: skip
    others = [
        Call("Provider", {"id": n, "models": []})
        for n in ("anthropic", "aws", "google", "mistral", "deepseek", "fireworks", "x-ai", "azure")
    ]
    assert {r["provider"] for r in table_rows([provider, *others], "2026-05-01")} == {"openai", "azure_openai"}


def test_no_price_source_is_imported():
    code = (
        "import sys; import forensics.analysis.pricing.tables as t; t._listed();"
        "sys.exit(bool({'genai_prices', 'httpx', 'httpx2', 'requests', 'urllib3', 'pydantic'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
