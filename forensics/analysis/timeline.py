"""The timeline: one row per thing that happened, over all sources, in a total order."""

from __future__ import annotations

from forensics.analysis.context import Window
from forensics.model.outcome import CanonicalRows
from forensics.model.query import Query
from forensics.queries.binding import bind
from forensics.store.duckdb_engine import DuckDBEngine


def timeline_rows(engine: DuckDBEngine, query: Query, window: Window) -> CanonicalRows:
    """Return the rows of a timeline query over the window."""
    return engine.run(
        query.sql, bind(query, since=window.since, until=window.until, baseline_until=window.baseline_until)
    )
