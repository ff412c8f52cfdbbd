"""Robust baselines in integers: median and median absolute deviation, by hour of week, hour of day, or all hours.

The factor 0.6745 makes the MAD comparable to a standard deviation of a normal distribution
(Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime


def doubled_median(values: Sequence[int]) -> int:
    """Return twice the median, exact in integers. Raises ValueError for no values."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    middle = len(ordered) // 2
    return 2 * ordered[middle] if len(ordered) % 2 else ordered[middle - 1] + ordered[middle]


@dataclass(frozen=True, slots=True)
class Level:
    """Usual level of a bucket: twice the median, twice the MAD, samples, and by which season."""

    median2: int
    mad2: int
    samples: int
    season: str

    def z_thousandths(self, value: int, floor: int) -> int:
        """Return the robust z of a value in thousandths; the spread is at least a tenth of the median and `floor`."""
        spread2 = max(self.mad2, self.median2 // 10, 2 * floor, 2)
        return 6745 * (2 * value - self.median2) // (10 * spread2)


def level_of(values: Sequence[int], season: str) -> Level:
    """Return the level of some samples."""
    median2 = doubled_median(values)
    mad4 = doubled_median([abs(2 * value - median2) for value in values])
    return Level(median2, mad4 // 2, len(values), season)


@dataclass(slots=True)
class Baseline:
    """Samples of a key's buckets before the baseline ends."""

    seasonal_samples: int
    by_week_hour: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    by_day_hour: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    all_hours: list[int] = field(default_factory=list)

    def add(self, start: datetime, value: int) -> None:
        """Add a bucket."""
        self.by_week_hour[start.weekday() * 24 + start.hour].append(value)
        self.by_day_hour[start.hour].append(value)
        self.all_hours.append(value)

    def level(self, start: datetime) -> Level | None:
        """Return the level of the same hour of the week, else of the day, else of all; None without samples."""
        week = self.by_week_hour.get(start.weekday() * 24 + start.hour, [])
        day = self.by_day_hour.get(start.hour, [])
        if len(week) >= self.seasonal_samples:
            return level_of(week, "hour of the week")
        if len(day) >= self.seasonal_samples:
            return level_of(day, "hour of the day")
        return level_of(self.all_hours, "all hours") if self.all_hours else None


def build(samples: Iterable[tuple[datetime, int]], seasonal_samples: int) -> Baseline:
    """Return the baseline of (bucket start, value) pairs."""
    baseline = Baseline(seasonal_samples)
    for start, value in samples:
        baseline.add(start, value)
    return baseline
