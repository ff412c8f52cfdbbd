"""keytrail purge"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from forensics.analysis.handling import exhibit_of, purge
from forensics.cli.console import out_json, say
from forensics.cli.options import DECIDE, ByOption, DryRunOption, JsonOption, open_given


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("purge", rich_help_panel=DECIDE)
    def purge_command(
        exhibit: Annotated[str, typer.Argument(metavar="EXHIBIT", help="Exhibit number such as S0003, or SHA-256.")],
        reason: Annotated[str, typer.Option("--reason", help="Why; kept in the certificate and the custody log.")],
        case: Annotated[
            Path | None,
            typer.Option("--case", help="Case folder; else KEYTRAIL_CASE, else the current folder."),
        ] = None,
        by: ByOption = "",
        dry_run: DryRunOption = False,
        json_: JsonOption = False,
    ) -> int:
        """Destroy the copied original of a withdrawn exhibit and leave a certificate. Refused under legal hold."""
        folder = open_given(case)
        if dry_run:
            connection = folder.reader()
            try:
                found = exhibit_of(connection, exhibit)
            finally:
                connection.close()
            say(f"{found['exhibit']} would be purged: {found['size_bytes']} bytes; nothing brings them back")
            return 0
        done = purge(folder, exhibit, reason, by)
        if json_:
            out_json(asdict(done))
            return 0
        say(f"the copy of {done.exhibit} is destroyed; certificate: {done.certificate}")
        return 0
