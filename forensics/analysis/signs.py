"""Statistical signs in a key's usage. They can make it unexplained, never established."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from forensics.analysis.baseline import build
from forensics.analysis.policy import Policy
from forensics.analysis.usage import Bucket, Series


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
    before = series.values(datetime(1970, 1, 1), baseline_until)  # noqa: DTZ001 - naive UTC
    days = len(before) * series.granularity_s // 86_400
    if days < policy.baseline_days:
        return Signs(
            f"no baseline: the usage supplied covers {days} days before the baseline ends, {policy.baseline_days} are needed"
        )
    after = series.values(since, until)
    signs = Signs(baseline_from=before[0][0], baseline_until=baseline_until, compared=len(after))
    for metric, floor in (("tokens", policy.spike_tokens), ("requests", policy.spike_requests)):
        _spikes(signs, before, after, metric, floor, policy)
        if signs.spikes:
            break
    known = {m for _, bucket in before if bucket for m in bucket.models}
    active = {start.date() for start, bucket in before if bucket and bucket.tokens}
    if len(active) >= policy.baseline_days:
        for _, bucket in after:
            for model in bucket.models if bucket else ():
                if model not in known and bucket:
                    signs.new_models.setdefault(model, []).append(bucket)
    return signs


def _value(metric: str) -> Callable[[Bucket | None], int]:
    return lambda bucket: 0 if bucket is None else bucket.tokens if metric == "tokens" else bucket.requests


def _spikes(
    signs: Signs,
    before: list[tuple[datetime, Bucket | None]],
    after: list[tuple[datetime, Bucket | None]],
    metric: str,
    floor: int,
    policy: Policy,
) -> None:
    value = _value(metric)
    baseline = build(((start, value(bucket)) for start, bucket in before), policy.seasonal_samples)
    flagged: list[Bucket] = []
    expected2 = observed = 0
    season = ""
    for start, bucket in after:
        x = value(bucket)
        level = baseline.level(start)
        if bucket is None or level is None or x < floor:
            continue
        if 2 * x >= policy.spike_ratio * level.median2 and level.z_thousandths(x, floor // 10) >= policy.spike_z:
            flagged.append(bucket)
            expected2 += level.median2
            observed += x
            season = level.season
    if len(flagged) >= policy.spike_buckets:
        signs.spikes, signs.metric, signs.expected, signs.observed, signs.season = (
            flagged,
            metric,
            expected2 // 2,
            observed,
            season,
        )


def episode(buckets: list[Bucket]) -> tuple[datetime, datetime]:
    """Return from the first to the end of the last of some buckets. Raises ValueError for none."""
    return min(b.start for b in buckets), max(b.end for b in buckets)
