"""keytrail guide"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from forensics.analysis.collection.guide import STEPS, lines_of, step
from forensics.analysis.collection.step import check_given, filled, in_order
from forensics.cli.console import out_json, out_table, say
from forensics.cli.options import START, JsonOption
from forensics.model.errors import UsageFault


def _given(pairs: list[str]) -> dict[str, str]:
    given = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign:
            raise UsageFault(f"{pair!r} is no NAME=VALUE", place="--set")
        given[name] = value
    check_given(given)
    return given


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("guide", rich_help_panel=START)
    def guide(
        source: Annotated[str, typer.Argument(metavar="[SOURCE]", help="One source; else the list of all.")] = "",
        values: Annotated[
            list[str] | None,
            typer.Option("--set", metavar="NAME=VALUE", help="A value for the commands; may be given again."),
        ] = None,
        json_: JsonOption = False,
    ) -> int:
        """Say how evidence is collected: read-only commands for each source, what is lost first at the top."""
        given = _given(values or [])
        steps = [step(source)] if source else in_order(STEPS)
        if json_:
            out_json([{**asdict(s), "commands": [filled(c, given) for c in s.commands]} for s in steps])
        elif source:
            # Commands are to be copied as they stand: no table, no wrapping.
            for line in lines_of(steps[0], given):
                typer.echo("".join(c if c.isprintable() else "?" for c in line))
        else:
            out_table("", ("source", "what", "of", "kept"), [(s.id, s.title, s.of, s.kept) for s in steps])
            say(
                "`keytrail guide SOURCE` prints the commands; --set bucket=... start=2026-05-05T00:00:00Z fills them in"
            )
        return 0
