"""keytrail withdraw"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forensics.analysis.handling import exhibit_of, withdraw
from forensics.cli.console import out_json, say
from forensics.cli.options import DECIDE, ByOption, DryRunOption, JsonOption, open_given


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("withdraw", rich_help_panel=DECIDE)
    def withdraw_command(
        exhibit: Annotated[str, typer.Argument(metavar="EXHIBIT", help="Exhibit number such as S0003, or SHA-256.")],
        reason: Annotated[str, typer.Option("--reason", help="Why; kept in the register and the custody log.")],
        case: Annotated[
            Path | None,
            typer.Option("--case", help="Case folder; else KEYTRAIL_CASE, else the current folder."),
        ] = None,
        by: ByOption = "",
        dry_run: DryRunOption = False,
        json_: JsonOption = False,
    ) -> int:
        """Take an exhibit out of the analysis, never out of the register. Results are out of date afterwards."""
        folder = open_given(case)
        if dry_run:
            connection = folder.reader()
            try:
                found = exhibit_of(connection, exhibit)
            finally:
                connection.close()
            say(f"{found['exhibit']} would be withdrawn: {found['places']} records of it were read")
            return 0
        done = withdraw(folder, exhibit, reason, by)
        if json_:
            out_json(done)
            return 0
        say(f"{done['exhibit']} is withdrawn: {done['rows_removed']} rows left the analysis; the register keeps it")
        say("next: keytrail hunt CASE, keytrail exposure CASE")
        return 0
