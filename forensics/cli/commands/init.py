"""keytrail init"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forensics.cli.console import out, say
from forensics.cli.options import START, ByOption, DryRunOption
from forensics.model.case import read_settings
from forensics.model.clock import system_clock
from forensics.model.errors import UsageFault
from forensics.store.case_folder import init_case


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("init", rich_help_panel=START)
    def init(
        case: Annotated[
            Path,
            typer.Argument(metavar="CASE", help="Folder of the new case; it must not exist or be empty."),
        ],
        settings: Annotated[Path | None, typer.Option(help="A case.toml to start from.")] = None,
        by: ByOption = "",
        dry_run: DryRunOption = False,
    ) -> int:
        """Make a new case: settings, an empty store, and a custody log from the first act."""
        content = None
        if settings is not None:
            try:
                content = settings.read_bytes()
            except OSError as error:
                raise UsageFault(
                    "the settings cannot be read", place=str(settings), hint=str(error.strerror)
                ) from error
            read_settings(content, settings.name)
        if dry_run:
            say(f"would make a case in {case}: case.toml, case.duckdb, evidence/, inventory/, out/, custody.jsonl")
            return 0
        folder = init_case(case, system_clock, content, by)
        out(f"case made in {folder.root}")
        say(f"next: keytrail ingest {case} FOLDER")
        return 0
