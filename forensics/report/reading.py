"""Read the store for the report: rows as dictionaries, and what several sections share."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

from forensics.analysis.context import FIRST_TIME, LAST_TIME
from forensics.analysis.coverage import Coverage, coverage_of
from forensics.analysis.credentials.attribution import Attribution, attribution_of
from forensics.analysis.credentials.rules import graph_of
from forensics.analysis.horizon import horizons_of, reach_words
from forensics.analysis.owners import InferredOwner, inferred_owners
from forensics.analysis.questions import Question, questions_of
from forensics.model.case import Settings
from forensics.model.query import Query
from forensics.report import words
from forensics.store.duckdb_engine import rows_of

Row = dict[str, Any]
_SPAN = "SELECT min(event_time) AS a, max(event_time) AS b FROM activity WHERE event_time >= ? AND event_time < ?"
T = TypeVar("T")
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where a record stands: exhibit (for people), record number from 0, SHA-256 of the content."""

    exhibit: str
    record: str
    sha256: str


class CaseReading:
    """A locked, read-only connection with the settings and the queries of the case. It never writes."""

    def __init__(self, connection: Any, settings: Settings, queries: Sequence[Query]) -> None:
        self._connection = connection
        self.settings = settings
        self.queries = {query.id: query for query in sorted(queries, key=lambda q: q.id)}
        self._anchors: dict[str, str] = {}

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Run one SELECT with bound values and return its rows."""
        return rows_of(self._connection, sql, parameters)

    @cached_property
    def inferred_owners(self) -> dict[int, InferredOwner]:
        """What can be said of the owners of unassigned files, by receipt id."""
        return inferred_owners(self._connection)

    @cached_property
    def coverage(self) -> Coverage | None:
        """What the evidence covers against what should exist; None without a window."""
        return coverage_of(self._connection, self.settings, *self.window) if self.window else None

    @cached_property
    def reach(self) -> str:
        """How far the sources reach: as of when sightings hold; empty without a window."""
        return reach_words(horizons_of(self._connection, *self.window)) if self.window else ""

    @cached_property
    def questions(self) -> list[Question]:
        """Every question with what the evidence lacks for it."""
        return questions_of(self._connection, self.settings, self.coverage) if self.coverage else []

    @cached_property
    def attribution(self) -> Attribution:
        """What the intrusion reaches in the graph of credentials."""
        return attribution_of(self._connection, self.settings, graph_of(self._connection))

    def with_connection(self, work: Callable[[Any], T]) -> T:
        """Return what `work` makes of the read-only connection."""
        return work(self._connection)

    def value(self, sql: str, parameters: Sequence[object] = ()) -> Any:
        """Return the first cell of a SELECT, None without rows."""
        rows = self.rows(sql, parameters)
        return next(iter(rows[0].values())) if rows else None

    @cached_property
    def window(self) -> tuple[datetime, datetime] | None:
        """First inclusive and last exclusive moment of the case: as stated, else what the evidence from 2000 to 2099 spans."""
        first, last = self.settings.since, self.settings.until
        if first is None or last is None:
            row = self.rows(_SPAN, [FIRST_TIME, LAST_TIME])[0]
            if row["a"] is None:
                return (first, last) if first and last else None
            first = first or row["a"]
            last = last or row["b"] + timedelta(microseconds=1)
        return (first, last) if first < last else None

    @cached_property
    def hours(self) -> int:
        """Hours that the window touches."""
        return len(hour_numbers(*self.window)) if self.window else 0

    @cached_property
    def exhibits(self) -> dict[str, str]:
        """Exhibit number by content SHA-256 (the smallest where two received files hold the same content)."""
        rows = self.rows(
            "SELECT c, min(e) AS e FROM (SELECT content_sha256 AS c, exhibit AS e FROM evidence_file"
            " WHERE content_sha256 IS NOT NULL UNION ALL SELECT o.content_sha256, f.exhibit FROM occurrence AS o"
            " JOIN evidence_file AS f USING (file_sha256) WHERE o.member_path <> '') GROUP BY c"
        )
        return {row["c"]: row["e"] for row in rows}

    @cached_property
    def hours_by_source(self) -> dict[str, frozenset[int]]:
        """Hours (since 1970) of the window with at least one record, by log format; a bucket counts for all its hours."""
        if not self.window:
            return {}
        rows = self.rows(_HOURS)
        inside = hour_numbers(*self.window)
        found: dict[str, set[int]] = {}
        for row in rows:
            first, last = max(row["first"], inside[0]), min(row["last"], inside[-1])
            found.setdefault(row["source_id"], set()).update(range(first, last + 1))
        return {name: frozenset(hours) for name, hours in sorted(found.items())}

    def query_anchor(self, query_id: str) -> str:
        """Return the anchor of a query in the appendix; empty for one that did not run, which has no place there."""
        if not self._anchors:
            ran = {row["query_id"] or "" for row in self.rows("SELECT DISTINCT query_id FROM query_run")}
            self._anchors = {name: f"q-{n}" for n, name in enumerate(sorted(ran), start=1)}
        return self._anchors.get(query_id, "")

    def pointer(self, evidence: str | None) -> Pointer:
        """Return where the record of an `evidence` text (`<content SHA-256>#<number>`) stands."""
        content, _, record = (evidence or "").partition("#")
        plain = record.lstrip("0") or "0"
        return Pointer(self.exhibits.get(content, ""), plain if record.isdigit() else record, content)


_HOURS = """
SELECT source_id, first, last FROM (
  SELECT source_id, epoch(date_trunc('hour', event_time))::BIGINT // 3600 AS first, first AS last FROM aws_event WHERE event_time IS NOT NULL
  UNION ALL SELECT source_id, epoch(date_trunc('hour', event_time))::BIGINT // 3600, epoch(date_trunc('hour', event_time))::BIGINT // 3600
    FROM ai_audit_event WHERE event_time IS NOT NULL
  UNION ALL SELECT source_id, epoch(date_trunc('hour', event_time))::BIGINT // 3600, epoch(date_trunc('hour', event_time))::BIGINT // 3600
    FROM ai_request WHERE event_time IS NOT NULL
  UNION ALL SELECT source_id, epoch(bucket_start)::BIGINT // 3600, (epoch(bucket_end)::BIGINT - 1) // 3600
    FROM ai_usage_current WHERE bucket_start IS NOT NULL AND bucket_end > bucket_start
  UNION ALL SELECT source_id, epoch(period_start)::BIGINT // 3600, (epoch(period_end)::BIGINT - 1) // 3600
    FROM ai_cost_current WHERE period_start IS NOT NULL AND period_end > period_start)
