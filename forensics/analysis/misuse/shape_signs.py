"""Signs in the shape of use by day: a tier or endpoint never used, and tokens that look otherwise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime

from forensics.analysis.baseline import doubled_median
from forensics.analysis.facts import Row
from forensics.analysis.misuse.sign import Sign
from forensics.analysis.policy import Policy
from forensics.model.clock import iso

_QUERY = "exposure.usage_days"
#: Ratios of a day, in thousandths; None where the day does not have one.
_RATIOS: dict[str, Callable[[Row], int | None]] = {
    "share of cached input": lambda d: 1000 * d["cached_tokens"] // d["input_tokens"] if d["input_tokens"] else None,
    "output per input": lambda d: 1000 * d["output_tokens"] // d["input_tokens"] if d["input_tokens"] else None,
    "tokens per request": lambda d: 1000 * (d["input_tokens"] + d["output_tokens"]) // d["requests"],
}


def tiers(rows: list[Row], baseline_until: datetime, since: datetime, policy: Policy) -> list[Sign]:
    """Return a sign for each service tier, endpoint or batch use that whole days before never had."""
    before, after = _sides(rows, baseline_until, since)
    if len({r["day"] for r in before if r["requests"]}) < policy.baseline_days:
        return []
    out = []
    for what, of in (("service tier", _tier), ("endpoint", _endpoint), ("kind of use", _batch)):
        known = {of(r) for r in before if r["requests"]}
        new: defaultdict[str, list[Row]] = defaultdict(list)
        for row in after:
            if of(row) and of(row) not in known and row["requests"]:
                new[of(row)].append(row)
        # Where no day before told its tier, the earlier exports were not grouped by it.
        if what == "service tier" and known <= {""}:
            continue
        for value, here in sorted(new.items()):
            text = (
                f"the {what} {value} was never used by this key on a whole day before; first on {iso(here[0]['day'])}"
            )
            keys = tuple(r["event_key"] for r in here)
            out.append(Sign("tier", text, "usage by model", _QUERY, keys, here[0]["first_at"], here[-1]["last_at"]))
    return out


def _tier(row: Row) -> str:
    return str(row["service_tier"])


def _endpoint(row: Row) -> str:
    return str(row["endpoint"])


def _batch(row: Row) -> str:
    return "batch" if row["is_batch"] else "single requests"


def _sides(rows: list[Row], baseline_until: datetime, since: datetime) -> tuple[list[Row], list[Row]]:
    """Return the rows wholly before and wholly after; a day that straddles either time belongs to neither."""
    return [r for r in rows if r["last_at"] <= baseline_until], [r for r in rows if r["first_at"] >= since]


def _days(rows: list[Row], policy: Policy) -> list[Row]:
    """Return one row a day over all tiers and endpoints, of days with enough requests to have a shape."""
    days: dict[datetime, Row] = {}
    for row in rows:
        day = days.setdefault(row["day"], {**row, "event_keys": ()} | dict.fromkeys(_SUMMED, 0))
        for name in _SUMMED:
            day[name] += row[name]
        day["event_keys"] = (*day["event_keys"], row["event_key"])
        day["first_at"], day["last_at"] = min(day["first_at"], row["first_at"]), max(day["last_at"], row["last_at"])
    return [d for _, d in sorted(days.items()) if d["requests"] >= policy.spike_requests]


_SUMMED = ("requests", "input_tokens", "cached_tokens", "output_tokens")


def token_shape(rows: list[Row], baseline_until: datetime, since: datetime, policy: Policy) -> list[Sign]:
    """Days on which at least `shape_ratios` of the three ratios depart from the days before."""
    all_days = _days(rows, policy)
    before, after = _sides(all_days, baseline_until, since)
    if len(before) < policy.baseline_days:
        return []
    found: list[Row] = []
    names: set[str] = set()
    for day in after:
        odd = {name for name, of in _RATIOS.items() if _departs([of(d) for d in before], of(day), policy)}
        if len(odd) >= policy.shape_ratios:
            found.append(day)
            names |= odd
    if not found:
        return []
    text = (
        f"{', '.join(sorted(names))} depart from the days before on {len(found)} days from {iso(found[0]['first_at'])}"
    )
    keys = tuple(k for d in found for k in d["event_keys"])
    return [Sign("token_shape", text, "token shape", _QUERY, keys, found[0]["first_at"], found[-1]["last_at"])]


def _departs(before: list[int | None], value: int | None, policy: Policy) -> bool:
    samples = [x for x in before if x is not None]
    if value is None or len(samples) < policy.baseline_days:
        return False
    median2 = doubled_median(samples)
    mad2 = doubled_median([abs(2 * x - median2) for x in samples]) // 2
    spread2 = max(mad2, median2 // 10, 2)
    return 6745 * abs(2 * value - median2) // (10 * spread2) >= policy.shape_z
