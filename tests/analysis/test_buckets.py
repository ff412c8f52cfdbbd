"""Buckets held as numbers say what a plain walk over the rows says."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from forensics.analysis.buckets import Buckets, at_or_after, at_or_before, moment_of
from forensics.analysis.grid import grid_of
from tests.analysis.verdict_facts import bucket, usage_rows

HOUR = timedelta(hours=1)
START = datetime(2026, 4, 1)
#: An early hour has fewer digits than the others, so that order as text is not order in time.
HOURS = [datetime(2001, 9, 9), *(START + n * HOUR for n in range(40))]
USED = st.lists(
    st.tuples(st.sampled_from(HOURS), st.sampled_from(["m1", "m2", None]), st.integers(0, 3)),
    unique_by=lambda u: u[:2], max_size=60,
)  # fmt: skip


@given(USED)
def test_buckets_equal_a_plain_walk(used):
    rows = [bucket(start, requests, model) for start, model, requests in used]
    plain = defaultdict(list)
    for row in rows:
        plain[row["bucket_start"]].append(row)
    held = Buckets(r for here in usage_rows(rows).values() for r in here)
    assert [b.start for b in held] == sorted(plain)
    for got in held:
        here = plain[got.start]
        assert (got.end, got.requests, got.tokens) == (
            got.start + HOUR, sum(r["requests"] for r in here), sum(r["tokens"] for r in here)
        )  # fmt: skip
        assert got.models == tuple(sorted({r["model"] for r in here if r["model"] and r["requests"]}))
        assert got.event_keys == tuple(sorted(r["event_key"] for r in here))
    busy = [start for start in sorted(plain) if any(r["requests"] for r in plain[start])]
    assert held.last_used() == ((busy[-1], busy[-1] + HOUR) if busy else None)
    assert [b.start for b in held.used_since(HOURS[20])] == [s for s in busy if s >= HOURS[20]]
    for model in ("m1", "m2"):
        first = min((r["bucket_start"] for r in rows if r["model"] == model and r["requests"]), default=None)
        assert held.first_used().get(model) == (None if first is None else at_or_after(first))


def test_a_long_bucket_may_end_last():
    rows = [bucket(START, 1, width=5 * HOUR), bucket(START + HOUR, 1), bucket(START + 9 * HOUR, 0)]
    held = Buckets(r for here in usage_rows(rows).values() for r in here)
    assert held.last_used() == (START + HOUR, START + 5 * HOUR)


@given(st.integers(-(10**15), 10**16))
def test_milliseconds_never_move_a_time_to_the_other_side(microseconds):
    moment = datetime(1970, 1, 1) + timedelta(microseconds=microseconds)
    assert moment_of(at_or_before(moment)) <= moment <= moment_of(at_or_after(moment))
    assert at_or_after(moment) - at_or_before(moment) == (0 if moment.microsecond % 1000 == 0 else 1)


@given(st.integers(0, 200), st.integers(0, 200), st.sampled_from([1800, 3600, 86400]))
def test_a_grid_holds_every_covered_bucket_and_knows_its_hour(low, high, width):
    gap = (START + 300 * HOUR, START + 320 * HOUR)
    grid = grid_of(width, ((START, START + 200 * HOUR), gap))
    step = timedelta(seconds=width)
    begins, at = [], START
    for start, end in ((START, START + 200 * HOUR), gap):
        at = start
        while at + step <= end:
            begins.append(at)
            at += step
    assert [moment_of(s) for s in grid.starts] == begins
    start, end = START + low * HOUR, START + high * HOUR
    assert [begins[n] for n in grid.within(start, end)] == [b for b in begins if start <= b and b + step <= end]
    place, last = len(begins) - 1, len(begins) - 1
    hour = begins[place].hour
    assert [begins[n] for n in grid.same_day_hour(place, last)] == [b for b in begins[:last] if b.hour == hour]
    assert [begins[n] for n in grid.same_week_hour(place, last)] == [
        b for b in begins[:last] if (b.weekday(), b.hour) == (begins[place].weekday(), hour)
    ]
