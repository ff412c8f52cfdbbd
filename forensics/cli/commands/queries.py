"""keytrail queries"""

from __future__ import annotations

from typing import Annotated

import typer

from forensics.analysis.context import catalogue
from forensics.cli.console import out, out_json, out_table
from forensics.cli.options import TOOL, JsonOption


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("queries", rich_help_panel=TOOL)
    def queries(
        query: Annotated[str | None, typer.Argument(metavar="[QUERY]", help="Explain this one.")] = None,
        json_: JsonOption = False,
    ) -> int:
        """List the queries, or explain one with its SQL."""
        every = catalogue()
        if query:
            chosen = every.by_id(query)
            for name, text in (
                ("title", chosen.title),
                ("severity", f"{chosen.severity}, confidence {chosen.confidence}"),
                ("sources", ", ".join(chosen.sources)),
                ("ATT&CK", ", ".join(chosen.attack)),
                ("what", chosen.description),
                ("misses", chosen.misses),
                ("innocent when", "; ".join(chosen.false_positives)),
                ("next", "; ".join(chosen.next_steps)),
                ("SHA-256", chosen.sha256),
            ):
                out(f"{name}: {text}")
            out()
            for line in chosen.sql.splitlines():
                out(line)
            return 0
        rows = [(q.id, q.kind.value, q.severity.value, q.title) for q in every]
        if json_:
            out_json([dict(zip(("id", "kind", "severity", "title"), row, strict=True)) for row in rows])
        else:
            out_table("", ("query", "kind", "severity", "title"), rows)
        return 0
