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


_SPAN = """
SELECT min(low), max(high) FROM (
  SELECT min(event_time) AS low, max(event_time) AS high FROM aws_event
  UNION ALL SELECT min(event_time), max(event_time) FROM ai_audit_event
  UNION ALL SELECT min(event_time), max(event_time) FROM ai_request
  UNION ALL SELECT min(bucket_start), max(bucket_end) FROM ai_usage
  UNION ALL SELECT min(period_start), max(period_end) FROM ai_cost)
"""


def window_of(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Window:
    """Return the window: as given, else as the settings state it, else all of the evidence.

    Raises UsageFault when nothing was ingested that has a time.
    """
    low, high = connection.execute(_SPAN).fetchall()[0]
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
    return load_catalogue(folder or queries_folder(), store=EmptyStore(statements()), portable=False)


def catalogue_sha256(queries: Catalogue) -> str:
    """Return one hash over all query files."""
    return sha256("\n".join(f"{q.id} {q.sha256}" for q in queries).encode()).hexdigest()
