"""View of the indicators: what was hit, what was searched in vain, what could not be searched or used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from forensics.analysis.indicators.report import HIT, NO_HIT, Outcome, faults_of, outcomes_of
from forensics.report.reading import CaseReading, Row

_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Vain:
    """Indicators of one kind without a hit. `searched`: values compared; 0 when the evidence has no field of the kind."""

    kind: str
    count: int
    searched: int
    first: datetime | None
    last: datetime | None
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Indicators:
    """`listed`: all indicators; `files`: file names with SHA-256 and counts."""

    listed: int
    hits: tuple[Outcome, ...]
    cut: int
    vain: tuple[Vain, ...]
    faults: tuple[Row, ...]
    files: tuple[Row, ...]


def read_indicators(case: CaseReading) -> Indicators:
    """Return what the last search gave."""
    files = case.rows(
        """SELECT file_name, file_sha256, count(*) AS n, max(tlp) AS tlp FROM indicator
           WHERE file_sha256 NOT IN (SELECT file_sha256 FROM withdrawal) GROUP BY file_name, file_sha256 ORDER BY file_name, file_sha256"""
    )
    found = case.with_connection(lambda connection: outcomes_of(connection, case.settings)) if files else []
    hits = [o for o in found if o.state == HIT]
    faults: Sequence[dict[str, Any]] = case.with_connection(faults_of)
    return Indicators(
        len(found), tuple(hits[:_SHOWN]), max(0, len(hits) - _SHOWN), _vain(found), tuple(faults[:_SHOWN]), tuple(files)
    )


def _vain(found: Sequence[Outcome]) -> tuple[Vain, ...]:
    out = []
    for kind in sorted({o.kind for o in found if o.state != HIT}):
        same = [o for o in found if o.kind == kind and o.state != HIT]
        one = same[0]
        examples = tuple(o.value for o in same[:5])
        searched = one.searched if one.state == NO_HIT else 0
        out.append(Vain(kind, len(same), searched, one.searched_from, one.searched_to, examples))
    return tuple(out)
