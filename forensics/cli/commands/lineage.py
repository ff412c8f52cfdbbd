"""keytrail lineage"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Annotated, Any

import typer

from forensics.analysis.credentials.attribution import Attribution, attribution_of
from forensics.analysis.credentials.drawing import dot_text
from forensics.analysis.credentials.graph import CredentialGraph, Node
from forensics.analysis.credentials.rules import graph_of
from forensics.analysis.credentials.tree import Line, lineage_json, starts_of, tree_of
from forensics.cli.console import json_text, out, out_json, out_table, plain, say
from forensics.cli.new_file import write_new
from forensics.cli.options import FIND, CaseArgument, DryRunOption, JsonOption, open_given
from forensics.model.clock import iso
from forensics.model.errors import UsageFault
from forensics.model.text import sheet_safe

_FORMATS = ("csv", "json", "dot")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("lineage", rich_help_panel=FIND)
    def lineage(
        case: CaseArgument = None,
        of: Annotated[
            str,
            typer.Argument(
                metavar="[KEY|ARN|IP|EVENT]",
                help="Key id, ARN, address, session name, source identity or event. Without it: what the intrusion reaches.",
            ),
        ] = "",
        output: Annotated[
            Path | None, typer.Option("--output", help="File to write the edges to: .csv, .json or .dot (Graphviz).")
        ] = None,
        dry_run: DryRunOption = False,
        json_: JsonOption = False,
    ) -> int:
        """Which credential came from which, up to the root and down to all that followed, with rule and confidence."""
        if case is not None and not of and not (case / "case.toml").is_file():
            case, of = (
                None,
                str(case),
            )  # one argument that is no case: what is asked for, in the case of the surroundings
        folder = open_given(case)
        form = output.suffix.lstrip(".").lower() if output else ""
        if output and form not in _FORMATS:
            raise UsageFault(
                f"unknown format {output.suffix!r}", place=str(output), hint="end the name with .csv, .json or .dot"
            )
        connection = folder.reader()
        try:
            graph = graph_of(connection)
            attribution = None if of else attribution_of(connection, folder.settings(), graph)
            starts = (
                starts_of(connection, graph, of)
                if of
                else [m.credential for m in attribution.members]
                if attribution
                else []
            )
        finally:
            connection.close()
        found = lineage_json(graph, starts) | ({"attribution": attribution.as_json()} if attribution else {})
        if output:
            _write(output, form, found, dry_run=dry_run)
        elif json_:
            out_json(found)
        elif attribution:
            _print_attribution(attribution, graph)
        else:
            for start in starts:
                _print_tree(tree_of(graph, start), graph)
        return 0


def _write(output: Path, form: str, found: dict[str, Any], *, dry_run: bool) -> None:
    edges = found["edges"]
    if dry_run:
        say(f"would write {len(edges)} edges to {output}")
        return
    if form == "json":
        text = json_text(found)
    elif form == "dot":
        text = dot_text(found["nodes"], edges)
    else:
        text = _csv_text(edges)
    write_new(output, text)
    say(f"{len(edges)} edges written to {output}")


def _csv_text(edges: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    names = list(edges[0]) if edges else ["child", "parent", "rule", "method", "confidence", "at", "event_key"]
    writer.writerow(names)
    for edge in edges:
        writer.writerow([sheet_safe(str(plain(edge[name]) or "")) for name in names])
    return text.getvalue()


def _print_tree(lines: list[Line], graph: CredentialGraph) -> None:
    top = lines[0].depth
    for line in lines:
        node, indent = graph.nodes[line.name], "    " * (line.depth - top)
        who = node.session_name or (node.who if node.who != line.name else "")
        out(f"{indent}{'>> ' if line.depth == 0 else ''}{line.name}{f'  ({who})' if who else ''}")
        for told in (_how(line), _did(node)):
            if told:
                out(f"{indent}      {told}")
    for name in sorted({line.name for line in lines}):
        parents = list(dict.fromkeys(edge.parent for edge in graph.parents(name)))
        if len(parents) > 1:
            say(f"{name} may come from any of: {', '.join(parents)}; the first is followed")
    out()


def _how(line: Line) -> str:
    if line.edge is None:
        return ""
    method = f"{line.edge.method}, " if line.edge.method else ""
    at = f" at {iso(line.edge.at)}" if line.edge.at and line.edge.method else ""
    return f"from: {method}{line.edge.rule}{at} ({line.edge.confidence})"


def _did(node: Node) -> str:
    if not node.events:
        return ""
    more = f" and {len(node.addresses) - 3} more" if len(node.addresses) > 3 else ""
    places = f", from {', '.join(node.addresses[:3])}{more}" if node.addresses else ""
    identity = f", source identity {node.source_identity}" if node.source_identity else ""
    span = f"{iso(node.first)} to {iso(node.last)}" if node.first and node.last else "without a time"
    return f"did: {node.events} events, {node.denied} denied, {node.changes} changes, {span}{places}{identity}"


def _print_attribution(attribution: Attribution, graph: CredentialGraph) -> None:
    if not attribution.members:
        say(
            "nothing is stated as known and no finding is grave: give a key, ARN, address or event, or run keytrail hunt first"
        )
        return
    rows = [
        (
            m.since,
            m.credential,
            graph.nodes[m.credential].who,
            m.confidence,
            m.method,
            m.through,
            graph.nodes[m.credential].events,
        )
        for m in attribution.members
    ]
    out_table(
        "", ("since", "credential", "acts as", "confidence", "why", "through", "events"), rows, right=frozenset({6})
    )
    for kind, value, principals in attribution.too_common:
        say(f"not followed: {kind} {value}, which {principals} principals used")
