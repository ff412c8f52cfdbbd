"""The window, baseline and catalogue that every analysis of a case shares."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

from forensics.model.case import Settings
from forensics.model.errors import UsageFault
from forensics.queries.catalogue import Catalogue, load_catalogue
from forensics.queries.queryfile import EmptyStore
from forensics.queries.sound import known_sound
from forensics.resources import queries_folder
from forensics.store.schema import statements

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb


@dataclass(frozen=True, slots=True)
class Window:
    """Naive UTC bounds, end exclusive. `stated` tells whether a person set both; `assumed_t0` that none is stated."""

    since: datetime
    until: datetime
    baseline_until: datetime | None
    stated: bool
    assumed_t0: bool


#: No log of these systems is older, and none can be younger. A record's time is kept as it stands, but a window that
#: nobody stated has its ends in here: a single record of the year 9999 would else be its end.
FIRST_TIME, LAST_TIME = datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2100-01-01")
_SPAN = """
SELECT min(low) FILTER (WHERE low >= $first AND high < $last), max(high) FILTER (WHERE low >= $first AND high < $last),
  count(*) FILTER (WHERE low < $first OR high >= $last)
FROM (
  SELECT event_time AS low, event_time AS high FROM aws_event
  UNION ALL SELECT event_time, event_time FROM ai_audit_event
  UNION ALL SELECT event_time, event_time FROM ai_request
  UNION ALL SELECT bucket_start, bucket_end FROM ai_usage
  UNION ALL SELECT period_start, period_end FROM ai_cost)
"""


def _span(connection: duckdb.DuckDBPyConnection) -> tuple[datetime | None, datetime | None, int]:
    low, high, outside = connection.execute(_SPAN, {"first": FIRST_TIME, "last": LAST_TIME}).fetchall()[0]
    return low, high, outside


def outside_of_time(connection: duckdb.DuckDBPyConnection) -> int:
    """Return how many records tell a time before 2000 or from 2100 on: they lie in no window but a stated one."""
    return _span(connection)[2]


def window_of(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Window:
    """Return the window: as given, else as the settings state it, else all of the evidence from 2000 to 2099.

    Raises UsageFault when nothing was ingested that has a time.
    """
    low, high, _ = _span(connection)
    start, end = (
        since or settings.since or low,
        until or settings.until or (high + timedelta(seconds=1) if high else None),
    )
    if start is None or end is None:
        raise UsageFault("the case holds no record with a time", hint="ingest logs first: keytrail ingest CASE FOLDER")
    if start >= end:
        raise UsageFault(
            f"nothing lies in the window: {start.isoformat()}Z is not before {end.isoformat()}Z",
            hint="check --since, --until and [window]",
        )
    stated = bool((since or settings.since) and (until or settings.until))
    return Window(start, end, settings.baseline_until, stated, settings.t0 is None)


@lru_cache(maxsize=4)
def catalogue(folder: Path | None = None) -> Catalogue:
    """Return the query catalogue, its columns checked against an empty store. Raises QueryFault for any fault."""
    store = EmptyStore(statements())
    return load_catalogue(folder or queries_folder(), store=store, portable=False, sound=known_sound(store))


def catalogue_sha256(queries: Catalogue) -> str:
    """Return one hash over all query files."""
    return sha256("\n".join(f"{q.id} {q.sha256}" for q in queries).encode()).hexdigest()
