"""What `hunt` prints: groups of findings in order of severity, then what could not be evaluated."""

from __future__ import annotations

from collections import Counter
from typing import Any

from forensics.analysis.credentials.chains import NO_CREDENTIAL, Chains
from forensics.analysis.finding_groups import FindingGroup, groups_of, told
from forensics.analysis.hunt import HuntResult
from forensics.analysis.log_marks import counted, in_words
from forensics.cli.console import out, out_table, say
from forensics.model.outcome import State

#: Groups of a table. Those beyond are counted; JSON holds all.
GROUPS_SHOWN = 500
#: Signs of a line where it is no terminal's: an ARN and both times stay on few lines.
_WIDTH = 220
_COLUMNS = (
    *("severity", "confidence", "query", "principal", "resource", "session", "findings", "finding", "events"),
    *("first seen", "last seen", "state"),
)


def group_json(group: FindingGroup) -> dict[str, Any]:
    """Return a group as `hunt --json` gives it."""
    return {
        "query_id": group.query_id,
        "title": group.title,
        "severity": str(group.severity),
        "confidence": group.confidence,
        "state": str(group.state),
        "principal": group.principals[0] if len(group.principals) == 1 else None,
        "principals": list(group.principals),
        "resource": group.resources[0] if len(group.resources) == 1 else None,
        "resources": list(group.resources),
        "findings": len(group.findings),
        "without_baseline": group.without_baseline,
        "finding_ids": [f.finding_id for f in group.findings],
        "events": len(group.event_keys),
        "first_seen": group.first_seen,
        "last_seen": group.last_seen,
        "suppression": group.suppression,
    }


def _session(rows: list[dict[str, Any]]) -> str:
    """Return the session of most events, by name and credential, and how many others; its absence in words."""
    events: Counter[tuple[str, str]] = Counter()
    for row in rows:
        events[row["credential_id"], row["session_name"] or ""] += row["events"]
    if not events:
        return NO_CREDENTIAL
    credential, name = min(events, key=lambda each: (-events[each], each))
    return f"{name} {credential}".strip() + (f" and {len(events) - 1} more" if len(events) > 1 else "")


def _state(group: FindingGroup) -> str:
    if group.suppression is not None:
        return f"suppressed ({group.suppression})"
    some = 0 < group.without_baseline < len(group.findings)
    return f"finding, {group.without_baseline} without baseline" if some else str(group.state)


def _row(group: FindingGroup, marks: dict[str, str], chains: Chains) -> tuple[Any, ...]:
    first, more = group.findings[0].finding_id, len(group.findings) - 1
    return (
        str(group.severity),
        group.confidence,
        group.query_id,
        told(group.principals, "principals"),
        told(group.resources, "resources"),
        _session([row for f in group.findings for row in chains.get(f.finding_id, [])]),
        len(group.findings),
        f"{first} and {more} more" if more else first,
        len(group.event_keys),
        group.first_seen,
        group.last_seen,
        _state(group),
        *([in_words(counted(marks, group.event_keys))] if marks else []),
    )


def print_hunt(result: HuntResult, seconds: float, marks: dict[str, str], chains: Chains) -> None:
    """Print the groups, then to stderr what could not be evaluated and the counts.

    `marks` are the words of events once log files were checked, `chains` the credentials by finding.
    """
    groups = groups_of(result.findings)
    columns = (*_COLUMNS, *(["log files"] if marks else []))
    out_table(
        "", columns, [_row(g, marks, chains) for g in groups[:GROUPS_SHOWN]], right=frozenset({6, 8}), width=_WIDTH
    )
    out()
    if len(groups) > GROUPS_SHOWN:
        rest = groups[GROUPS_SHOWN:]
        lost = sum(len(g.findings) for g in rest)
        out(f"{len(rest)} further groups with {lost} findings, the least grave, are not shown: --json has all")
    for outcome in result.outcomes:
        if outcome.state in {State.NOT_EVALUABLE, State.NO_BASELINE, State.FAILED}:
            say(f"{outcome.state}: {outcome.query_id}: {outcome.reason}")
    failed = sum("failed" in counted(marks, f.event_keys) for f in result.findings)
    if failed:
        say(f"{failed} findings rest on a log file that failed its check: see `keytrail verify-logs`")
    if groups:
        say(
            f"{len(result.findings)} {'finding' if len(result.findings) == 1 else 'findings'} in {len(groups)}"
            f" {'group' if len(groups) == 1 else 'groups'} by query, principal and resource"
        )
    states = Counter(str(outcome.state) for outcome in result.outcomes)
    noun = "query" if len(result.outcomes) == 1 else "queries"
    say(f"{len(result.outcomes)} {noun} in {seconds} s: " + ", ".join(f"{n} {s}" for s, n in sorted(states.items())))
