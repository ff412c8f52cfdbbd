"""Horizons: up to when the evidence of a source can be taken as complete, and after which nothing can be said.

A horizon is the end of the last complete hour: what a source delivers late is allowed for, measured against the time
at which the files were received. "Over", "still active" and "last seen" hold as of a horizon, never as of today.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from forensics.model.clock import iso
from forensics.store.duckdb_engine import rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb

_HOUR = timedelta(hours=1)
#: CloudTrail delivers on average within about five minutes of a call and promises no bound; an hour counts as complete
#: when it ended this long before the files were received.
#: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
CLOUDTRAIL_LAG = timedelta(minutes=15)
#: Usage of providers is counted late, by unpublished amounts: hours that ended less than this before the export are open.
EXPORT_LAG = timedelta(hours=1)

Place = tuple[str, str]
"""Account and region of a trail, or customer and provider of an export; empty text where it is not known."""


@dataclass(frozen=True, slots=True, order=True)
class Horizon:
    """How far a source reaches: `cloudtrail` of an account in a region, or `usage` of a customer at a provider.

    `until`: end of its last complete hour, naive UTC; None when no hour is known to be complete. `exported_at`: when
    its files were received, None when no receipt states it.
    """

    kind: str
    who: str
    what: str
    until: datetime | None
    exported_at: datetime | None

    @property
    def source(self) -> str:
        """The source in words, as in `CloudTrail of 111122223333 in eu-west-1`."""
        if self.kind == "cloudtrail":
            return f"CloudTrail of {self.who or 'an unnamed account'} in {self.what or 'an unnamed region'}"
        return f"{self.kind} of {self.who or 'nobody named'} at {self.what or 'an unnamed provider'}"

    def words(self) -> str:
        """Return source and end in words."""
        return f"{self.source} to {iso(self.until)}" if self.until else f"{self.source}: no complete hour"


def floor_hour(moment: datetime) -> datetime:
    """Return the begin of the hour that holds a moment."""
    return moment.replace(minute=0, second=0, microsecond=0)


def trail_horizon(
    last: datetime | None, exported_at: datetime | None, proven_until: datetime | None
) -> datetime | None:
    """Return the end of the last complete hour of a trail in a region; None without events and digests.

    The hour of the last event may be cut: it is complete only when the files were received well after it, or when a
    digest with a valid signature shows that nothing was delivered later (`proven_until`: the digest's end).
    """
    ends = [floor_hour(proven_until - CLOUDTRAIL_LAG)] if proven_until else []
    if last:
        end = floor_hour(last) + _HOUR
        whole = exported_at is not None and exported_at >= end + CLOUDTRAIL_LAG
        ends.append(end if whole else end - _HOUR)
    return max(ends, default=None)


def export_end(covered_until: datetime, received_at: datetime | None) -> datetime:
    """Return up to when an export can be taken as counted, not before the hour in which it was received less the lag."""
    return covered_until if received_at is None else min(covered_until, floor_hour(received_at - EXPORT_LAG))


def export_horizon(stretches: Iterable[tuple[datetime, datetime, datetime | None]]) -> datetime | None:
    """Return the end of the last complete hour of exports, each as (covered from, covered until, received)."""
    ends = [(start, export_end(end, received)) for start, end, received in stretches]
    return max((floor_hour(end) for start, end in ends if start < end), default=None)


_LAST = """
SELECT coalesce(account_id, '') AS who, coalesce(region, '') AS what, max(event_time) AS last
FROM aws_event WHERE event_time >= $since AND event_time < $until GROUP BY ALL ORDER BY ALL
"""
_RECEIVED = """
SELECT e.who, e.what, max(r.received_at) AS exported_at FROM (
  SELECT DISTINCT coalesce(account_id, '') AS who, coalesce(region, '') AS what, file_sha256 FROM aws_event) AS e
JOIN receipt AS r ON r.file_sha256 = e.file_sha256
GROUP BY ALL ORDER BY ALL
"""
#: Digests with a valid signature of which every listed log file is there: nothing delivered in their time is missing.
_PROVEN = """
SELECT d.account AS who, d.region AS what, max(d.end_at) AS proven_until FROM log_digest AS d
WHERE d.state IN ('valid', 'valid_via_successor') AND d.start_at < $until AND d.end_at > $since
  AND NOT EXISTS (SELECT 1 FROM log_integrity AS l WHERE l.digest_object = d.object AND l.state = 'missing')
GROUP BY ALL ORDER BY ALL
"""
_USAGE = """
SELECT coalesce(owner, '') AS who, provider AS what, covered_from, covered_until, received_at
FROM ai_coverage WHERE endpoint NOT IN ('costs', 'audit', 'requests') AND covered_from IS NOT NULL AND covered_until IS NOT NULL
ORDER BY ALL
"""


def trail_horizons(connection: duckdb.DuckDBPyConnection, since: datetime, until: datetime) -> dict[Place, Horizon]:
    """Return the horizon of CloudTrail by account and region, of events and digests from `since` to `until`."""
    bounds = {"since": since, "until": until}
    last = {(r["who"], r["what"]): r["last"] for r in rows_of(connection, _LAST, bounds)}
    exported = {(r["who"], r["what"]): r["exported_at"] for r in rows_of(connection, _RECEIVED)}
    proven = {(r["who"], r["what"]): r["proven_until"] for r in rows_of(connection, _PROVEN, bounds)}
    return {
        place: Horizon(
            "cloudtrail", *place, trail_horizon(last.get(place), exported.get(place), proven.get(place)), exported.get(place)
        )
        for place in sorted({*last, *proven})
    }  # fmt: skip


def usage_horizons(connection: duckdb.DuckDBPyConnection) -> dict[Place, Horizon]:
    """Return the horizon of usage exports by customer and provider."""
    found: dict[Place, list[tuple[datetime, datetime, datetime | None]]] = {}
    for row in rows_of(connection, _USAGE):
        stretch = row["covered_from"], row["covered_until"], row["received_at"]
        found.setdefault((row["who"], row["what"]), []).append(stretch)
    return {
        place: Horizon(
            "usage", *place, export_horizon(stretches), max((r for _, _, r in stretches if r is not None), default=None)
        )
        for place, stretches in sorted(found.items())
    }


def horizons_of(connection: duckdb.DuckDBPyConnection, since: datetime, until: datetime) -> list[Horizon]:
    """Return the horizons of CloudTrail and of usage exports, in a total order."""
    return [*trail_horizons(connection, since, until).values(), *usage_horizons(connection).values()]


def reach_of(horizons: Iterable[Horizon], who: str) -> Horizon | None:
    """Return the horizon that reaches furthest among those of an account or customer; None without any."""
    mine = [h for h in horizons if h.who == who and h.until is not None]
    return max(mine, key=lambda h: (h.until, h.kind, h.what), default=None)


def reach_words(horizons: Iterable[Horizon]) -> str:
    """Return in one sentence as of when the last sightings of each kind of source hold, the ends of a kind as a range."""
    ends: dict[str, list[datetime]] = {}
    for horizon in horizons:
        if horizon.until is not None:
            ends.setdefault("CloudTrail" if horizon.kind == "cloudtrail" else horizon.kind, []).append(horizon.until)
    spans = [
        f"{kind} to {iso(min(found))}" + (f" ... {iso(max(found))}" if min(found) != max(found) else "")
        for kind, found in sorted(ends.items())
    ]
    return "; ".join(spans) or "no complete hour of any source"
