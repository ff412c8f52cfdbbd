"""To which session and chain of credentials each finding belongs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from forensics.analysis.credentials.graph import Confidence, CredentialGraph
from forensics.analysis.findings import Finding
from forensics.store.duckdb_engine import rows_of

if TYPE_CHECKING:
    import duckdb

_ORDER = list(Confidence)
SEPARATOR = " > "
#: Said of a finding without a chain: of providers and gateways, whose actors are no credentials of AWS.
NO_CREDENTIAL = "no AWS credential in its records"


Chains = dict[str, list[dict[str, Any]]]
"""Rows of finding_chain without the finding, by finding."""


def chains_by_finding(findings: Iterable[Finding], graph: CredentialGraph) -> Chains:
    """Return what `chain_rows` gives, by finding."""
    found: Chains = {}
    for row in chain_rows(findings, graph):
        found.setdefault(row.pop("finding_id"), []).append(row)
    return found


def stored_chains(connection: duckdb.DuckDBPyConnection) -> Chains:
    """Return the chains of the last stored hunt, by finding."""
    found: Chains = {}
    for row in rows_of(connection, "SELECT * FROM finding_chain ORDER BY finding_id, credential_id"):
        found.setdefault(row.pop("finding_id"), []).append(row)
    return found


def chain_rows(findings: Iterable[Finding], graph: CredentialGraph) -> list[dict[str, Any]]:
    """Return the rows of table finding_chain: one for each credential behind a finding.

    An act without a credential stands under the session that it began, as a sign-in does, else under its principal.
    """
    rows = []
    began = {edge.event_key: edge.child for edge in graph.edges if edge.event_key}
    for finding in findings:
        events: dict[str, set[str]] = {}
        for row in finding.events:
            credential = row["credential_id"] or began.get(row["event_key"]) or row["actor"]
            if credential in graph.nodes:
                events.setdefault(credential, set()).add(row["event_key"])
        for credential, keys in sorted(events.items()):
            text, confidence = chain_text(graph, credential)
            rows.append(
                {
                    "finding_id": finding.finding_id,
                    "credential_id": credential,
                    "session_name": graph.nodes[credential].session_name or None,
                    "events": len(keys),
                    "chain": text,
                    "confidence": confidence,
                }
            )
    return rows


def chain_text(graph: CredentialGraph, credential: str) -> tuple[str, str]:
    """Return the chain in words, root first, and how sure its least sure step is."""
    steps = graph.chain(credential)
    names = [steps[0].parent, *(edge.child for edge in steps)] if steps else [credential]
    least = max((edge.confidence for edge in steps), key=_ORDER.index, default=Confidence.EXACT)
    return SEPARATOR.join(names), str(least)
