"""Groups of findings: what one query says of the same principals and the same resource, read as one thing.

Each finding is in exactly one group, and findings stay as they are: a group only puts them together. The view
`finding_group` of the store groups the stored findings in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from forensics.analysis.findings import Finding
from forensics.model.outcome import State
from forensics.model.query import CONFIDENCES, Severity

#: Later than any time in a log: groups without a time come last among equals.
_NEVER = datetime.fromisoformat("9999-12-31")


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """Findings of one query with the same principals and the same resource, gravest first.

    `principals` are those of every finding. `resources` is empty, the one resource of every finding, or, where each
    finding has several, all of them. Findings that different suppressions fit are in different groups.
    """

    findings: tuple[Finding, ...]
    principals: tuple[str, ...]
    resources: tuple[str, ...]

    @property
    def query_id(self) -> str:
        """Return the query of all findings."""
        return self.findings[0].query_id

    @property
    def title(self) -> str:
        """Return the query's title."""
        return self.findings[0].title

    @property
    def severity(self) -> Severity:
        """Return the gravest severity."""
        return max((f.severity for f in self.findings), key=lambda s: s.rank)

    @property
    def confidence(self) -> str:
        """Return the highest confidence."""
        return max((f.confidence for f in self.findings), key=CONFIDENCES.index)

    @property
    def suppression(self) -> int | None:
        """Return the number of the suppression that fits all findings, None when there is none."""
        return self.findings[0].suppression

    @property
    def without_baseline(self) -> int:
        """Return how many of the findings had nothing to compare with."""
        return sum(f.state == State.NO_BASELINE for f in self.findings)

    @property
    def state(self) -> State:
        """Return no_baseline when all findings are, else finding."""
        return State.NO_BASELINE if self.without_baseline == len(self.findings) else State.FINDING

    @property
    def event_keys(self) -> frozenset[str]:
        """Return the events of all findings."""
        return frozenset(key for f in self.findings for key in f.event_keys)

    @property
    def first_seen(self) -> datetime | None:
        """Return the first time of all, None without any."""
        return min((f.first_seen for f in self.findings if f.first_seen is not None), default=None)

    @property
    def last_seen(self) -> datetime | None:
        """Return the last time of all, None without any."""
        return max((f.last_seen for f in self.findings if f.last_seen is not None), default=None)


def values_of(finding: Finding, column: str) -> tuple[str, ...]:
    """Return the values of a column among a finding's events, each once, in order."""
    return tuple(sorted({row[column] for row in finding.events if row[column] is not None}))


def groups_of(findings: Iterable[Finding]) -> tuple[FindingGroup, ...]:
    """Return the groups: suppressed ones last, then by severity, confidence, first time, query, principals and resources."""
    members: dict[tuple[str, int, tuple[str, ...], tuple[str, ...] | None], list[Finding]] = {}
    for finding in findings:
        resources = values_of(finding, "resource")
        key = (
            finding.query_id,
            -1 if finding.suppression is None else finding.suppression,
            values_of(finding, "actor"),
            None if len(resources) > 1 else resources,
        )
        members.setdefault(key, []).append(finding)
    groups = [
        FindingGroup(
            tuple(sorted(found, key=lambda f: (-f.severity.rank, f.first_seen or _NEVER, f.finding_key))),
            principals,
            tuple(sorted({r for f in found for r in values_of(f, "resource")})) if resources is None else resources,
        )
        for (_, _, principals, resources), found in members.items()
    ]
    return tuple(sorted(groups, key=_gravity))


def _gravity(group: FindingGroup) -> tuple[bool, int, int, datetime, str, str, str, int]:
    return (
        group.suppression is not None,
        -group.severity.rank,
        -CONFIDENCES.index(group.confidence),
        group.first_seen or _NEVER,
        group.query_id,
        _text(group.principals),
        _text(group.resources),
        group.suppression or 0,
    )


def _text(values: tuple[str, ...]) -> str:
    """Return the values as the view of the store holds them, and orders by."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def told(values: tuple[str, ...], noun: str) -> str | None:
    """Return the one value, else how many there are (`3 resources`), None without any."""
    return (values[0] if len(values) == 1 else f"{len(values)} {noun}") if values else None
