"""Excess cost of a key: as the provider billed it, else estimated from prices.

Billed and estimated are never mixed, and currencies are never added.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from forensics.analysis.baseline import doubled_median
from forensics.analysis.facts import Facts, Row
from forensics.analysis.keys import Key
from forensics.analysis.usage import Series, preferred
from forensics.model.case import GUARD

_PICO = 1_000_000_000_000
_DAY = timedelta(days=1)
#: The most models that a basis names; all stand in `unpriced`.
_NAMED = 5
_QUOTED = ("low", "mid", "high", "currency", "basis")


@dataclass(slots=True)
class Costs:
    """What a key cost beyond its past, one figure a kind and currency, the one to quote first; never to be added."""

    figures: list[Row] = field(default_factory=list)

    @property
    def excess(self) -> Row | None:
        """The figure to quote, in the shape of `excess_cost`; None without any."""
        return {name: self.figures[0][name] for name in _QUOTED} if self.figures else None


def costs_of(key: Key, facts: Facts, since: datetime | None, series: Series | None) -> Costs:
    """Return the excess cost of a key from `since` on: billed before estimated, one figure a currency.

    An estimate stands beside a billed figure too, so that they can be compared.
    """
    until = facts.baseline_until or (since - GUARD if since else None)
    if until is None or since is None:
        return Costs()
    found = _billed(preferred(key, facts.billed.get((key.provider, key.key_id), [])), until, since)
    if series is not None:
        rows = preferred(key, facts.estimated.get((key.provider, key.key_id), []))
        found += _estimated([r for r in rows if r["granularity_s"] == series.granularity_s], series, until, since)
    return Costs(found)


def _by_currency(rows: list[Row]) -> list[tuple[str, list[Row]]]:
    """Return rows by currency, that of most periods first."""
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["currency"]].append(row)
    return sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))


def _billed(rows: list[Row], until: datetime, since: datetime) -> list[Row]:
    out = []
    groups = _by_currency(rows)
    for currency, here in groups:
        figures = _excess([(r["period_start"], r["period_end"], r["amount"]) for r in here], until, since)
        if figures is None:
            continue
        basis = (
            f"{_named(here)}: billed by the provider, by day and key: low is above the highest day before and leaves"
            f" out the day of the exposure; mid is above the median day; high is all billed from that day on{_others(groups, currency)}"
            f"{_by_name(here)}"
        )
        out.append({**figures, "currency": currency, "basis": basis, "kind": "billed", "prices": None, "unpriced": []})
    return out


def _estimated(rows: list[Row], series: Series, until: datetime, since: datetime) -> list[Row]:
    out = []
    unpriced = _unpriced([r for r in rows if r["last_bucket_end"] > since])
    priced = [r for r in rows if r["currency"] is not None]
    covered = _covered_days(series, until)
    groups = _by_currency(priced)
    for currency, here in groups:
        days: defaultdict[datetime, Decimal] = defaultdict(Decimal)
        for row in here:
            days[row["period_start"]] += row["amount"]
        ends = {r["period_start"]: max(r["last_bucket_end"], r["period_start"] + _DAY) for r in here}
        periods = [
            (day, ends[day], amount) for day, amount in sorted(days.items()) if day in covered or ends[day] > until
        ]
        periods += [(day, day + _DAY, Decimal(0)) for day in sorted(covered - set(days))]
        figures = _excess(periods, until, since)
        if figures is None:
            continue
        prices = _tables(here)
        basis = (
            f"{_named(here)}: estimated, not billed, from {_told(prices)}, per token, before discounts and taxes and without"
            " surcharges for long requests, by day and key: low is above the highest day before and leaves out the day of"
            f" the exposure; mid is above the median day; high is all use from that day on{_others(groups, currency)}"
            f"{_standard(here)}{_left_out(unpriced)}"
        )
        out.append(
            {
                **figures,
                "currency": currency,
                "basis": basis,
                "kind": "estimated",
                "prices": prices,
                "unpriced": unpriced,
            }
        )
    return out


def _excess(periods: list[tuple[datetime, datetime, Decimal]], until: datetime, since: datetime) -> Row | None:
    """Return low, mid and high over the periods before, or None where there are none on one of both sides.

    low: above the highest period before, of periods wholly after `since`: the one that straddles it belongs to
    neither side. mid: above the median one, the straddling one included. high: all in both. Integers of 1e-12.
    """
    before = [int(amount * _PICO) for _, end, amount in periods if end <= until]
    after = [int(amount * _PICO) for start, _, amount in periods if start >= since]
    straddling = [int(amount * _PICO) for start, end, amount in periods if start < since < end]
    if not before or not (after or straddling):
        return None
    top, median2 = max(before), doubled_median(before)
    low = sum(max(0, x - top) for x in after)
    mid2 = sum(max(0, 2 * x - median2) for x in (*straddling, *after))
    return {"low": _money(low), "mid": _money(mid2 // 2), "high": _money(sum(after) + sum(straddling))}


def _covered_days(series: Series, until: datetime) -> set[datetime]:
    """Return the days before `until` that the exports prove whole: no use on one of them is zero."""
    out: set[datetime] = set()
    for low, high in series.stretches:
        day = low.replace(hour=0, minute=0, second=0, microsecond=0)
        day = day if day == low else day + _DAY
        while day + _DAY <= min(high, until):
            out.add(day)
            day += _DAY
    return out


def _unpriced(rows: list[Row]) -> list[Row]:
    """Return what has no price, one entry a model: tokens counted, and rows whose counts are no plausible numbers."""
    found: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        if row["unpriced_model"]:
            found[row["unpriced_model"]][0] += int(row["unpriced_tokens"])
            found[row["unpriced_model"]][1] += row["implausible_rows"]
    return [{"model": m, "tokens": t, "implausible_rows": n} for m, (t, n) in sorted(found.items())]


def _left_out(unpriced: list[Row]) -> str:
    if not unpriced:
        return ""
    names = ", ".join(u["model"] for u in unpriced[:_NAMED])
    more = f" and {len(unpriced) - _NAMED} more" if len(unpriced) > _NAMED else ""
    tokens = sum(u["tokens"] for u in unpriced)
    return f"; {tokens} tokens are in no figure, because no price is known for them: {names}{more}"


def _tables(rows: list[Row]) -> list[Row]:
    told = {(r["table_name"], r["table_sha256"]): "" for r in rows}
    for row in rows:
        name = (row["table_name"], row["table_sha256"])
        told[name] = max(told[name], row["as_of"])
    return [{"name": n, "as_of": as_of, "sha256": digest} for (n, digest), as_of in sorted(told.items())]


def _told(prices: list[Row]) -> str:
    return " and ".join(f"{p['name']} as of {p['as_of']} (SHA-256 {p['sha256'][:12]})" for p in prices)


def _standard(rows: list[Row]) -> str:
    if not sum(r["untold_rows"] for r in rows):
        return ""
    return "; the export does not tell batch use or service tier, so standard prices are taken"


def _others(groups: list[tuple[str, list[Row]]], currency: str) -> str:
    others = [name for name, _ in groups if name != currency]
    return f"; amounts in {', '.join(others)} are not added" if others else ""


def _by_name(rows: list[Row]) -> str:
    names = sorted({r["named_by"] for r in rows if r.get("named_by")})
    return (
        f"; joined by the name {', '.join(names)}, which no other key of its owner at the provider has" if names else ""
    )


def _named(rows: list[Row]) -> str:
    """Return which exports the figures are from: of each day exactly one kind and grouping."""
    kinds = sorted({f"{r['source_id']} by {r['grouped_by'] or 'nothing'}" for r in rows})
    return "figures of " + ", ".join(kinds)


def _money(pico: int) -> Decimal:
    return Decimal(pico).scaleb(-12).quantize(Decimal("0.000001"))
