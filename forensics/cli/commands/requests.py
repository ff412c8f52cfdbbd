"""keytrail requests"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from forensics.analysis.context import window_of
from forensics.analysis.coverage import coverage_of
from forensics.analysis.request_files import letter, noted_of, rows_of_requests, take_csv, to_csv
from forensics.analysis.requests import Request, requests_of
from forensics.cli.console import out_json, out_table, say
from forensics.cli.options import DECIDE, ByOption, CaseArgument, JsonOption, open_given
from forensics.model.clock import iso, system_clock
from forensics.model.errors import UsageFault
from forensics.store.case_folder import CaseFolder


def _listed(folder: CaseFolder) -> list[Request]:
    settings = folder.settings()
    connection = folder.reader()
    try:
        window = window_of(connection, settings)
        coverage = coverage_of(connection, settings, window.since, window.until)
        return requests_of(connection, settings, coverage, noted_of(folder))
    finally:
        connection.close()


def _write(path: Path, text: str) -> None:
    if path.exists():
        raise UsageFault("there is something already", place=str(path), hint="name a new place; nothing is overwritten")
    path.write_text(text, encoding="utf-8", newline="")


def _letters(folder: CaseFolder, requests: list[Request], target: Path) -> int:
    """Write one letter for each customer and provider; return how many."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageFault("the folder is not empty", place=str(target), hint="name a new folder; nothing is overwritten")
    target.mkdir(parents=True, exist_ok=True)
    groups: dict[tuple[str, str], list[Request]] = {}
    for request in requests:
        if request.state != "adequate":
            groups.setdefault((request.from_whom, request.provider), []).append(request)
    settings = folder.settings()
    for number, ((who, provider), found) in enumerate(sorted(groups.items()), start=1):
        # A name from an inventory never becomes a path: what is left of it is letters and digits behind a number.
        name = "_".join(filter(None, (re.sub(r"[^A-Za-z0-9]+", "-", part).strip("-")[:40] for part in (who, provider))))
        _write(target / f"{number:03d}_{name or 'request'}.txt", letter(found, settings))
    return len(groups)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("requests", rich_help_panel=DECIDE)
    def requests_command(
        case: CaseArgument = None,
        csv_out: Annotated[Path | None, typer.Option("--csv", help="Write the list as CSV to this new file.")] = None,
        csv_in: Annotated[
            Path | None, typer.Option("--import", help="Take asked_at, asked_by and note of this CSV into the case.")
        ] = None,
        letters: Annotated[
            Path | None,
            typer.Option("--letters", help="Write a letter for each customer and provider into this new folder."),
        ] = None,
        by: ByOption = "",
        json_: JsonOption = False,
    ) -> int:
        """Say what evidence must be asked for, from whom and why, and whether what came is enough."""
        folder = open_given(case)
        listed = _listed(folder)
        if csv_in is not None:
            try:
                content = csv_in.read_bytes()
            except OSError as error:
                raise UsageFault("the table cannot be read", place=str(csv_in), hint=str(error.strerror)) from error
            who = by or folder.settings().examiner
            done = take_csv(folder, content, listed, system_clock().replace(tzinfo=None), who)
            for line in done.left:
                say(f"left: {line}")
            say(f"{len(done.taken)} requests noted")
            listed = _listed(folder)
        if csv_out is not None:
            _write(csv_out, to_csv(listed))
            say(f"{len(listed)} requests in {csv_out}")
        if letters is not None:
            say(f"{_letters(folder, listed, letters)} letters in {letters}")
        if json_:
            out_json(rows_of_requests(listed))
        elif not (csv_out or letters):
            _print(listed)
        return 0


def _print(listed: list[Request]) -> None:
    rows = [
        (
            r.id, r.from_whom, r.provider, r.what, r.state, "; ".join(r.why_not) or r.why,
            iso(r.expires_on) if r.expires_on else "",
        )
        for r in listed
    ]  # fmt: skip
    out_table("", ("id", "from", "provider", "what", "state", "why, or why not enough", "may be lost after"), rows)
    waiting = sum(r.state != "adequate" for r in listed)
    say(f"{waiting} of {len(listed)} are open; --letters FOLDER writes them, --csv and --import keep track")
