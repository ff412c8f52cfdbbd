"""Values of the credential graph, and walks over it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

UNKNOWN = "unknown issuer of "
#: Longest chain that is followed: longer ones do not occur, and a cycle must end.
MAX_DEPTH = 60
_LAST = datetime.fromisoformat("9999-12-31")


class Confidence(StrEnum):
    """How sure an edge is: `exact` by an identifier in both records, `strong` by name and second, `medium` by name alone."""

    EXACT = "exact"
    STRONG = "strong"
    MEDIUM = "medium"
    AMBIGUOUS = "ambiguous"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Edge:
    """`child` came from `parent`. `rule` says why we think so, `method` by which call; `at` is naive UTC."""

    child: str
    parent: str
    rule: str
    method: str
    confidence: Confidence
    event_key: str | None = None
    at: datetime | None = None


@dataclass(slots=True)
class Node:
    """Something that acts: `kind` is credential, session, principal, service or unknown.

    `who`: ARN of user or session; `actor`: the principal behind it, such as the role. Counts are of CloudTrail records made with it; times are naive UTC.
    """

    name: str
    kind: str
    who: str = ""
    actor: str = ""
    session_name: str = ""
    source_identity: str = ""
    account_from_key_id: str = ""
    created: datetime | None = None
    first: datetime | None = None
    last: datetime | None = None
    events: int = 0
    denied: int = 0
    changes: int = 0
    addresses: tuple[str, ...] = ()


@dataclass(slots=True)
class CredentialGraph:
    """Nodes by name and edges both ways, in a total order."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    _up: dict[str, list[Edge]] = field(default_factory=dict)
    _down: dict[str, list[Edge]] = field(default_factory=dict)

    def link(self, edges: Iterable[Edge]) -> None:
        """Take edges in; their ends become nodes where they are none yet."""
        self.edges = sorted(
            {*self.edges, *edges}, key=lambda e: (e.child, e.at or _LAST, e.parent, e.rule, e.event_key or "")
        )
        up: defaultdict[str, list[Edge]] = defaultdict(list)
        down: defaultdict[str, list[Edge]] = defaultdict(list)
        for edge in self.edges:
            up[edge.child].append(edge)
            down[edge.parent].append(edge)
            for name in (edge.child, edge.parent):
                if name not in self.nodes:
                    self.nodes[name] = Node(name, kind_of(name), who=name if name.startswith("arn:") else "")
        self._up, self._down = (
            dict(up),
            {parent: sorted(found, key=lambda e: (e.at or _LAST, e.child)) for parent, found in down.items()},
        )

    def parents(self, name: str) -> list[Edge]:
        """Return the edges to what a node came from: one, none, or several where it is ambiguous."""
        return self._up.get(name, [])

    def children(self, name: str) -> list[Edge]:
        """Return the edges to what came from a node, oldest first."""
        return self._down.get(name, [])

    def chain(self, name: str) -> list[Edge]:
        """Return the edges from the root down to a node, along the first edge wherever there are several."""
        found: list[Edge] = []
        met = {name}
        while len(found) < MAX_DEPTH and self.parents(name):
            edge = self.parents(name)[0]
            if edge.parent in met:
                break
            found.append(edge)
            name = edge.parent
            met.add(name)
        return found[::-1]

    def below(self, name: str) -> Iterator[tuple[int, Edge]]:
        """Yield (depth from 1, edge) for all that came from a node, depth first; each node once."""
        met = {name}
        waiting = [(1, edge) for edge in reversed(self.children(name))]
        while waiting:
            depth, edge = waiting.pop()
            if edge.child in met or depth > MAX_DEPTH:
                continue
            met.add(edge.child)
            yield depth, edge
            waiting += [(depth + 1, further) for further in reversed(self.children(edge.child))]


def kind_of(name: str) -> str:
    """Return the kind of a node from its name."""
    if name.startswith(UNKNOWN):
        return "unknown"
    if " @ " in name:
        return "session"
    if name.startswith(("arn:", "root:", "user:")):
        return "principal"
    return "service" if name.startswith(("service ", "identity ")) else "credential"
