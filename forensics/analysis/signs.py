"""Statistical signs in a key's usage. They can make it unexplained, never established."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime

from forensics.analysis.baseline import Baseline, doubled_median, level_of
from forensics.analysis.buckets import Bucket
from forensics.analysis.policy import Policy
from forensics.analysis.usage import Series

_DAY = 86_400_000


@dataclass(slots=True)
class Signs:
    """What departs from the key's past. `state` is "" when evaluable, else why not."""

    state: str = ""
    spikes: list[Bucket] = field(default_factory=list)
    metric: str = "tokens"
    expected: int = 0
    observed: int = 0
    season: str = ""
    new_models: dict[str, list[Bucket]] = field(default_factory=dict)
    baseline_from: datetime | None = None
    baseline_until: datetime | None = None
    compared: int = 0

    @property
    def any(self) -> bool:
        """Whether anything departs from the past."""
        return bool(self.spikes or self.new_models)


def find_signs(
    series: Series, baseline_until: datetime | None, since: datetime, until: datetime, policy: Policy
) -> Signs:
    """Compare the buckets wholly after `since` with those wholly before `baseline_until`.

    A bucket that straddles either time belongs to neither side.
    """
    if baseline_until is None:
        return Signs("no baseline: neither T0 nor an exposure dates the end of ordinary use")
    grid = series.grid
    end, after = grid.until(baseline_until), grid.within(since, until)
    days = end * series.granularity_s // 86_400
    if days < policy.baseline_days:
        return Signs(
            f"no baseline: the usage supplied covers {days} days before the baseline ends, {policy.baseline_days} are needed"
        )
    signs = Signs(baseline_from=grid.begin(0), baseline_until=baseline_until, compared=len(after))
    later = series.places(since, until)
    for metric, floor in (("tokens", policy.spike_tokens), ("requests", policy.spike_requests)):
        _spikes(signs, series, end, later, metric, floor, policy)
        if signs.spikes:
            break
    if later:
        _new_models(signs, series, end, [n for _, n in later], policy)
    return signs


def _new_models(signs: Signs, series: Series, end: int, later: list[int], policy: Policy) -> None:
    """Note the models of later buckets that none before has, if the key was used on enough days before."""
    grid, buckets = series.grid, series.buckets
    limit = grid.starts[end - 1] if end else -1
    before = [n for n in range(bisect_right(buckets.starts, limit)) if buckets.starts[n] in grid.index]
    active = {buckets.starts[n] // _DAY for n in before if buckets.tokens[n]}
    if len(active) < policy.baseline_days:
        return
    # Most models were used early on, in a bucket that is covered: then no bucket need be looked into.
    open_ = {m for m, start in buckets.first_used().items() if start > limit or start not in grid.index}
    if not open_:
        return
    known = {m for n in before for m in buckets[n].models}
    for n in later:
        bucket = buckets[n]
        for model in bucket.models:
            if model not in known:
                signs.new_models.setdefault(model, []).append(bucket)


def _spikes(
    signs: Signs, series: Series, end: int, later: list[tuple[int, int]], metric: str, floor: int, policy: Policy
) -> None:
    column = series.buckets.tokens if metric == "tokens" else series.buckets.requests
    high = [(place, n) for place, n in later if column[n] >= floor]
    if not high:
        return
    counted = dict(zip(series.buckets.starts, column, strict=True))
    values = [counted.get(start, 0) for start in series.grid.starts[:end]]
    baseline = Baseline(series.grid, values, end, policy.seasonal_samples)
    flagged: list[int] = []
    expected2 = observed = 0
    season = ""
    for place, n in high:
        x, (usual, by) = column[n], baseline.samples(place)
        # Most buckets end here; their spread need not be known.
        if not usual or 2 * x < policy.spike_ratio * doubled_median(usual):
            continue
        level = level_of(usual, by)
        if level.z_thousandths(x, floor // 10) >= policy.spike_z:
            flagged.append(n)
            expected2 += level.median2
            observed += x
            season = level.season
    if len(flagged) >= policy.spike_buckets:
        signs.spikes = [series.buckets[n] for n in flagged]
        signs.metric, signs.expected, signs.observed, signs.season = metric, expected2 // 2, observed, season


def episode(buckets: list[Bucket]) -> tuple[datetime, datetime]:
    """Return from the first to the end of the last of some buckets. Raises ValueError for none."""
    return min(b.start for b in buckets), max(b.end for b in buckets)
