"""Excess cost: billed before estimated, currencies apart, and what the figures leave out."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from forensics.analysis.buckets import Buckets
from forensics.analysis.cloud_cost import cloud_use
from forensics.analysis.cost import costs_of
from forensics.analysis.facts import Facts
from forensics.analysis.horizon import Horizon
from forensics.analysis.keys import Key
from forensics.analysis.usage import Series

HORIZON = Horizon("usage", "Orchard", "openai", datetime(2026, 5, 8), None)

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
UNTIL = datetime(2026, 5, 4)
SINCE = datetime(2026, 5, 5, 3)
KEY = Key("openai", "key_A", "Brindlewick", "inventory")
SERIES = Series(3600, Buckets(), [(datetime(2026, 5, 1), datetime(2026, 5, 8))], HORIZON)


def billed(day, amount, currency="USD"):
    return {
        "owner": "Brindlewick", "currency": currency, "period_start": day, "period_end": day + DAY, "amount": Decimal(amount),
        "source_id": "openai_costs", "grouped_by": "api_key_id",
    }  # fmt: skip


def estimated(day, amount, currency="USD", **changes):
    return {
        "owner": "Brindlewick", "granularity_s": 3600, "period_start": day, "last_bucket_end": day + DAY, "currency": currency,
        "table_name": "list", "as_of": "2026-04-01", "table_sha256": "a" * 64, "amount": Decimal(amount), "unpriced_tokens": 0,
        "implausible_rows": 0, "unpriced_model": None, "untold_rows": 0, "source_id": "openai_usage", "grouped_by": "api_key_id",
    } | changes  # fmt: skip


def figures(billed_rows=(), estimated_rows=(), series=SERIES, since=SINCE, until=UNTIL):
    facts = Facts(None, UNTIL, UNTIL, until)  # type: ignore[arg-type]
    facts.billed = {("openai", "key_A"): list(billed_rows)}
    facts.estimated = {("openai", "key_A"): list(estimated_rows)}
    return costs_of(KEY, facts, since, series)


def days(make, *amounts, first=datetime(2026, 5, 1), **changes):
    return [make(first + n * DAY, a, **changes) for n, a in enumerate(amounts) if a is not None]


def test_billed_is_quoted_and_the_estimate_stands_beside_it():
    # 1 to 3 May before, 5 May straddles the exposure, 6 and 7 May after
    got = figures(days(billed, 1, 3, 2, 2, 10, 7, 2), days(estimated, 1, 3, 2, 2, 11, 7, 2))
    assert set(got.excess) == {"low", "mid", "high", "currency", "basis"}
    # low: 7 - 3; mid: (10 - 2) + (7 - 2) + (2 - 2); high: 10 + 7 + 2
    assert [got.excess[n] for n in ("low", "mid", "high")] == [Decimal(4), Decimal(13), Decimal(19)]
    assert [(f["kind"], f["high"]) for f in got.figures] == [("billed", Decimal(19)), ("estimated", Decimal(20))]


def test_an_estimate_names_the_table_its_date_and_hash():
    got = figures((), days(estimated, 1, 1, 1, 1, 5, untold_rows=2))
    assert "estimated, not billed, from list as of 2026-04-01 (SHA-256 aaaaaaaaaaaa)" in got.excess["basis"]
    assert "standard prices are taken" in got.excess["basis"]
    assert got.figures[0]["prices"] == [{"name": "list", "as_of": "2026-04-01", "sha256": "a" * 64}]


def test_a_covered_day_without_use_is_zero_and_an_uncovered_one_is_nothing():
    with_gap = figures((), days(estimated, 4, None, None, None, 9))
    # 4, 0 and 0 before: the median day is 0
    assert with_gap.excess["mid"] == Decimal(9)
    short = Series(
        3600,
        Buckets(),
        [(datetime(2026, 5, 1), datetime(2026, 5, 2)), (datetime(2026, 5, 5), datetime(2026, 5, 8))],
        HORIZON,
    )
    assert figures((), days(estimated, 4, None, None, None, 9), short).excess["mid"] == Decimal(5)


def test_currencies_are_never_added():
    got = figures([*days(billed, 1, 1, 1, 1, 5), *days(billed, None, 2, None, None, 8, currency="EUR")])
    assert [(f["currency"], f["high"]) for f in got.figures] == [("USD", Decimal(5)), ("EUR", Decimal(8))]
    assert "amounts in EUR are not added" in got.excess["basis"]


def test_what_has_no_price_is_named_and_in_no_figure():
    unpriced = estimated(datetime(2026, 5, 6), 0, None, unpriced_tokens=700, unpriced_model="new-model (standard)")
    got = figures((), [*days(estimated, 1, 1, 1, 1, 5), unpriced])
    assert got.excess["high"] == Decimal(5)
    assert (
        "700 tokens are in no figure, because no price is known for them: new-model (standard)" in got.excess["basis"]
    )
    assert got.figures[0]["unpriced"] == [{"model": "new-model (standard)", "tokens": 700, "implausible_rows": 0}]


def test_no_days_before_no_figure_and_no_usage_of_another_width():
    assert figures(days(billed, None, None, None, None, 5)).excess is None
    assert figures((), days(estimated, 1, 1, 1, 1, 5, granularity_s=86_400)).excess is None
    assert figures(days(billed, 1, 1, 1, 1, 5), since=None).excess is None


def test_without_t0_the_past_ends_a_day_before_the_exposure():
    got = figures(days(billed, 1, 1, 9, 1, 5), until=None)
    # the past ends on 4 May 03:00: 3 May counts, 4 May belongs to neither side
    assert got.excess["mid"] == Decimal(4)


def call(n, tokens=None, price="0.001", **changes):
    amount = None if tokens is None or price is None else Decimal(tokens) * Decimal(price) * 2
    return {
        "event_time": SINCE + n * HOUR, "event_key": f"{n:032d}", "account_id": "111122223333", "region": "us-east-1", "model": "m",
        "actor": "user/ci", "credential_id": "AKIAEXAMPLE1", "root": "settings", "log_key": None, "input_tokens": tokens, "output_tokens": tokens,
        "currency": "USD" if price else None, "table_name": "list", "as_of": "2026-04-01", "table_sha256": "a" * 64,
        "input_price": Decimal(price) if price else None, "output_price": Decimal(price) if price else None, "amount": amount,
    } | changes  # fmt: skip


SIZE = {
    "owner": "V",
    "calls": 9,
    "input_low": 1,
    "input_mid": 2,
    "input_high": 3,
    "output_low": 10,
    "output_mid": 20,
    "output_high": 30,
}


def used(calls, logged=()):
    facts = Facts(None, UNTIL, UNTIL, UNTIL)  # type: ignore[arg-type]
    facts.model_calls, facts.logged_calls = list(calls), list(logged)
    (entry,) = cloud_use(facts)
    return entry


def test_calls_with_tokens_are_estimated_and_those_without_assumed():
    exact = used([call(1, 100), call(2, 50)])
    assert exact["estimate"]["kind"] == "estimated"
    assert [exact["estimate"][n] for n in ("low", "mid", "high")] == [Decimal("0.3")] * 3
    mixed = used([call(1, 100), call(2)], [SIZE])
    assert mixed["estimate"]["kind"] == "assumed" and mixed["calls_with_tokens"] == 1
    assert [mixed["estimate"][n] for n in ("low", "mid", "high")] == [
        Decimal("0.211"),
        Decimal("0.222"),
        Decimal("0.233"),
    ]
    assert "1 of 2 calls have no tokens in the evidence and are assumed" in mixed["estimate"]["basis"]


def test_calls_without_price_or_size_have_no_figure_and_a_reason():
    assert used([call(1)])["estimate"] is None and "tokens of none" in used([call(1)])["not_priced"]
    unknown = used([call(1, 5, price=None)], [SIZE])
    assert unknown["estimate"] is None and "no price of this model" in unknown["not_priced"]
    assert "currencies are not added" in used([call(1, 5), call(2, 5, currency="EUR")])["not_priced"]
