"""Arguments and options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from forensics.model.clock import system_clock
from forensics.store.case_folder import CaseFolder, open_case, open_noting_settings

START, FIND, DECIDE, REPORT, PROVE, TOOL = "Start", "Find", "Decide", "Report", "Prove", "Tool"

CaseArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="CASE", help="Case folder; else KEYTRAIL_CASE, else the current folder.", show_default=False
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON of a documented, stable shape.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be written and write nothing.")]
AskPasswordOption = Annotated[
    bool, typer.Option("--ask-password", help="Ask for the password of encrypted zip archives; stored nowhere.")
]
ByOption = Annotated[str, typer.Option("--by", help="Name of the person who does this, for the custody log.")]


def asked_password(ask: bool) -> str | None:
    """Return the password of archives that a person types in without echo, None when it is not asked for."""
    return str(typer.prompt("Password of the archives", hide_input=True, err=True)) if ask else None


def open_given(case: Path | None) -> CaseFolder:
    """Open the case that was given, named by KEYTRAIL_CASE, or the current folder."""
    return open_case(_place(case), system_clock)


def open_noting(case: Path | None) -> tuple[CaseFolder, bool]:
    """Open the same case and log a change of its settings; return whether they changed."""
    return open_noting_settings(_place(case), system_clock)


def _place(case: Path | None) -> Path:
    return case or Path(os.environ.get("KEYTRAIL_CASE") or ".")
