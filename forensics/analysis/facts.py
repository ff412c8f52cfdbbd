"""What the exposure queries give, in the form the two axes work on."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from forensics.analysis.horizon import Horizon, Place
from forensics.model.case import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

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
    usage: dict[tuple[str, str], list[Row]] = field(default_factory=dict)
    acts: list[Row] = field(default_factory=list)
    tainted_requests: list[Row] = field(default_factory=list)
    gateway: list[Row] = field(default_factory=list)
    billed: dict[tuple[str, str], list[Row]] = field(default_factory=dict)
    coverage: list[Row] = field(default_factory=list)
    trails: dict[Place, Horizon] = field(default_factory=dict)


def gather(
    run: Callable[[str], list[Row]],
    coverage: list[Row],
    settings: Settings,
    since: datetime,
    until: datetime,
    baseline_until: datetime | None,
) -> Facts:
    """Run the exposure queries through `run(query id)` and sort their rows by what they are about."""
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
    usage: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in run("exposure.usage_buckets"):
        usage[row["provider"], row["key_id"]].append(row)
    facts.usage = dict(usage)
    facts.acts = run("exposure.provider_acts")
    facts.tainted_requests = run("exposure.requests_from_tainted")
    facts.gateway = run("exposure.gateway_hours")
    billed: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in run("exposure.billed_days"):
        billed[row["provider"], row["key_id"]].append(row)
    facts.billed = dict(billed)
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
