"""What is done day after day from the first day of the evidence on: without earlier records, nobody can call it new.

With a baseline each query knows the habits itself. Without one, what an application does every night looks like a burst
every night. Such findings stay listed, as `no_baseline` and with low severity. What happens once or twice, what begins
later, and all in evidence of a few days keeps its severity: that may well be the intrusion.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from forensics.analysis.evaluable import REGULAR_DAYS
from forensics.analysis.findings import Finding
from forensics.model.outcome import State
from forensics.model.query import Severity

#: In fewer days of records nothing is regular.
LEAST_DAYS = 5


def without_regular(findings: Iterable[Finding], days: set[date]) -> list[Finding]:
    """Return the findings of one query; those of an actor who has them regularly as `no_baseline` with low severity.

    Regular is what comes on REGULAR_DAYS and half of the days, the first among them. `days`: the days of the window with records. Nobody knows who acted where a finding names no actor: it stays as it is.
    """
    found = list(findings)
    if len(days) < LEAST_DAYS:
        return found
    active: defaultdict[str, set[date]] = defaultdict(set)
    for finding in found:
        if finding.actor is not None:
            active[finding.actor] |= {
                row["event_time"].date() for row in finding.events if row["event_time"] is not None
            }
    first = min(days)
    regular = {
        actor
        for actor, seen in active.items()
        if first in seen and len(seen) >= REGULAR_DAYS and 2 * len(seen) >= len(days)
    }
    return [
        replace(f, state=State.NO_BASELINE, severity=min(f.severity, Severity.LOW, key=lambda s: s.rank))
        if f.actor in regular
        else f
        for f in found
    ]
