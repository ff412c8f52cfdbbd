"""What the evidence could show at all: which log formats it holds, when, and the facts that queries need.

"No row" says nothing where the log was not supplied; here it is decided whether it does, and said in words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from forensics.model.clock import iso
from forensics.model.query import Query
from forensics.queries.binding import parameter_names
from forensics.queries.engine import QueryEngine
from forensics.queries.vocabulary import FACTS

_DAY = timedelta(days=1)
#: Days with the same finding that make it regular, as in the queries that know habits.
REGULAR_DAYS = 3

#: Records a day of each log format. Inventories have no time of their own: they count whatever the window.
_HOLDINGS = """
SELECT source_id,
       CAST(date_trunc('day', t) AS TIMESTAMP) AS day,
       count(*) AS records,
       count(*) FILTER (WHERE t >= $since AND t < $until OR timeless) AS in_window
FROM (
  SELECT source_id, event_time AS t, false AS timeless FROM aws_event
  UNION ALL SELECT source_id, bucket_start, false FROM ai_usage
  UNION ALL SELECT source_id, event_time, false FROM ai_request
  UNION ALL SELECT source_id, period_start, false FROM ai_cost
  UNION ALL SELECT source_id, event_time, false FROM ai_audit_event
  UNION ALL SELECT source_id, event_time, false FROM vault_event
  UNION ALL SELECT source_id, event_time, false FROM api_access
  UNION ALL SELECT source_id, event_time, false FROM other_event
  UNION ALL SELECT source_id, CAST(NULL AS TIMESTAMP), true FROM ai_key
  UNION ALL SELECT source_id, CAST(NULL AS TIMESTAMP), true FROM provider_key) AS records
