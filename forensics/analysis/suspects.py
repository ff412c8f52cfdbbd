"""Suspects without settings: the credentials behind grave findings, and what they issued."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from forensics.analysis.findings import Finding
from forensics.model.outcome import State
from forensics.store.duckdb_engine import rows_of

if TYPE_CHECKING:
    import duckdb

_HABIT_DAYS = 4

_USE = """
SELECT coalesce(credential_id, actor) AS credential, min(actor) AS actor, min(session_name) AS session,
       min(event_time) AS first, max(event_time) AS last, split_part(max(strftime(event_time, '%Y%m%d%H%M%S') || ' ' || coalesce(event_id, event_key)), ' ', 2) AS last_id,
       arg_max(coalesce(account_id, ''), (event_time, event_key)) AS account
FROM aws_event WHERE coalesce(credential_id, actor) IN (SELECT unnest($values)) GROUP BY 1 ORDER BY 1
"""
_ISSUED = """
SELECT credential_id, parent_credential_id, principal, method, issued_at, event_key FROM credential
WHERE parent_credential_id IN (SELECT unnest($values)) AND issued_at >= $since ORDER BY issued_at, credential_id
"""


@dataclass(slots=True)
class Suspect:
    """A credential (or, without one, a principal) that findings point at; `account` is where its last act lies."""

    credential: str
    actor: str
    findings: set[str] = field(default_factory=set)
    rank: int = 0
    parent: str = ""
    first: datetime | None = None
    last: datetime | None = None
    account: str = ""
    session: str = ""
    events: list[str] = field(default_factory=list)


class Suspects:
    """Finds them once. `habits`: (query, actor) pairs that are routine, with their days; `all`: suspects by credential."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, findings: tuple[Finding, ...]) -> None:
        self.connection = connection
        self.findings = findings
        self.habits = self._habits()
        self.all = self._suspects()

    def _rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        return rows_of(self.connection, sql, values)

    def grave(self) -> list[Finding]:
        """Return findings that are high or critical, need no baseline and are no habit."""
        return [
            f
            for f in self.findings
            if f.severity.rank >= 3 and f.state == State.FINDING and (f.query_id, f.actor) not in self.habits
        ]

    def _habits(self) -> dict[tuple[str, str | None], int]:
        """Return (query, actor) pairs met on at least half of the days of the logs, four at least, with their days.

        Without a baseline this is what tells a service that reads secrets all day from somebody who came once.
        It is named on the screen, never dropped in silence.
        """
        covered = self.connection.execute("SELECT count(DISTINCT CAST(event_time AS DATE)) FROM aws_event").fetchall()[
            0
        ][0]
        days: defaultdict[tuple[str, str | None], set[Any]] = defaultdict(set)
        for finding in self.findings:
            days[finding.query_id, finding.actor] |= {e["event_time"].date() for e in finding.events if e["event_time"]}
        return {pair: len(met) for pair, met in days.items() if len(met) >= max(_HABIT_DAYS, -(-covered // 2))}

    def since(self) -> datetime:
        """Return the first act of a suspect."""
        starts = [s.first for s in self.all.values() if s.first]
        first_acts = [f.first_seen for f in self.grave() if f.first_seen and f.query_id.startswith("aws.")]
        return min(first_acts or starts, default=datetime(1970, 1, 1))  # noqa: DTZ001 - naive UTC

    def ordered(self) -> list[Suspect]:
        """Return suspects, what most findings point at and what issued others first."""
        parents = {s.parent for s in self.all.values()}
        return sorted(
            self.all.values(), key=lambda s: (-s.rank, -len(s.findings), s.credential not in parents, s.credential)
        )

    def _suspects(self) -> dict[str, Suspect]:
        """Return credentials behind grave findings in AWS, and what they issued, however deep."""
        out: dict[str, Suspect] = {}
        for finding in self.grave():
            if not finding.query_id.startswith("aws."):
                continue
            for row in finding.events:
                name = row["credential_id"] or row["actor"]
                if name:
                    suspect = out.setdefault(name, Suspect(name, row["actor"] or name))
                    suspect.findings.add(finding.query_id)
                    suspect.rank = max(suspect.rank, finding.severity.rank)
                    suspect.events.append(row["event_key"])
        since = min((f.first_seen for f in self.grave() if f.first_seen), default=datetime(1970, 1, 1))  # noqa: DTZ001 - naive UTC
        frontier = sorted(out)
        while frontier:
            issued = self._rows(_ISSUED, values=frontier, since=since)
            frontier = []
            for row in issued:
                if row["credential_id"] not in out:
                    out[row["credential_id"]] = Suspect(
                        row["credential_id"],
                        row["principal"] or "",
                        parent=row["parent_credential_id"] or "",
                        events=[row["event_key"]],
                    )
                    frontier.append(row["credential_id"])
        for row in self._rows(_USE, values=sorted(out)):
            suspect = out[row["credential"]]
            suspect.first, suspect.last, suspect.session = row["first"], row["last"], row["session"] or ""
            suspect.actor, suspect.account = row["actor"] or suspect.actor, row["account"]
            suspect.events.insert(0, row["last_id"])
        return out
