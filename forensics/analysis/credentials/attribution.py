"""What an intrusion reaches: from what is known or gravely suspected, along the graph and along rare things in common.

An address, agent, session name or source identity joins two credentials only when few principals ever used it and none of
the others used it before; what is commoner is named and not followed. This is for reading and searching, never for
verdicts: those take what `analysis.lineage` derives.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from forensics.analysis.credentials.graph import UNKNOWN, CredentialGraph
from forensics.analysis.lineage import taints
from forensics.analysis.policy import DEFAULT
from forensics.model.case import Settings
from forensics.store.duckdb_engine import rows_of

if TYPE_CHECKING:
    import duckdb

_LEVELS = ("low", "medium", "high")
#: How much a thing in common says when it is rare.
_WEIGHT = {"source identity": 2, "address": 1, "session name": 0, "user agent": 0}
_HOPS = 8

_GRAVE = """
WITH rows AS (
  SELECT e.credential_id, e.actor, e.event_time, f.query_id, f.finding_id FROM finding_event AS e
  JOIN finding AS f ON f.finding_id = e.finding_id
  WHERE f.severity IN ('high', 'critical') AND f.state = 'finding' AND e.credential_id IS NOT NULL),
habits AS (
  SELECT query_id, actor FROM rows GROUP BY query_id, actor
  HAVING count(DISTINCT CAST(event_time AS DATE)) >= greatest(4,
    (SELECT (count(DISTINCT CAST(event_time AS DATE)) + 1) // 2 FROM aws_event)))
SELECT r.credential_id, min(r.event_time) AS since, min(r.finding_id) AS finding_id FROM rows AS r
LEFT JOIN habits AS h ON h.query_id = r.query_id AND h.actor IS NOT DISTINCT FROM r.actor
WHERE h.query_id IS NULL GROUP BY r.credential_id ORDER BY r.credential_id
"""
_FEATURES = """
WITH used AS (
  SELECT credential_id, actor, event_time, source_identity, session_name, user_agent, source_class,
         CASE WHEN invoked_by IS NULL THEN source_ip END AS source_ip,
         NOT EXISTS (SELECT 1 FROM case_network AS n WHERE n.kind = 'own_egress'
                     AND e.source_ip_key BETWEEN n.low AND n.high) AS outside
  FROM aws_event AS e WHERE credential_id IS NOT NULL AND invoked_by IS NULL)
SELECT kind, value, credential_id, min(actor) AS actor, min(event_time) AS first FROM (
  SELECT 'address' AS kind, source_ip AS value, credential_id, actor, event_time FROM used
  WHERE source_class = 'public' AND outside
  UNION ALL SELECT 'user agent', user_agent, credential_id, actor, event_time FROM used
  UNION ALL SELECT 'session name', session_name, credential_id, actor, event_time FROM used
  UNION ALL SELECT 'source identity', source_identity, credential_id, actor, event_time FROM used)
WHERE value IS NOT NULL AND value <> '' GROUP BY kind, value, credential_id ORDER BY kind, value, credential_id
"""


@dataclass(frozen=True, slots=True)
class Member:
    """A credential that the intrusion reaches. `confidence` is high, medium or low; `since` is naive UTC."""

    credential: str
    since: datetime
    method: str
    through: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Attribution:
    """Members in the order of time, and what they share that is too common to follow: (kind, value, principals)."""

    members: tuple[Member, ...]
    too_common: tuple[tuple[str, str, int], ...]

    def as_json(self) -> dict[str, Any]:
        """Return the documented JSON shape."""
        return {
            "members": [
                {"credential": m.credential, "since": m.since, "method": m.method, "through": m.through or None,
                 "confidence": m.confidence} for m in self.members
            ],
            "too_common": [{"kind": k, "value": v, "principals": n} for k, v, n in self.too_common],
        }  # fmt: skip


def attribution_of(connection: duckdb.DuckDBPyConnection, settings: Settings, graph: CredentialGraph) -> Attribution:
    """Return the credentials that the intrusion reaches; none when nothing is known and no finding is grave."""
    walk = _Walk(connection, graph)
    for taint in taints(connection, settings):
        if taint.kind == "credential" and taint.value in graph.nodes:
            how = "stated as known" if taint.method == "known" else f"{taint.method}: {taint.root}"
            walk.add(Member(taint.value, taint.since, how, taint.parent, "high"))
    if not walk.members:
        for row in rows_of(connection, _GRAVE):
            walk.add(Member(row["credential_id"], row["since"], "behind a grave finding", row["finding_id"], "medium"))
    walk.run()
    members = sorted(walk.members.values(), key=lambda m: (m.since, m.credential))
    return Attribution(tuple(members), tuple(sorted(walk.too_common)))


class _Walk:
    """Adds members until nothing new is reached."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, graph: CredentialGraph) -> None:
        self.graph = graph
        self.members: dict[str, Member] = {}
        self.too_common: set[tuple[str, str, int]] = set()
        self.users: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        self.features: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for row in rows_of(connection, _FEATURES):
            self.users[row["kind"], row["value"]].append(row)
            self.features[row["credential_id"]].append((row["kind"], row["value"]))

    def add(self, member: Member) -> None:
        """Keep a member unless it is one with as much confidence already."""
        held = self.members.get(member.credential)
        if held is None or _LEVELS.index(held.confidence) < _LEVELS.index(member.confidence):
            self.members[member.credential] = member

    def run(self) -> None:
        """Follow issued credentials and rare things in common, some hops far."""
        for _ in range(_HOPS):
            before = dict(self.members)
            for name in sorted(before):
                self._issued(before[name])
            self._shared()
            if self.members == before:
                return

    def _issued(self, member: Member) -> None:
        for edge in self.graph.children(member.credential):
            node = self.graph.nodes[edge.child]
            at = edge.at or node.first
            if node.kind != "credential" or at is None or at < member.since or edge.parent.startswith(UNKNOWN):
                continue
            sure = {"exact": 2, "strong": 2, "medium": 1}.get(edge.confidence, 0)
            level = _LEVELS[min(sure, _LEVELS.index(member.confidence))]
            self.add(Member(edge.child, at, edge.rule, member.credential, level))

    def _shared(self) -> None:
        """Two different rare things in common say more than one."""
        reached: defaultdict[str, dict[tuple[str, str], tuple[Member, dict[str, Any], int]]] = defaultdict(dict)
        for name in sorted(self.members):
            member = self.members[name]
            for feature in self.features.get(name, []):
                for row, principals in self._rare(feature, member):
                    reached[row["credential_id"]].setdefault(feature, (member, row, principals))
        for credential, found in sorted(reached.items()):
            best = max(found, key=lambda f: (_WEIGHT[f[0]], f))
            member, row, principals = found[best]
            weight = min(2, _WEIGHT[best[0]] + (1 if len({kind for kind, _ in found}) > 1 else 0))
            level = _LEVELS[min(weight, _LEVELS.index(member.confidence))]
            words = ", ".join(f"{kind} {value}" for kind, value in sorted(found))
            how = f"shares {words}, which {principals} principal{'s' if principals != 1 else ''} used"
            self.add(Member(credential, max(member.since, row["first"]), how, member.credential, level))

    def _rare(self, feature: tuple[str, str], member: Member) -> list[tuple[dict[str, Any], int]]:
        users = self.users[feature]
        own = next(row["first"] for row in users if row["credential_id"] == member.credential)
        if own is None or own < member.since:  # its rightful holder used it before
            return []
        principals = len({row["actor"] for row in users})
        if principals > DEFAULT.attribution_principals:
            self.too_common.add((*feature, principals))
            return []
        others = [row for row in users if row["credential_id"] not in self.members]
        if any(row["first"] is None or row["first"] < member.since for row in others):
            return []
        return [(row, principals) for row in others]
