"""Signs in the amount of use: volume, a new model, a dormant key awake, hours, and cost."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal

from forensics.analysis.baseline import level_of
from forensics.analysis.buckets import Bucket, Buckets
from forensics.analysis.facts import Row
from forensics.analysis.grid import day_hour
from forensics.analysis.misuse.sign import Sign
from forensics.analysis.policy import Policy
from forensics.analysis.signs import Signs, episode
from forensics.analysis.usage import Series
from forensics.model.clock import iso

_BUCKETS = "exposure.usage_buckets"
_HOUR = 3600
_DAY = 86_400_000


def _keys(buckets: list[Bucket]) -> tuple[str, ...]:
    return tuple(k for b in buckets for k in b.event_keys)


def volume_and_model(signs: Signs | None) -> list[Sign]:
    """Return the spike of a key and each model it never used before."""
    out: list[Sign] = []
    if signs is None:
        return out
    if signs.spikes:
        start, end = episode(signs.spikes)
        text = (
            f"{len(signs.spikes)} buckets from {iso(start)} to {iso(end)} hold {signs.observed} {signs.metric}, usual for the same hours"
            f" are {signs.expected} (median by {signs.season})"
        )
        out.append(Sign("volume", text, "usage volume", _BUCKETS, _keys(signs.spikes), start, end))
    for model, buckets in sorted(signs.new_models.items()):
        before = iso(signs.baseline_until) if signs.baseline_until else "-"
        first = iso(buckets[0].start)
        text = f"the model {model} was never used by this key before {before}; first in the bucket of {first}"
        out.append(Sign("model", text, "usage by model", _BUCKETS, _keys(buckets), *episode(buckets)))
    return out


def dormant(series: Series, since: datetime, until: datetime, policy: Policy) -> list[Sign]:
    """A key that the exports prove unused for `dormant_days` before, and that is used afterwards."""
    quiet = timedelta(days=policy.dormant_days)
    buckets, covered = series.buckets, len(series.grid.within(since - quiet, since)) * series.granularity_s
    if covered < quiet.total_seconds() - 2 * series.granularity_s or any(
        buckets.tokens[n] or buckets.requests[n] for _, n in series.places(since - quiet, since)
    ):
        return []
    places = [n for _, n in series.places(since, until) if buckets.tokens[n] or buckets.requests[n]]
    if len(places) < policy.spike_buckets:
        return []
    used = [buckets[n] for n in places]
    text = f"not used for {policy.dormant_days} days before {iso(since)}, then in {len(used)} buckets from {iso(used[0].start)}"
    return [Sign("dormant", text, "usage volume", _BUCKETS, _keys(used), *episode(used))]


def off_hours(series: Series, baseline_until: datetime, since: datetime, until: datetime, policy: Policy) -> list[Sign]:
    """Days on which most use fell into hours of the day in which the key was hardly ever used before."""
    if series.granularity_s > _HOUR:
        return []
    grid, buckets = series.grid, series.buckets
    before = grid.until(baseline_until)
    if before * series.granularity_s < policy.baseline_days * 86_400:
        return []
    counted = dict(zip(buckets.starts, buckets.requests, strict=True))
    values = [counted.get(start, 0) for start in grid.starts[:before]]
    by_hour = {
        hour: sum(map(values.__getitem__, places[: bisect_left(places, before)]))
        for hour, places in grid.by_day_hour.items()
        if places and places[0] < before
    }
    usual = _usual_hours(by_hour, policy)
    if not usual or len(usual) == 24:
        return []
    days: defaultdict[int, list[int]] = defaultdict(list)
    for _, n in series.places(since, until):
        days[buckets.starts[n] // _DAY].append(n)
    found = [buckets[n] for here in days.values() for n in _outside(buckets, here, usual, policy)]
    if not found:
        return []
    start, end = episode(found)
    text = (
        f"{sum(b.requests for b in found)} requests from {iso(start)} to {iso(end)} fell into hours of the day (UTC) that held"
        f" less than {1000 - policy.usual_share} per thousand of earlier use"
    )
    return [Sign("off_hours", text, "usage by hour", _BUCKETS, _keys(found), start, end)]


def _usual_hours(by_hour: dict[int, int], policy: Policy) -> set[int]:
    """Return the fewest hours of the day that hold the usual share of earlier use."""
    total, held, usual = sum(by_hour.values()), 0, set()
    for hour, amount in sorted(by_hour.items(), key=lambda item: (-item[1], item[0])):
        if held * 1000 >= policy.usual_share * total:
            break
        held += amount
        usual.add(hour)
    return usual


def _outside(buckets: Buckets, day: list[int], usual: set[int], policy: Policy) -> list[int]:
    """Return the fewest buckets outside the usual hours that hold the usual share of what lies there, if it is enough."""
    outside = [n for n in day if day_hour(buckets.starts[n]) not in usual]
    requests, all_requests = sum(buckets.requests[n] for n in outside), sum(buckets.requests[n] for n in day)
    if requests < policy.spike_requests or requests * 1000 < policy.off_hours_share * all_requests:
        return []
    found, held = [], 0
    for n in sorted(outside, key=lambda n: (-buckets.requests[n], n)):
        if held * 1000 >= policy.usual_share * requests:
            break
        found.append(n)
        held += buckets.requests[n]
    return found


def cost(rows: list[Row], baseline_until: datetime, since: datetime, policy: Policy) -> list[Sign]:
    """Days whose billed cost departs from the days before; only whole days on either side, and one currency."""
    if len({r["currency"] for r in rows}) != 1:
        return []
    before = [_micros(r["amount"]) for r in rows if r["period_end"] <= baseline_until]
    if len(before) < policy.baseline_days:
        return []
    level = level_of(before, "day")
    high = [
        r
        for r in rows
        if r["period_start"] >= since
        and _micros(r["amount"]) >= policy.cost_floor * 1_000_000
        and 2 * _micros(r["amount"]) >= policy.cost_ratio * level.median2
        and level.z_thousandths(_micros(r["amount"]), 100_000) >= policy.cost_z
    ]
    if not high:
        return []
    usual, currency = Decimal(level.median2) / 2_000_000, high[0]["currency"]
    text = f"{len(high)} days from {iso(high[0]['period_start'])} were billed {currency} {sum(r['amount'] for r in high):.2f}, a usual day {usual:.2f}"
    keys = tuple(r["event_key"] for r in high)
    start, end = high[0]["period_start"], max(r["period_end"] for r in high)
    return [Sign("cost", text, "usage volume", "exposure.billed_days", keys, start, end)]


def _micros(amount: Decimal) -> int:
    return int((amount * 1_000_000).to_integral_value())
