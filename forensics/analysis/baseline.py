"""Robust baselines in integers: median and median absolute deviation, by hour of week, hour of day, or all hours.

The factor 0.6745 makes the MAD comparable to a standard deviation of a normal distribution
(Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forensics.analysis.grid import Grid


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


@dataclass(frozen=True, slots=True)
class Baseline:
    """Values of the buckets of a grid up to `end`, before which all is ordinary use."""

    grid: Grid
    values: Sequence[int]
    end: int
    seasonal_samples: int

    def samples(self, place: int) -> tuple[list[int], str]:
        """Return the values of the same hour of the week, else of the day, else of all, and by which season."""
        week = self.grid.same_week_hour(place, self.end)
        if len(week) >= self.seasonal_samples:
            return [self.values[n] for n in week], "hour of the week"
        day = self.grid.same_day_hour(place, self.end)
        if len(day) >= self.seasonal_samples:
            return [self.values[n] for n in day], "hour of the day"
        return list(self.values[: self.end]), "all hours"
