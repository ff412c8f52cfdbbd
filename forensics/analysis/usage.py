"""One key's usage as a series: one granularity, covered stretches, tokens and requests by bucket, models."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from forensics.analysis.buckets import Buckets, at_or_after, at_or_before
from forensics.analysis.facts import Facts, Row
from forensics.analysis.grid import Grid, grid_of
from forensics.analysis.horizon import Horizon, export_horizon
from forensics.analysis.keys import Key


@dataclass(slots=True)
class Series:
    """Usage of a key. `stretches` are what the exports prove; absence inside them is zero, outside unknown.

    `horizon`: up to when the exports can be taken as counted; after it, and outside of the stretches, nothing is known.
    """

    granularity_s: int
    buckets: Buckets
    stretches: list[tuple[datetime, datetime]]
    horizon: Horizon
    truncated: bool = False
    sources: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)

    @property
    def end(self) -> datetime | None:
        """End of the last covered stretch."""
        return self.stretches[-1][1] if self.stretches else None

    @property
    def grid(self) -> Grid:
        """Every covered bucket, used or not."""
        return grid_of(self.granularity_s, tuple(self.stretches))

    def covers(self, start: datetime, end: datetime) -> bool:
        """Return whether one stretch holds all of [start, end)."""
        return any(a <= start and end <= b for a, b in self.stretches)

    def places(self, start: datetime, end: datetime) -> list[tuple[int, int]]:
        """Return place in the grid and place among the buckets of what was counted wholly inside [start, end), in order."""
        starts, index = self.buckets.starts, self.grid.index
        first, last = bisect_left(starts, at_or_after(start)), bisect_right(starts, at_or_before(end) - self.grid.step)
        return [(index[starts[n]], n) for n in range(first, last) if starts[n] in index]


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


def _by_key(coverage: Row, naming: set[str]) -> bool:
    """Whether a stretch is of usage in buckets, grouped by key, with both ends.

    An export grouped by what it calls `key` (names, or ids by a column map) proves something only about a key that it
    names; `naming` are the formats that do.
    """
    whole = coverage["granularity_s"] and coverage["covered_from"] and coverage["covered_until"]
    dimensions = (coverage["grouped_by"] or "").split(",")
    grouped = "api_key_id" in dimensions or ("key" in dimensions and coverage["source_id"] in naming)
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
    It is made once for a key of `facts`.
    """
    name = (key.provider, key.key_id, key.customer, key.basis)
    if name not in facts.series:
        facts.series[name] = _series(key, facts)
    return facts.series[name]


def _series(key: Key, facts: Facts) -> Series | None:
    rows = preferred(key, facts.usage.get((key.provider, key.key_id), []))
    if key.basis == "secret_name" or not rows:
        return None
    owners = {r["owner"] or "" for r in rows}
    naming = {r["source_id"] for r in rows if r["named_by"] or "key" in (r["grouped_by"] or "").split(",")}
    coverage = [c for owner in sorted(owners) for c in facts.coverage_of(key.provider, owner) if _by_key(c, naming)]
    if not coverage:
        return None
    spans: defaultdict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    for c in coverage:
        spans[c["granularity_s"]].append((c["covered_from"], c["covered_until"]))
    merged = {g: _merge(s) for g, s in spans.items()}
    best = min(merged, key=lambda g: (-sum(int((b - a).total_seconds()) for a, b in merged[g]), g))
    series = Series(
        best,
        Buckets(r for r in rows if r["granularity_s"] == best),
        merged[best],
        _horizon(key, [c for c in coverage if c["granularity_s"] == best]),
    )
    series.truncated = any(c["truncated"] for c in coverage if c["covered_until"] == series.end)
    chosen = [r for r in rows if r["granularity_s"] == best]
    kinds = sorted({f"{r['source_id']} by {r['grouped_by'] or 'nothing'}" for r in chosen})
    series.sources = tuple(kinds)
    if any((r["views"] or 1) > 1 for r in chosen):
        series.notes.append(f"of several views of the same usage the figures use one: {', '.join(kinds)}")
    if names := sorted({r["named_by"] for r in chosen if r["named_by"]}):
        series.notes.append(
            f"usage that names no id counts by the name {', '.join(names)}, which no other key of its owner at the provider has"
        )
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
