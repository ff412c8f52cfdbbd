"""One key's usage as a series: one granularity, covered stretches, tokens and requests by bucket, models."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from forensics.analysis.facts import Facts, Row
from forensics.analysis.horizon import Horizon, export_horizon
from forensics.analysis.keys import Key


@dataclass(frozen=True, slots=True)
class Bucket:
    """A time bucket of a key over all models; end exclusive."""

    start: datetime
    end: datetime
    requests: int
    tokens: int
    models: tuple[str, ...]
    event_keys: tuple[str, ...]


@dataclass(slots=True)
class Series:
    """Usage of a key. `stretches` are what the exports prove; absence inside them is zero, outside unknown.

    `horizon`: up to when the exports can be taken as counted; after it, and outside of the stretches, nothing is known.
    """

    granularity_s: int
    buckets: list[Bucket]
    stretches: list[tuple[datetime, datetime]]
    horizon: Horizon
    truncated: bool = False
    sources: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)
    _all: list[tuple[datetime, Bucket | None]] = field(default_factory=list)

    @property
    def end(self) -> datetime | None:
        """End of the last covered stretch."""
        return self.stretches[-1][1] if self.stretches else None

    def covers(self, start: datetime, end: datetime) -> bool:
        """Return whether one stretch holds all of [start, end)."""
        return any(a <= start and end <= b for a, b in self.stretches)

    def values(self, start: datetime, end: datetime) -> list[tuple[datetime, Bucket | None]]:
        """Return every covered bucket wholly inside [start, end), with zero (None) where the export proves absence."""
        covered = self._covered()
        step = timedelta(seconds=self.granularity_s)
        first = bisect_left(covered, start, key=_start)
        return covered[first : max(first, bisect_right(covered, end - step, key=_start))]

    def _covered(self) -> list[tuple[datetime, Bucket | None]]:
        """Return every covered bucket in order, made once."""
        if not self._all:
            by_start = {b.start: b for b in self.buckets}
            step = timedelta(seconds=self.granularity_s)
            for low, high in self.stretches:
                at = low
                while at + step <= high:
                    self._all.append((at, by_start.get(at)))
                    at += step
        return self._all


def _start(covered: tuple[datetime, Bucket | None]) -> datetime:
    return covered[0]


def _merge(stretches: list[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    merged: list[tuple[datetime, datetime]] = []
    for start, end in sorted(stretches):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def owned(key: Key, owner: str) -> bool:
    """Whether evidence of `owner` may speak of a key: its own customer's, or evidence that nobody was named for."""
    return not key.customer or not owner or owner == key.customer


def _by_key(coverage: Row) -> bool:
    """Whether a stretch is of usage in buckets, grouped by key, with both ends."""
    whole = coverage["granularity_s"] and coverage["covered_from"] and coverage["covered_until"]
    grouped = "api_key_id" in (coverage["grouped_by"] or "").split(",")
    return bool(whole) and grouped and coverage["endpoint"] not in {"costs", "audit"}


def preferred(key: Key, rows: list[Row]) -> list[Row]:
    """Return the rows of the key's own customer, or, where there are none, those that nobody was named for.

    Never both: an export that came once with its owner and once without would count twice.
    """
    if not key.customer:
        return rows
    return [r for r in rows if r["owner"] == key.customer] or [r for r in rows if not r["owner"]]


def series_of(key: Key, facts: Facts) -> Series | None:
    """Return the usage series of a key, or None when no export that names the key was supplied by its owner.

    An export that names other keys and never this one proves nothing about it: the key may belong to another
    organisation. Of several granularities the one that proves most time is used, the finer of equals, and it is named.
    """
    rows = preferred(key, facts.usage.get((key.provider, key.key_id), []))
    if key.basis == "secret_name" or not rows:
        return None
    owners = {r["owner"] or "" for r in rows}
    coverage = [c for owner in sorted(owners) for c in facts.coverage_of(key.provider, owner) if _by_key(c)]
    if not coverage:
        return None
    spans: defaultdict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    for c in coverage:
        spans[c["granularity_s"]].append((c["covered_from"], c["covered_until"]))
    merged = {g: _merge(s) for g, s in spans.items()}
    best = min(merged, key=lambda g: (-sum(int((b - a).total_seconds()) for a, b in merged[g]), g))
    series = Series(
        best,
        _buckets([r for r in rows if r["granularity_s"] == best]),
        merged[best],
        _horizon(key, [c for c in coverage if c["granularity_s"] == best]),
    )
    series.truncated = any(c["truncated"] for c in coverage if c["covered_until"] == series.end)
    chosen = [r for r in rows if r["granularity_s"] == best]
    kinds = sorted({f"{r['source_id']} by {r['grouped_by'] or 'nothing'}" for r in chosen})
    series.sources = tuple(kinds)
    if any((r["views"] or 1) > 1 for r in chosen):
        series.notes.append(f"of several views of the same usage the figures use one: {', '.join(kinds)}")
    if len(merged) > 1:
        others = ", ".join(f"{g} s" for g in sorted(merged) if g != best)
        series.notes.append(
            f"figures use the export with buckets of {best} s; others of the same usage ({others}) are not added"
        )
    return series


def _horizon(key: Key, coverage: list[Row]) -> Horizon:
    until = export_horizon((c["covered_from"], c["covered_until"], c["received_at"]) for c in coverage)
    received = max((c["received_at"] for c in coverage if c["received_at"] is not None), default=None)
    owner = key.customer or max(c["owner"] or "" for c in coverage)
    return Horizon("usage", owner, key.provider, until, received)


def _buckets(rows: list[Row]) -> list[Bucket]:
    grouped: defaultdict[datetime, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row["bucket_start"]].append(row)
    return [_bucket(start, here) for start, here in sorted(grouped.items())]


def _bucket(start: datetime, here: list[Row]) -> Bucket:
    if len(here) == 1:
        row = here[0]
        models = (row["model"],) if row["model"] and (row["tokens"] or row["requests"]) else ()
        return Bucket(start, row["bucket_end"], row["requests"], row["tokens"], models, (row["event_key"],))
    return Bucket(
        start,
        here[0]["bucket_end"],
        sum(r["requests"] for r in here),
        sum(r["tokens"] for r in here),
        tuple(sorted({r["model"] for r in here if r["model"] and (r["tokens"] or r["requests"])})),
        tuple(sorted(r["event_key"] for r in here)),
    )
