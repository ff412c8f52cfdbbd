"""The command `keytrail verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forensics.cli.console import out, out_json, out_table, say
from forensics.cli.options import PROVE, AskPasswordOption, JsonOption, asked_password
from forensics.evidence.verify import verify
from forensics.model.clock import system_clock


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("verify", rich_help_panel=PROVE)
    def verify_(
        package: Annotated[
            Path, typer.Argument(metavar="PACKAGE", help="Folder or ZIP of a package.", show_default=False)
        ],
        ask_password: AskPasswordOption = False,
        allow_limits: Annotated[
            bool,
            typer.Option(
                "--allow-limits", help="Let archives grow beyond the default limits where the package says so."
            ),
        ] = False,
        json_: JsonOption = False,
    ) -> int:
        """Check a package: its bytes, its accounts, and whether its evidence gives its results again."""
        result = verify(package, system_clock, asked_password(ask_password), wider=allow_limits)
        if json_:
            out_json(result.as_json())
            return int(result.exit_code)
        out_table("", ("check", "state", "what"), [(c.id, str(c.state), c.detail) for c in result.checks])
        for name, state in result.levels.items():
            out(f"{name}: {state}")
        say("not proven:")
        for line in result.not_proven:
            say(f"  {line}")
        return int(result.exit_code)
