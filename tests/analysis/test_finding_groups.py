"""Findings put together by query, principal and resource: none is lost, and what a group says is true of its findings."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from forensics.analysis.finding_groups import groups_of, told
from forensics.analysis.findings import Finding, finding_event_rows, finding_row
from forensics.model.outcome import State
from forensics.model.query import Severity
from forensics.store.eventstore import EventStore
from tests.stores import new_store

START = datetime.fromisoformat("2026-05-05T03:00:00")


def finding(number: int, *events: tuple[str | None, str | None], **more: Any) -> Finding:
    """A finding whose events are (principal, resource), a minute apart from its number's hour on."""
    first = START + timedelta(hours=number)
    rows = tuple(
        {
            **dict.fromkeys(("action", "source_ip", "credential_id", "account_id", "region", "outcome", "evidence")),
            "finding_key": f"k{number}",
            "event_key": f"e{number}-{n}",
            "event_time": first + timedelta(minutes=n),
            "actor": actor,
            "resource": resource,
        }
        for n, (actor, resource) in enumerate(events)
    )
    values = {
        "finding_id": f"F-{number}",
        "query_id": "aws.tried",
        "finding_key": f"k{number}",
        "severity": Severity.MEDIUM,
        "confidence": "medium",
        "title": "Tried",
        "first_seen": first,
        "last_seen": rows[-1]["event_time"],
        "actor": events[0][0],
        "resource_count": len({r for _, r in events if r}),
        "state": State.FINDING,
        "event_keys": tuple(row["event_key"] for row in rows),
        "events": rows,
    }
    return Finding(**values | more)


def shown(*findings: Finding) -> list[tuple[str | None, str | None, list[str]]]:
    return [
        (told(g.principals, "principals"), told(g.resources, "resources"), [f.finding_id for f in g.findings])
        for g in groups_of(findings)
    ]


def test_one_principal_and_one_resource_are_one_group_whatever_the_finding_key():
    assert shown(finding(1, ("wren", "a")), finding(2, ("wren", "b")), finding(3, ("wren", "a"), ("wren", "a"))) == [
        ("wren", "a", ["F-1", "F-3"]),
        ("wren", "b", ["F-2"]),
    ]


def test_findings_of_several_resources_each_are_one_group_that_counts_them():
    assert shown(
        finding(1, ("wren", "a"), ("wren", "b")), finding(2, ("wren", "b"), ("wren", "c"), ("wren", None))
    ) == [("wren", "3 resources", ["F-1", "F-2"])]


def test_other_principals_are_another_group():
    both = finding(1, ("wren", "a"), ("heron", "a"))
    assert shown(
        both, finding(2, ("wren", "a")), finding(3, (None, None)), finding(4, ("heron", "a"), ("wren", "a"))
    ) == [
        ("2 principals", "a", ["F-1", "F-4"]),
        ("wren", "a", ["F-2"]),
        (None, None, ["F-3"]),
    ]


def test_another_query_or_a_suppression_is_another_group_and_the_suppressed_stand_last():
    groups = groups_of(
        [
            finding(1, ("wren", "a"), suppression=4, severity=Severity.CRITICAL),
            finding(2, ("wren", "a")),
            finding(3, ("wren", "a"), query_id="aws.done"),
        ]
    )
    assert [(g.query_id, g.suppression) for g in groups] == [("aws.tried", None), ("aws.done", None), ("aws.tried", 4)]


def test_the_gravest_severity_the_whole_time_and_what_has_no_baseline():
    low = finding(1, ("wren", "a"), severity=Severity.LOW, state=State.NO_BASELINE)
    (group,) = groups_of([low, finding(2, ("wren", "a"), ("wren", "a"), severity=Severity.HIGH)])
    assert (group.severity, group.state, group.without_baseline) == (Severity.HIGH, State.FINDING, 1)
    assert [f.finding_id for f in group.findings] == ["F-2", "F-1"]
    assert (group.first_seen, group.last_seen) == (START + timedelta(hours=1), START + timedelta(hours=2, minutes=1))
    assert len(group.event_keys) == 3
    assert groups_of([low])[0].state == State.NO_BASELINE


def test_groups_come_by_severity_then_confidence_then_time():
    found = [
        finding(1, ("a", "x"), severity=Severity.LOW, confidence="high"),
        finding(2, ("b", "x"), severity=Severity.HIGH, confidence="low"),
        finding(4, ("c", "x"), severity=Severity.HIGH, confidence="high"),
        finding(3, ("d", "x"), severity=Severity.HIGH, confidence="high"),
    ]
    assert [g.principals for g in groups_of(found)] == [("d",), ("c",), ("b",), ("a",)]
    assert groups_of(reversed(found)) == groups_of(found)


def test_the_view_of_the_store_groups_in_the_same_way():
    found = [
        finding(1, ("wren", "a"), ("wren", "b")),
        finding(2, ("wren", "c"), ("wren", "b"), severity=Severity.LOW, state=State.NO_BASELINE),
        finding(3, ("wren", "a"), suppression=1),
        finding(4, ("heron", "a"), ("wren", "a"), confidence="high"),
        finding(5, (None, None)),
        finding(6, ('"quoted", "heron"', "none")),
        finding(7, ('"quoted", "heron"', None)),
        finding(8, ("wren", "several")),
    ]
    connection = new_store()
    store = EventStore(connection)
    store.insert("finding", [finding_row(f) for f in found])
    store.insert("finding_event", [row for f in found for row in finding_event_rows(f)])
    rows = connection.execute(
        "SELECT query_id, severity, confidence, state, CAST(principals AS VARCHAR[]), CAST(resources AS VARCHAR[]), findings,"
        " without_baseline, events, first_seen, last_seen, suppression FROM finding_group ORDER BY place"
    ).fetchall()
    connection.close()
    assert rows == [
        (
            *(g.query_id, str(g.severity), g.confidence, str(g.state), list(g.principals), list(g.resources)),
            *(len(g.findings), g.without_baseline, len(g.event_keys), g.first_seen, g.last_seen, g.suppression),
        )
        for g in groups_of(found)
    ]
    assert sum(row[6] for row in rows) == len(found)
