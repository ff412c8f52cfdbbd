"""One key's usage as a series: one granularity, covered stretches, tokens and requests by bucket, models."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from forensics.analysis.facts import Facts, Row
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
    """Usage of a key. `stretches` are what the exports prove; absence inside them is zero, outside unknown."""

    granularity_s: int
    buckets: list[Bucket]
    stretches: list[tuple[datetime, datetime]]
    truncated: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def end(self) -> datetime | None:
        """End of the last covered stretch."""
        return self.stretches[-1][1] if self.stretches else None

    def covers(self, start: datetime, end: datetime) -> bool:
        """Return whether one stretch holds all of [start, end)."""
        return any(a <= start and end <= b for a, b in self.stretches)

    def values(self, start: datetime, end: datetime) -> list[tuple[datetime, Bucket | None]]:
        """Return every covered bucket wholly inside [start, end), with zero (None) where the export proves absence."""
        by_start = {b.start: b for b in self.buckets}
        step = timedelta(seconds=self.granularity_s)
        out: list[tuple[datetime, Bucket | None]] = []
        for low, high in self.stretches:
            at = low
            while at + step <= high:
                if at >= start and at + step <= end:
                    out.append((at, by_start.get(at)))
                at += step
        return out


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


def series_of(key: Key, facts: Facts) -> Series | None:
    """Return the usage series of a key, or None when no export that names keys was supplied by its owner.

    Of several granularities the one that proves most time is used, the finer of equals, and it is named.
    """
    rows = [r for r in facts.usage.get((key.provider, key.key_id), []) if owned(key, r["owner"] or "")]
    if key.basis == "secret_name":
        return None
    coverage = [
        c
        for c in facts.coverage
        if c["provider"] == key.provider and owned(key, c["owner"] or "") and c["granularity_s"] and c["covered_from"] and c["covered_until"]
        and "api_key_id" in (c["grouped_by"] or "").split(",") and c["endpoint"] not in {"costs", "audit"}
    ]  # fmt: skip
    if not coverage or (not rows and not key.customer):
        return None
    spans: defaultdict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    for c in coverage:
        spans[c["granularity_s"]].append((c["covered_from"], c["covered_until"]))
    merged = {g: _merge(s) for g, s in spans.items()}
    best = min(merged, key=lambda g: (-sum(int((b - a).total_seconds()) for a, b in merged[g]), g))
    series = Series(best, _buckets([r for r in rows if r["granularity_s"] == best]), merged[best])
    series.truncated = any(c["truncated"] for c in coverage if c["covered_until"] == series.end)
    if len(merged) > 1:
        others = ", ".join(f"{g} s" for g in sorted(merged) if g != best)
        series.notes.append(
            f"figures use the export with buckets of {best} s; others of the same usage ({others}) are not added"
        )
    return series


def _buckets(rows: list[Row]) -> list[Bucket]:
    grouped: defaultdict[datetime, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row["bucket_start"]].append(row)
    return [
        Bucket(
            start,
            here[0]["bucket_end"],
            sum(r["requests"] for r in here),
            sum(r["tokens"] for r in here),
            tuple(sorted({r["model"] for r in here if r["model"] and (r["tokens"] or r["requests"])})),
            tuple(sorted(r["event_key"] for r in here)),
        )
        for start, here in sorted(grouped.items())
    ]
