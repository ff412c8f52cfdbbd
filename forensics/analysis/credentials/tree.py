"""Trees of the credential graph: what a person asks for by key, ARN, address, session name or event, up and down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forensics.analysis.credentials.graph import CredentialGraph, Edge
from forensics.model.address import read_address
from forensics.model.errors import UsageFault
from forensics.store.duckdb_engine import rows_of

if TYPE_CHECKING:
    import duckdb

_OF_EVENT = """
SELECT DISTINCT coalesce(credential_id, actor_arn, actor) AS name FROM aws_event
WHERE event_key = $text OR event_id = $text ORDER BY name
"""
_OF_ADDRESS = """
SELECT DISTINCT coalesce(credential_id, actor_arn, actor) AS name FROM aws_event
WHERE source_ip = $text ORDER BY name
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a tree. `depth` is 0 for what was asked for, below zero for its ancestors; `edge` says where it is from."""

    depth: int
    name: str
    edge: Edge | None


def starts_of(connection: duckdb.DuckDBPyConnection, graph: CredentialGraph, text: str) -> list[str]:
    """Return the nodes that `text` means: key id, ARN, address, session name, source identity, event key or event id.

    Raises UsageFault when nothing of that name acted.
    """
    found = {
        n.name for n in graph.nodes.values() if text in {n.name, n.who, n.actor, n.session_name, n.source_identity}
    }
    found |= {n.name for n in graph.nodes.values() if n.kind == "session" and n.name.startswith(f"{text} @ ")}
    address = read_address(text).text
    if not found and address:
        found |= {row["name"] for row in rows_of(connection, _OF_ADDRESS, {"text": address})}
    if not found:
        found |= {row["name"] for row in rows_of(connection, _OF_EVENT, {"text": text})}
    known = sorted(name for name in found if name in graph.nodes)
    if not known:
        raise UsageFault(
            f"nothing in CloudTrail acted as {text!r}",
            hint="give a key id, an ARN, an address, a session name, or the key or id of an event",
        )
    covered = {edge.child for name in known for _, edge in graph.below(name)}
    return [name for name in known if name not in covered] or known


def tree_of(graph: CredentialGraph, start: str) -> list[Line]:
    """Return the lines from the root down to `start` and on to all that came from it."""
    chain = graph.chain(start)
    lines = []
    if chain:
        lines.append(Line(-len(chain), chain[0].parent, None))
        lines += [Line(n - len(chain), edge.child, edge) for n, edge in enumerate(chain, 1)]
    else:
        lines.append(Line(0, start, None))
    lines += [Line(depth, edge.child, edge) for depth, edge in graph.below(start)]
    return lines


def lineage_json(graph: CredentialGraph, starts: list[str]) -> dict[str, Any]:
    """Return the documented JSON shape: what was asked for, and the nodes and edges of its trees."""
    edges: dict[Edge, None] = {}
    names = dict.fromkeys(starts)
    for start in starts:
        for edge in [*_ancestry(graph, start), *(edge for _, edge in graph.below(start))]:
            edges.setdefault(edge)
            names |= {edge.parent: None, edge.child: None}
    return {
        "start": starts,
        "nodes": [node_json(graph, name) for name in sorted(names)],
        "edges": [edge_json(edge) for edge in sorted(edges, key=lambda e: (e.child, e.parent, e.rule))],
    }


def _ancestry(graph: CredentialGraph, start: str) -> list[Edge]:
    """Return all edges upwards, those of ambiguous ancestors too."""
    found: dict[Edge, None] = {}
    waiting = [start]
    while waiting:
        for edge in graph.parents(waiting.pop()):
            if edge not in found:
                found[edge] = None
                waiting.append(edge.parent)
    return list(found)


def node_json(graph: CredentialGraph, name: str) -> dict[str, Any]:
    """Return a node as JSON; times are naive UTC."""
    node = graph.nodes[name]
    return {
        "name": node.name, "kind": node.kind, "who": node.who or None, "actor": node.actor or None,
        "session_name": node.session_name or None, "source_identity": node.source_identity or None,
        "account_from_key_id": node.account_from_key_id or None, "created": node.created, "first_used": node.first,
        "last_used": node.last, "events": node.events, "denied": node.denied, "changes": node.changes,
        "addresses": list(node.addresses),
    }  # fmt: skip


def edge_json(edge: Edge) -> dict[str, Any]:
    """Return an edge as JSON."""
    return {
        "child": edge.child, "parent": edge.parent, "rule": edge.rule, "method": edge.method or None,
        "confidence": str(edge.confidence), "at": edge.at, "event_key": edge.event_key,
    }  # fmt: skip
