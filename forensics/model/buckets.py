"""Time buckets of usage and cost exports: what they enclose, what they prove, what names a row in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from forensics.model.fields import count, inside, moment, plain
from forensics.model.stretches import merge, span


@dataclass(frozen=True, slots=True)
class Bucket:
    """A stretch that a provider counted in: `start` inclusive, `end` exclusive, naive UTC."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> int:
        """Width in whole seconds."""
        return (self.end - self.start) // timedelta(seconds=1)


def read_bucket(places: Iterable[object], start_name: str, end_name: str) -> Bucket | str:
    """Return the bucket of the first place that has a start, or in words why there is none."""
    place = next((p for p in places if inside(p, start_name) is not None), None)
    start, end = moment(inside(place, start_name)), moment(inside(place, end_name))
    if start is None or end is None:
        return f"no readable {start_name if start is None else end_name} of the bucket"
    return Bucket(start, end) if start < end else "the bucket does not end after its start"


def natural_key(endpoint: str, bucket: Bucket, dimensions: Mapping[str, str]) -> str:
    """Return the text that names a row by what it counts, never by how much: equal in every export of it."""
    named = [f"{name}={text}" for name, text in sorted(dimensions.items())]
    parts = [endpoint, bucket.start.isoformat() + "Z", str(bucket.seconds), *named]
    return "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in parts)


#: Names under which the last page of an interface names the next one; "" and null name none.
_NEXT = ("next_page", "next_page_token", "nextPageToken", "nextLink", "@odata.nextLink", "NextToken", "nextToken")
#: Where pages are counted: the object around the counts, this page, its size, and how many pages or records there are.
_COUNTED = (
    (("result_info",), "page", "per_page", "total_pages", "total_count"),
    (("meta",), "page", "limit", "totalPages", "totalItems"),
)


def says_more(envelopes: Sequence[object], held: int | None = None) -> bool:
    """Return whether the last page says that more follows.

    It does by `has_more`, by naming the next page, by counting pages or records beyond this one, or, where it is the
    only page and `held` records were in it, by a larger `total`.
    """
    last = envelopes[-1] if envelopes else None
    more = inside(last, "has_more")
    if more is True or more == "true" or any(plain(inside(last, name)) for name in _NEXT):
        return True
    total = count(inside(last, "total"))
    if held is not None and total is not None and len(envelopes) == 1 and total > held:
        return True
    return any(_counts_more(inside(last, *path), *names) for path, *names in _COUNTED)


def _counts_more(place: object, page: str, size: str, pages: str, records: str) -> bool:
    at, step, last, total = (count(inside(place, name)) for name in (page, size, pages, records))
    if at is None:
        return False
    return (last is not None and at < last) or (step is not None and total is not None and at * step < total)


def covered(
    provider: str,
    endpoint: str,
    buckets: Iterable[Bucket],
    *,
    grouped_by: str,
    truncated: bool,
    received: datetime | None,
) -> list[dict[str, Any]]:
    """Return rows of `ai_coverage` for the contiguous stretches of closed buckets, per width.

    A bucket that ended after the export was received was still open and proves nothing about absence.
    """
    closed = {b for b in buckets if received is None or b.end <= received}
    return [
        {
            "provider": provider,
            "endpoint": endpoint,
            "granularity_s": seconds,
            "grouped_by": grouped_by,
            "covered_from": start,
            "covered_until": until,
            "truncated": truncated,
        }
        for seconds in sorted({b.seconds for b in closed})
        for start, until in merge((b.start, b.end) for b in closed if b.seconds == seconds)
    ]


def covered_events(
    provider: str, endpoint: str, moments: Iterable[datetime], *, truncated: bool
) -> list[dict[str, Any]]:
    """Return the row of `ai_coverage` from the first to the last of single events; none without events."""
    known = span(moments)
    if known is None:
        return []
    return [
        {
            "provider": provider,
            "endpoint": endpoint,
            "granularity_s": None,
            "grouped_by": None,
            "covered_from": known[0],
            "covered_until": known[1],
            "truncated": truncated,
        }
    ]
