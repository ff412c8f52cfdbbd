"""keytrail export"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forensics.analysis.exports import EXPORTS, export_rows
from forensics.analysis.row_files import FORMATS, write_rows
from forensics.cli.console import out_json, out_table, say
from forensics.cli.options import REPORT, CaseArgument, DryRunOption, JsonOption, open_given
from forensics.model.errors import UsageFault
from forensics.store.duckdb_engine import DuckDBEngine


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("export", rich_help_panel=REPORT)
    def export(
        case: CaseArgument = None,
        what: Annotated[str, typer.Option("--what", help="Which table; without it the tables are listed.")] = "",
        output: Annotated[
            Path | None, typer.Option("--output", help="New file: .csv, .jsonl or .parquet. Else the terminal.")
        ] = None,
        dry_run: DryRunOption = False,
        json_: JsonOption = False,
    ) -> int:
        """Results of a case as tables: the ledger of queries, findings, chains, verdicts, hits, exhibits, defects."""
        if not what:
            out_table("", ("table", "what it holds"), [(name, each.title) for name, each in EXPORTS.items()])
            return 0
        if what not in EXPORTS:
            raise UsageFault(f"there is no table {what!r}", place="--what", hint=f"one of {', '.join(EXPORTS)}")
        form = output.suffix.lstrip(".").lower() if output else ""
        if output and form not in FORMATS:
            hint = "end the name with .csv, .jsonl or .parquet"
            raise UsageFault(f"unknown format {output.suffix!r}", place=output.name, hint=hint)
        folder = open_given(case)
        connection = folder.reader()
        try:
            rows = export_rows(DuckDBEngine(connection), what)
        finally:
            connection.close()
        if output:
            if not dry_run:
                write_rows(rows, output, form)
            say(f"{len(rows.rows)} rows {'would be ' if dry_run else ''}written to {output.name}")
        elif json_:
            out_json(rows.dicts())
        else:
            out_table("", rows.columns, rows.rows)
        return 0