GROUP BY source_id, first, last ORDER BY source_id, first, last
"""


def epoch(moment: datetime) -> int:
    """Return whole seconds since 1970 of a naive UTC time, rounded down."""
    return int((moment - datetime(1970, 1, 1)) // timedelta(seconds=1))  # noqa: DTZ001 - naive UTC throughout


def hour_numbers(since: datetime, until: datetime) -> range:
    """Return the hours (since 1970) that a stretch touches; its end is exclusive."""
    return range(epoch(since) // 3600, (epoch(until - timedelta(microseconds=1))) // 3600 + 1)


def from_hour(hour: int) -> datetime:
    """Return the start of an hour counted since 1970, naive UTC."""
    return datetime.fromtimestamp(hour * 3600, UTC).replace(tzinfo=None)


def read_json(text: object, default: Any) -> Any:
    """Return parsed JSON of the type of `default`, else `default`."""
    try:
        value = json.loads(text) if isinstance(text, str) else default
    except ValueError:
        return default
    return value if isinstance(value, type(default)) else default


def read_time(value: object) -> datetime | None:
    """Return a naive UTC time from a text such as `2026-05-05T02:11:00Z`, else None."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return read_time(moment) if moment else None


def texts(value: object) -> tuple[str, ...]:
    """Return the members of a JSON list as texts; empty for anything else."""
    return (
        tuple(v if isinstance(v, str) else json.dumps(v, sort_keys=True) for v in value)
        if isinstance(value, list)
        else ()
    )


def stretch_words(first: int, last: int) -> str:
    """Return a run of hours in words: `4 May 2026, 02:00 UTC to 5 May 2026, 00:00 UTC`."""
    return f"{words.spoken(from_hour(first))} to {words.spoken(from_hour(last + 1))}"
