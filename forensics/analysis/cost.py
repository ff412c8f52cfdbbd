"""Excess cost of a key as the provider billed it. Nothing is estimated here, and currencies are never added."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from forensics.analysis.baseline import doubled_median
from forensics.analysis.facts import Row

_MICRO = 1_000_000


def _micros(amount: Decimal) -> int:
    return int((amount * _MICRO).to_integral_value())


def excess_cost(rows: list[Row], baseline_until: datetime | None, since: datetime | None) -> Row | None:
    """Return low, mid and high excess over the baseline from `since` on, or None without billed costs.

    low: above the highest day before, of periods wholly after `since`: the period that straddles it belongs to
    neither side. mid: above the median day before, the straddling period included. high: all billed in both.
    """
    if not rows or baseline_until is None or since is None:
        return None
    currencies = {r["currency"] for r in rows}
    if len(currencies) != 1:
        return None
    before = [_micros(r["amount"]) for r in rows if r["period_end"] <= baseline_until]
    after = [_micros(r["amount"]) for r in rows if r["period_start"] >= since]
    straddling = [_micros(r["amount"]) for r in rows if r["period_start"] < since < r["period_end"]]
    if not before or not (after or straddling):
        return None
    top, median2 = max(before), doubled_median(before)
    low = sum(max(0, x - top) for x in after)
    mid2 = sum(max(0, 2 * x - median2) for x in (*straddling, *after))
    high = sum(after) + sum(straddling)
    return {
        "low": _money(low),
        "mid": _money(mid2 // 2),
        "high": _money(high),
        "currency": currencies.pop(),
        "basis": f"{_named(rows)}: billed by the provider, by day and key: low is above the highest day before and leaves"
        " out the day of the exposure; mid is above the median day; high is all billed from that day on",
    }


def _named(rows: list[Row]) -> str:
    """Return which exports the figures are from: of each day exactly one kind and grouping."""
    kinds = sorted({f"{r['source_id']} by {r['grouped_by'] or 'nothing'}" for r in rows})
    return "figures of " + ", ".join(kinds)


def _money(micros: int) -> Decimal:
    return Decimal(micros) / _MICRO