GROUP BY 1, 2
ORDER BY 1 NULLS LAST, 2 NULLS LAST
"""

_AWS = "SELECT count(*) AS n FROM aws_event WHERE event_time >= $since AND event_time < $until"
_AUDIT = "SELECT count(*) AS n FROM ai_audit_event WHERE event_time >= $since AND event_time < $until"
#: One count a fact; a fact holds when it is not zero.
_COUNTS: dict[str, str] = {
    "aws_events": _AWS,
    "s3_data_events": f"{_AWS} AND event_source = 's3.amazonaws.com'"
    " AND (event_category = 'Data' OR coalesce(management_event, true) = false)",
    "kms_events": f"{_AWS} AND event_source = 'kms.amazonaws.com'",
    "bedrock_events": f"{_AWS} AND starts_with(event_source, 'bedrock')",
    "secrets_events": f"{_AWS} AND event_source IN ('secretsmanager.amazonaws.com', 'ssm.amazonaws.com')",
    "usage_by_key": "SELECT count(*) AS n FROM ai_usage"
    " WHERE key_id IS NOT NULL AND bucket_start >= $since AND bucket_start < $until",
    "costs": "SELECT count(*) AS n FROM ai_cost WHERE period_start >= $since AND period_start < $until",
    "openai_audit": f"{_AUDIT} AND provider = 'openai'",
    "anthropic_activity": f"{_AUDIT} AND provider = 'anthropic'",
    "request_addresses": "SELECT count(*) AS n FROM ai_request"
    " WHERE source_ip IS NOT NULL AND event_time >= $since AND event_time < $until",
    "key_inventory": "SELECT count(*) AS n FROM ai_key",
    "address_places": "SELECT count(*) AS n FROM address_fact WHERE fact = 'earth_x_km'",
    "address_lists": "SELECT count(*) AS n FROM address_source"
    " WHERE source_id IN ('reference_tor', 'reference_hosting') AND problem IS NULL",
    "own_accounts": "SELECT count(*) AS n FROM case_value WHERE kind = 'own_account'",
}
_TIMELESS = frozenset({"key_inventory", "own_accounts", "address_places", "address_lists"})


def fact_names() -> frozenset[str]:
    """Return the facts that can be asked; the query header knows the same."""
    return frozenset(_COUNTS)


@dataclass(frozen=True, slots=True)
class Fact:
    """Whether a fact about the evidence holds; `reason` says in words why it does not ("" when it does)."""

    name: str
    holds: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the evidence holds: records of each log format in the window, and its days with records."""

    since: datetime
    until: datetime
    in_window: dict[str, int]
    days: dict[str, dict[datetime, int]]

    def supplied(self, source: str) -> list[str]:
        """Return the formats held that count as `source`: itself and its variants `<source>_<form>`."""
        return [s for s in self.in_window if s == source or s.startswith(source + "_")]

    def missing(self, query: Query) -> list[str]:
        """Return the sources of `query` that the evidence does not hold, sorted."""
        return sorted(source for source in query.sources if not self.supplied(source))

    def records_searched(self, query: Query) -> int:
        """Return how many records of the query's sources lie in the window."""
        found = {s for source in query.sources for s in self.supplied(source)}
        return sum(self.in_window[s] for s in found)

    def why_unsearchable(self, query: Query) -> str:
        """Return in words why there is nothing to search for `query`, or "" when there is."""
        missing = self.missing(query)
        if query.sources and len(missing) == len(query.sources):
            return f"not supplied: {', '.join(missing)}"
        if query.sources and not self.records_searched(query):
            held = sorted(set(query.sources) - set(missing))
            return f"no record of {', '.join(held)} from {iso(self.since)} to {iso(self.until)}"
        return ""

    def days_searched(self, query: Query) -> set[date]:
        """Return the days of the window with records of the query's sources."""
        found = {s for source in query.sources for s in self.supplied(source)}
        first = self.since.date()
        return {day.date() for s in found for day in self.days.get(s, {}) if first <= day.date() and day < self.until}

    def knows_no_habits(self, query: Query, baseline_until: datetime | None) -> bool:
        """Whether too few days before the baseline's end hold records to know what is done day after day."""
        if baseline_until is None:
            return True
        found = {s for source in query.sources for s in self.supplied(source)}
        return len({day for s in found for day in self.days.get(s, {}) if day < baseline_until}) < REGULAR_DAYS

    def why_no_baseline(self, query: Query, baseline_until: datetime | None) -> str:
        """Return in words why `query` has no baseline, or "" when it has one (or needs none).

        Enough is: the first record lies `baseline_days` before the baseline's end, and at least half as many
        days hold records; one stray old record makes no baseline.
        """
        if not query.baseline_days:
            return ""
        if baseline_until is None:
            return "the time of first compromise (T0) is not stated, so nothing tells usual from new"
        found = {s for source in query.sources for s in self.supplied(source)}
        days = {day for s in found for day in self.days.get(s, {}) if day < baseline_until}
        reach = -((min(days) - baseline_until) // _DAY) if days else 0
        if reach >= query.baseline_days and 2 * len(days) >= query.baseline_days:
            return ""
        return (
            f"{len(days)} days with records within {reach} days before {iso(baseline_until)};"
            f" a baseline needs {query.baseline_days} days"
        )


def take_stock(engine: QueryEngine, since: datetime, until: datetime) -> Holdings:
    """Return what the evidence holds. The window is naive UTC, its end exclusive."""
    in_window: dict[str, int] = {}
    days: dict[str, dict[datetime, int]] = {}
    for source, day, records, inside in engine.run(_HOLDINGS, {"since": since, "until": until}).rows:
        name = source or ""
        in_window[name] = in_window.get(name, 0) + inside
        if day is not None:
            days.setdefault(name, {})[day] = records
    return Holdings(since, until, in_window, days)


def establish(engine: QueryEngine, names: Iterable[str], since: datetime, until: datetime) -> dict[str, Fact]:
    """Return the facts of these names; the window is naive UTC. Raises KeyError for an unknown name."""
    window = {"since": since, "until": until}
    facts = {}
    for name in sorted(set(names)):
        sql = _COUNTS[name]
        used = {p: window[p] for p in parameter_names(sql)}
        holds = engine.run(sql, used).rows[0][0] > 0
        span = "" if name in _TIMELESS else f" from {iso(since)} to {iso(until)}"
        facts[name] = Fact(name, holds, "" if holds else f"the evidence holds no {FACTS[name]}{span}")
    return facts
