"""What the exposure queries give, in the form the two axes work on."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from forensics.analysis.horizon import Horizon, Place
from forensics.analysis.ledger.copies import resolved
from forensics.analysis.ledger.register import Register
from forensics.analysis.ledger.values import Changes, Holdings
from forensics.model.case import Settings, Wrapping

if TYPE_CHECKING:
    from collections.abc import Callable

    from forensics.analysis.inventory.aliases import Aliases
    from forensics.analysis.keys import Key
    from forensics.analysis.usage import Series

Row = dict[str, Any]

#: Rows of these are acts on places of keys, in one shape.
_ACCESSES = (
    "exposure.location_reads",
    "exposure.runtime_reads",
    "exposure.object_reads",
    "exposure.vault_reads",
    "exposure.application_reads",
)
_MAX_CHAIN = 30

QUERIES = (
    "exposure.suspect_events",
    "exposure.location_reads",
    "exposure.batch_reads",
    "exposure.runtime_reads",
    "exposure.object_reads",
    "exposure.vault_reads",
    "exposure.application_reads",
    "exposure.store_copies",
    "exposure.snapshots_made",
    "exposure.wrapping_decrypts",
    "exposure.credential_parents",
    "exposure.region_services",
    "exposure.vault_hours",
    "exposure.store_changes",
    "exposure.logging_changes",
    "exposure.region_hours",
    "exposure.log_integrity",
    "exposure.usage_buckets",
    "exposure.provider_acts",
    "exposure.requests_from_tainted",
    "exposure.gateway_hours",
    "exposure.request_sources",
    "exposure.usage_days",
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
    register: Register = field(default_factory=Register)
    holdings: Holdings = field(default_factory=lambda: Holdings(()))
    changes_at: Changes = field(default_factory=lambda: Changes(()))
    copies: list[Row] = field(default_factory=list)
    snapshots: list[Row] = field(default_factory=list)
    wrapping_decrypts: list[Row] = field(default_factory=list)
    parents: dict[str, str] = field(default_factory=dict)
    services: set[tuple[str, str]] = field(default_factory=set)
    data_events: set[tuple[str, str]] = field(default_factory=set)
    vault_hours: list[int] = field(default_factory=list)
    region_lacks: dict[str, list[str]] = field(default_factory=dict)
    counted: dict[Wrapping, tuple[int, int]] = field(default_factory=dict)
    changes: list[Row] = field(default_factory=list)
    logging: list[Row] = field(default_factory=list)
    hours: dict[str, list[Row]] = field(default_factory=dict)
    integrity: list[Row] = field(default_factory=list)
    usage: dict[tuple[str, str], list[Row]] = field(default_factory=dict)
    acts: list[Row] = field(default_factory=list)
    tainted_requests: list[Row] = field(default_factory=list)
    gateway: list[Row] = field(default_factory=list)
    billed: dict[tuple[str, str], list[Row]] = field(default_factory=dict)
    estimated: dict[tuple[str, str], list[Row]] = field(default_factory=dict)
    model_calls: list[Row] = field(default_factory=list)
    logged_calls: list[Row] = field(default_factory=list)
    coverage: list[Row] = field(default_factory=list)
    trails: dict[Place, Horizon] = field(default_factory=dict)
    series: dict[tuple[str, str, str, str], Series | None] = field(default_factory=dict)
    _coverage: dict[tuple[str, str], list[Row]] | None = None

    usage_days: dict[tuple[str, str], list[Row]] = field(default_factory=dict)
    sources: list[Row] = field(default_factory=list)
    _found: dict[str, dict[str, list[Row]]] = field(default_factory=dict)

    def coverage_of(self, provider: str, owner: str) -> list[Row]:
        """Return what the exports of one owner prove of a provider, in their order."""
        if self._coverage is None:
            self._coverage = {}
            for row in self.coverage:
                self._coverage.setdefault((row["provider"], row["owner"] or ""), []).append(row)
        return self._coverage.get((provider, owner), [])

    def _by(self, name: str, rows: list[Row], *columns: str) -> dict[str, list[Row]]:
        """Return rows by what they name in some columns, indexed once."""
        if name not in self._found:
            index: defaultdict[str, list[Row]] = defaultdict(list)
            for row in rows:
                for value in sorted({row[c] for c in columns if row[c]}):
                    index[value].append(row)
            self._found[name] = dict(index)
        return self._found[name]

    def acts_on(self, key_id: str) -> list[Row]:
        """Return the provider's acts that name a key as actor or target, in order of time."""
        return self._by("acts", self.acts, "actor_key_id", "target_key_id").get(key_id, [])

    def acts_of(self, provider: str, customer: str) -> list[Row]:
        """Return the acts at a provider by a customer's own logs and those that nobody was named for."""
        if "provider" not in self._found:
            index: defaultdict[str, list[Row]] = defaultdict(list)
            for row in self.acts:
                index[f"{row['provider']}|{row['owner'] or ''}"].append(row)
            self._found["provider"] = dict(index)
        return [r for owner in {customer, ""} for r in self._found["provider"].get(f"{provider}|{owner}", [])]

    def gateway_of(self, key_id: str, alias: str) -> list[Row]:
        """Return hours of gateways, applications and the product for a key, or for its alias there."""
        index = self._by("gateway", self.gateway, "key_id", "key_name")
        return index.get(key_id, []) if not alias else [r for r in index.get(alias, []) if r["key_name"] == alias]

    def sources_named(self, names: set[str]) -> list[Row]:
        """Return addresses and agents of single requests that name a key or an alias of it."""
        index = self._by("sources", self.sources, "key_id", "key_name")
        return [row for name in sorted(names) for row in index.get(name, [])]

    def root_of(self, row: Row) -> str:
        """Return the independent root by which an act is the intruder's, "" when it is not held to be."""
        suspect = self.suspects.get(row["event_key"])
        return str((suspect or row).get("root") or "")

    def last_act(self) -> datetime | None:
        """Return the intruder's last successful act in AWS, or None."""
        acts = (r["event_time"] for r in self.suspects.values() if r.get("outcome") == "success")
        return max(acts, default=None)

    def chain(self, credential: str | None) -> list[str]:
        """Return a credential and those it was issued through, up to the first; empty for none."""
        out: list[str] = []
        while credential and credential not in out and len(out) < _MAX_CHAIN:
            out.append(credential)
            credential = self.parents.get(credential)
        return out

    def hold(self, keys: list[Key], names: Aliases | None = None) -> None:
        """Make known which keys are judged: what is at which place, which stores the copies were of, whom reads name."""
        self.holdings = Holdings(keys)
        self.counted.clear()
        copies = resolved(self.copies, self.snapshots, self.holdings.stores())
        self.register.hold(copies, sorted({(k.provider, k.key_id) for k in keys}), names)


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
) -> Facts:
    """Run the exposure queries through `run(query id)` and sort their rows by what they are about."""
    facts = Facts(settings, since, until, baseline_until, coverage=coverage)
    facts.suspects = {row["event_key"]: row for row in run("exposure.suspect_events")}
    _gather_accesses(facts, run)
    facts.changes = run("exposure.store_changes")
    facts.changes_at = Changes(facts.changes)
    facts.logging = run("exposure.logging_changes")
    hours: defaultdict[str, list[Row]] = defaultdict(list)
    for row in run("exposure.region_hours"):
        hours[row["region"]].append(row)
    facts.hours = dict(hours)
    facts.integrity = run("exposure.log_integrity")
    facts.usage = _by_key(run("exposure.usage_buckets"))
    facts.acts = run("exposure.provider_acts")
    facts.tainted_requests = run("exposure.requests_from_tainted")
    facts.gateway = run("exposure.gateway_hours")
    facts.billed = _by_key(run("exposure.billed_days"))
    facts.estimated = _by_key(run("exposure.estimated_days"))
    facts.model_calls = run("exposure.model_calls")
    facts.logged_calls = run("exposure.logged_calls")
    facts.sources = run("exposure.request_sources")
    facts.usage_days = _by_key(run("exposure.usage_days"))
    return facts


def _gather_accesses(facts: Facts, run: Callable[[str], list[Row]]) -> None:
    """Fill the register of acts on places, and what tells whether acts on a place could show."""
    for query_id in _ACCESSES:
        facts.register.add(run(query_id), query_id)
    facts.register.add_batches(run("exposure.batch_reads"))
    facts.copies = run("exposure.store_copies")
    facts.snapshots = run("exposure.snapshots_made")
    facts.wrapping_decrypts = [
        {**r, "query_id": "exposure.wrapping_decrypts"} for r in run("exposure.wrapping_decrypts")
    ]
    facts.parents = {r["credential_id"]: r["parent_credential_id"] for r in run("exposure.credential_parents")}
    services = run("exposure.region_services")
    facts.services = {(r["region"], r["event_source"]) for r in services}
    facts.data_events = {(r["region"], r["store"]) for r in services if r["is_data"] and r["store"]}
    facts.vault_hours = [r["hour"] for r in run("exposure.vault_hours")]


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
