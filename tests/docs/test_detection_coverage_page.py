"""docs/detection-coverage.md names queries that exist, leaves no behaviour of tiers 1 and 2 out and no detection over."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from forensics.analysis.context import catalogue
from forensics.model.query import QueryKind
from tests.paths import REPOSITORY

PAGE = REPOSITORY / "docs" / "detection-coverage.md"
_ROW = re.compile(r"\| `([a-z]{2}-[a-z0-9-]+)` \| ([123]) \| ([^|]+) \| ([^|]+) \|")

#: How many behaviours of tier 1 and of tier 2 a group has: a row that is lost is missed.
SIZES = {
    "initial-access": (9, 6),
    "execution": (3, 3),
    "persistence": (8, 7),
    "privilege-escalation": (3, 4),
    "defense-evasion": (6, 7),
    "credential-access": (2, 2),
    "discovery": (4, 5),
    "lateral-movement": (0, 2),
    "collection": (0, 2),
    "exfiltration": (2, 2),
    "impact": (1, 4),
    "secret-exposure": (11, 3),
    "ai-abuse": (19, 3),
    "correlation": (11, 3),
    "ioc": (2, 0),
    "timeline-summary": (11, 1),
}
#: Behaviours of tiers 1 and 2 that nothing finds; the page says why.
NOT_FOUND: set[str] = set()


@dataclass(frozen=True)
class Row:
    """One behaviour of the page."""

    group: str
    id: str
    tier: int
    queries: tuple[str, ...]


def rows() -> list[Row]:
    """Return the rows of the page's tables, in their order."""
    found, group = [], ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            group = line[3:]
        elif line.startswith("| `"):
            match = _ROW.fullmatch(line)
            assert match, line
            found.append(Row(group, match[1], int(match[2]), tuple(re.findall(r"`([^`]+)`", match[4]))))
    return found


def test_every_query_named_exists():
    known = {query.id for query in catalogue()}
    assert {query for row in rows() for query in row.queries} <= known


def test_every_behaviour_of_tiers_1_and_2_names_a_query():
    assert {row.id for row in rows() if row.tier < 3 and not row.queries} == NOT_FOUND


def test_no_behaviour_is_lost_or_twice():
    assert [i for i, n in Counter(row.id for row in rows()).items() if n > 1] == []
    counted = Counter((row.group, row.tier) for row in rows())
    assert {group: (counted[group, 1], counted[group, 2]) for group in {row.group for row in rows()}} == SIZES
    assert sum(map(sum, SIZES.values())) == 146


def test_every_detection_stands_in_a_row():
    named = {query for row in rows() for query in row.queries}
    assert sorted(q.id for q in catalogue() if q.kind == QueryKind.DETECTION and q.id not in named) == []
