"""keytrail timeline"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forensics.analysis.context import catalogue, window_of
from forensics.analysis.row_files import FORMATS, write_rows
from forensics.analysis.timeline import timeline_rows
from forensics.cli.console import out_json, out_table, say
from forensics.cli.options import FIND, CaseArgument, DryRunOption, JsonOption, open_given
from forensics.cli.window import SinceOption, UntilOption, bound
from forensics.model.errors import UsageFault
from forensics.store.duckdb_engine import DuckDBEngine

_SHOWN = ("event_time", "source", "actor", "action", "outcome", "resource", "source_ip", "event_key")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("timeline", rich_help_panel=FIND)
    def timeline(
        case: CaseArgument = None,
        output: Annotated[
            Path | None,
            typer.Option("--output", help="File to write; .csv, .jsonl or .parquet. Else the terminal."),
        ] = None,
        key: Annotated[
            bool,
            typer.Option("--key-events", help="Only changes, reads of secrets, logins, logging and provider changes."),
        ] = False,
        limit: Annotated[int, typer.Option(min=1, help="Rows to print in the terminal.")] = 200,
        since: SinceOption = "",
        until: UntilOption = "",
        dry_run: DryRunOption = False,
        json_: JsonOption = False,
    ) -> int:
        """Everything that happened, over all sources, in one order: terminal, CSV, JSON lines or Parquet."""
        folder = open_given(case)
        form = output.suffix.lstrip(".").lower() if output else ""
        if output and form not in FORMATS:
            raise UsageFault(
                f"unknown format {output.suffix!r}",
                place=str(output),
                hint="end the name with .csv, .jsonl or .parquet",
            )
        connection = folder.reader()
        try:
            window = window_of(connection, folder.settings(), bound(since, "--since"), bound(until, "--until"))
            query = catalogue().by_id("timeline.key_events" if key else "timeline.activity")
            rows = timeline_rows(DuckDBEngine(connection), query, window)
        finally:
            connection.close()
        if not rows.rows:
            say(f"NOTHING LIES IN THE WINDOW from {window.since.isoformat()}Z to {window.until.isoformat()}Z")
        if output:
            if dry_run:
                say(f"would write {len(rows.rows)} rows to {output}")
                return 0
            write_rows(rows, output, form)
            say(f"{len(rows.rows)} rows written to {output}")
            return 0
        if json_:
            out_json(rows.dicts())
            return 0
        shown = [c for c in _SHOWN if c in rows.columns] or list(rows.columns)
        out_table("", shown, [[row[c] for c in shown] for row in rows.dicts()[:limit]])
        if len(rows.rows) > limit:
            say(f"{limit} of {len(rows.rows)} rows shown; --output FILE writes all, --limit shows more")
        return 0
