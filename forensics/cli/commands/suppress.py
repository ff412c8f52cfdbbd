"""keytrail suppress"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from forensics.analysis.suppressions import Suppression, suppress, suppressions_of, undo
from forensics.cli.console import out_json, out_table, say
from forensics.cli.options import DECIDE, ByOption, CaseArgument, DryRunOption, JsonOption, open_given


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("suppress", rich_help_panel=DECIDE)
    def suppress_command(
        case: CaseArgument = None,
        query: Annotated[
            str, typer.Option("--query", help="Findings of this query, or of all that begin so, with a dot at the end.")
        ] = "",
        principal: Annotated[
            str, typer.Option("--principal", help="Findings whose every event is by this principal or credential.")
        ] = "",
        address: Annotated[
            str, typer.Option("--ip", help="Findings whose every event is from this address or network.")
        ] = "",
        resource: Annotated[
            str, typer.Option("--resource", help="Findings whose every event is on this resource.")
        ] = "",
        reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the report.")] = "",
        undo_number: Annotated[
            int, typer.Option("--undo", help="Take back the suppression of this number.", min=0)
        ] = 0,
        by: ByOption = "",
        dry_run: DryRunOption = False,
        json_: JsonOption = False,
    ) -> int:
        """Mark findings as known and harmless, with reason and author; without criteria, list what is suppressed."""
        folder = open_given(case)
        who = by or folder.settings().examiner
        if undo_number:
            if not dry_run:
                undo(folder, undo_number, reason, who)
            say(f"suppression {undo_number} {'would be' if dry_run else 'is'} undone; run keytrail hunt again")
        elif query or principal or address or resource or reason:
            given = Suppression(0, query, principal, address, resource, reason, who, None)
            if dry_run:
                say("would note a suppression; nothing is written")
            else:
                say(f"suppression {suppress(folder, given)} noted; run keytrail hunt again")
        listed = suppressions_of(folder)
        if json_:
            out_json([asdict(s) for s in listed])
            return 0
        rows = [
            (
                s.number,
                s.query,
                s.principal,
                s.address,
                s.resource,
                s.reason,
                s.by,
                s.at,
                "undone" if s.undone else "in force",
            )
            for s in listed
        ]
        if rows:
            out_table(
                "",
                ("number", "query", "principal", "address", "resource", "reason", "by", "at", "state"),
                rows,
                right=frozenset({0}),
            )
        else:
            say("nothing is suppressed")
        return 0
