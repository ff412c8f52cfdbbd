"""keytrail package"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from forensics.cli.console import out, out_json, out_table, say
from forensics.cli.options import PROVE, ByOption, CaseArgument, DryRunOption, JsonOption, open_given
from forensics.evidence.seal import Sealed, plan, seal
from forensics.model.clock import system_clock


class Variant(StrEnum):
    """Which package is written."""

    FULL = "full"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("package", rich_help_panel=PROVE)
    def package(
        output: Annotated[
            Path,
            typer.Option("--output", help="New folder for the package; nothing is overwritten.", show_default=False),
        ],
        case: CaseArgument = None,
        variant: Annotated[
            Variant,
            typer.Option("--variant", help="What it holds: full, with the original bytes of the evidence."),
        ] = Variant.FULL,
        zip_: Annotated[bool, typer.Option("--zip", help="Write a ZIP besides, always the same bytes.")] = False,
        dry_run: DryRunOption = False,
        by: ByOption = "",
        json_: JsonOption = False,
    ) -> int:
        """Seal evidence, queries, results, report and custody log into a package that anybody can verify."""
        folder = open_given(case)
        if dry_run:
            _show_plan(plan(folder), json_=json_)
            return 0
        sealed = seal(folder, output, system_clock, zip_too=zip_, by=by)
        if json_:
            out_json(_facts(sealed))
            return 0
        out(f"digest {sealed.digest}")
        also = f", also as {sealed.zip_path.name}" if sealed.zip_path else ""
        say(f"{sealed.files} files, {sealed.bytes} bytes in {sealed.path.name}{also}")
        say("write the digest down apart from the package: it is what a receiver compares")
        say(f"next: keytrail verify {sealed.path}")
        return 0


def _facts(sealed: Sealed) -> dict[str, object]:
    archive = str(sealed.zip_path) if sealed.zip_path else None
    return {
        "digest": sealed.digest,
        "path": str(sealed.path),
        "zip": archive,
        "files": sealed.files,
        "bytes": sealed.bytes,
    }


def _show_plan(sizes: dict[str, int], *, json_: bool) -> None:
    if json_:
        out_json({"files": [{"path": name, "bytes": size} for name, size in sizes.items()]})
        return
    out_table("", ("file", "bytes"), list(sizes.items()), right=frozenset({1}))
    say(f"{len(sizes)} files, {sum(sizes.values())} bytes would be written")
