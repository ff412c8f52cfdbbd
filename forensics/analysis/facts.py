"""What the exposure queries give, in the form the two axes work on."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from forensics.analysis.horizon import Horizon, Place
from forensics.model.case import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Row = dict[str, Any]

QUERIES = (
    "exposure.suspect_events",
    "exposure.location_reads",
    "exposure.store_changes",
    "exposure.logging_changes",
    "exposure.region_hours",
    "exposure.log_integrity",
    "exposure.usage_buckets",
    "exposure.provider_acts",
    "exposure.requests_from_tainted",
    "exposure.gateway_hours",
    "exposure.billed_days",
    "exposure.estimated_days",
    "exposure.model_calls",
    "exposure.logged_calls",
)


@dataclass(slots=True)
class Facts:
    """All rows the verdicts rest on, by query. `since` and `until` are the window; naive UTC.

    `trails`: how far CloudTrail reaches, by account and region.
    """

    settings: Settings
    since: datetime
    until: datetime
    baseline_until: datetime | None
    suspects: dict[str, Row] = field(default_factory=dict)
    reads: list[Row] = field(default_factory=list)
    changes: list[Row] = field(default_factory=list)
    logging: list[Row] = field(default_factory=list)
    hours: dict[str, list[Row]] = field(default_factory=dict)
    integrity: list[Row] = field(default_factory=list)
    usage: Mapping[tuple[str, str], list[Row]] = field(default_factory=dict)
    acts: list[Row] = field(default_factory=list)
    tainted_requests: list[Row] = field(default_factory=list)
    gateway: list[Row] = field(default_factory=list)
    billed: dict[tuple[str, str], list[Row]] = field(default_factory=dict)
    estimated: dict[tuple[str, str], list[Row]] = field(default_factory=dict)
    model_calls: list[Row] = field(default_factory=list)
    logged_calls: list[Row] = field(default_factory=list)
    coverage: list[Row] = field(default_factory=list)
    trails: dict[Place, Horizon] = field(default_factory=dict)
    _coverage: dict[tuple[str, str], list[Row]] | None = None

    def coverage_of(self, provider: str, owner: str) -> list[Row]:
        """Return what the exports of one owner prove of a provider, in their order."""
        if self._coverage is None:
            self._coverage = {}
            for row in self.coverage:
                self._coverage.setdefault((row["provider"], row["owner"] or ""), []).append(row)
        return self._coverage.get((provider, owner), [])


def _by_key(rows: list[Row]) -> dict[tuple[str, str], list[Row]]:
    found: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        found[row["provider"], row["key_id"]].append(row)
    return dict(found)


def gather(
    run: Callable[[str], list[Row]],
    coverage: list[Row],
    settings: Settings,
    since: datetime,
    until: datetime,
    baseline_until: datetime | None,
    usage: Mapping[tuple[str, str], list[Row]] | None = None,
) -> Facts:
    """Run the exposure queries through `run(query id)` and sort their rows by what they are about.

    `usage` are the rows of exposure.usage_buckets by provider and key id, where they were read apart.
    """
    facts = Facts(settings, since, until, baseline_until, coverage=coverage)
    facts.suspects = {row["event_key"]: row for row in run("exposure.suspect_events")}
    facts.reads = run("exposure.location_reads")
    facts.changes = run("exposure.store_changes")
    facts.logging = run("exposure.logging_changes")
    hours: defaultdict[str, list[Row]] = defaultdict(list)
    for row in run("exposure.region_hours"):
        hours[row["region"]].append(row)
    facts.hours = dict(hours)
    facts.integrity = run("exposure.log_integrity")
    facts.usage = usage if usage is not None else _by_key(run("exposure.usage_buckets"))
    facts.acts = run("exposure.provider_acts")
    facts.tainted_requests = run("exposure.requests_from_tainted")
    facts.gateway = run("exposure.gateway_hours")
    facts.billed = _by_key(run("exposure.billed_days"))
    facts.estimated = _by_key(run("exposure.estimated_days"))
    facts.model_calls = run("exposure.model_calls")
    facts.logged_calls = run("exposure.logged_calls")
    return facts


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an axis says what it says. `root` names what it independently rests on; reasons of one root count once."""

    axis: str
    text: str
    root: str
    query_id: str
    event_keys: tuple[str, ...] = ()

    def as_json(self) -> Row:
        """Return it for `exposure --json`."""
        return {
            "axis": self.axis,
            "text": self.text,
            "root": self.root,
            "query_id": self.query_id,
            "event_keys": list(self.event_keys),
        }


@dataclass(frozen=True, slots=True)
class Alternative:
    """An innocent explanation: whether it could be tested with this evidence, and what came out."""

    text: str
    tested: bool
    result: str

    def as_json(self) -> Row:
        """Return it for `exposure --json`."""
        return {"text": self.text, "tested": self.tested, "result": self.result}


def times(number: int) -> str:
    """Return "once" or "N times"."""
    return "once" if number == 1 else f"{number} times"
