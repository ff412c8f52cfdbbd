"""Every bucket that exports cover, used or not, and which of them are of the same hour of the week or of the day."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from forensics.analysis.buckets import at_or_after, at_or_before, moment_of

_HOUR, _DAY, _WEEK = 3_600_000, 86_400_000, 604_800_000
#: 1 January 1970 was a Thursday.
_THURSDAY = 3 * _DAY
_HELD = 256


@dataclass(frozen=True, slots=True)
class Grid:
    """Begins of covered buckets in order (milliseconds since 1970), and the place of each; `step` is their width."""

    step: int
    starts: list[int]
    index: dict[int, int]
    by_week_hour: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    by_day_hour: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def until(self, moment: datetime) -> int:
        """Return how many buckets end at or before a time."""
        return bisect_right(self.starts, at_or_before(moment) - self.step)

    def since(self, moment: datetime) -> int:
        """Return the place of the first bucket that begins at or after a time."""
        return bisect_left(self.starts, at_or_after(moment))

    def within(self, start: datetime, end: datetime) -> range:
        """Return the places of the buckets wholly inside [start, end)."""
        first = self.since(start)
        return range(first, max(first, self.until(end)))

    def begin(self, place: int) -> datetime:
        """Return when the bucket of a place begins."""
        return moment_of(self.starts[place])

    def same_week_hour(self, place: int, end: int) -> Sequence[int]:
        """Return the places before `end` of the same hour of the week."""
        return _below(self.by_week_hour[week_hour(self.starts[place])], end)

    def same_day_hour(self, place: int, end: int) -> Sequence[int]:
        """Return the places before `end` of the same hour of the day."""
        return _below(self.by_day_hour[day_hour(self.starts[place])], end)


def week_hour(start: int) -> int:
    """Return the hour of the week, from Monday, of milliseconds since 1970."""
    return (start + _THURSDAY) % _WEEK // _HOUR


def day_hour(start: int) -> int:
    """Return the hour of the day of milliseconds since 1970."""
    return start % _DAY // _HOUR


def _below(places: list[int], end: int) -> list[int]:
    return places[: bisect_left(places, end)]


@lru_cache(maxsize=_HELD)
def grid_of(granularity_s: int, stretches: tuple[tuple[datetime, datetime], ...]) -> Grid:
    """Return the grid of stretches that do not overlap, in their order; exports of one width mostly share it."""
    step = 1000 * granularity_s
    starts: list[int] = []
    for low, high in stretches:
        starts += range(at_or_after(low), at_or_before(high) - step + 1, step)
    grid = Grid(step, starts, {start: place for place, start in enumerate(starts)})
    for place, start in enumerate(starts):
        grid.by_week_hour[week_hour(start)].append(place)
        grid.by_day_hour[day_hour(start)].append(place)
    return grid
