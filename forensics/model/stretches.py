"""Stretches of time: contiguous buckets as one, and the span of single events."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

Stretch = tuple[datetime, datetime]


def merge(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Return ordered stretches (start inclusive, end exclusive) with touching and overlapping ones joined.

    An empty or reversed stretch is left out.
    """
    joined: list[Stretch] = []
    for start, end in sorted(s for s in stretches if s[0] < s[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def span(moments: Iterable[datetime]) -> Stretch | None:
    """Return the stretch from the first to the last of single events, None without any.

    The end is exclusive, so it lies one microsecond after the last event and claims nothing beyond it.
    """
    known = sorted(moments)
    return (known[0], known[-1] + timedelta(microseconds=1)) if known else None
