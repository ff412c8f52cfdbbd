"""keytrail report"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from forensics.analysis.refresh import refresh
from forensics.cli.console import out, out_json, say
from forensics.cli.options import REPORT, ByOption, CaseArgument, DryRunOption, JsonOption, open_noting
from forensics.model.clock import system_clock
from forensics.model.errors import UsageFault
from forensics.report.render import RenderedReport, render_report
from forensics.store.case_folder import CaseFolder


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("report", rich_help_panel=REPORT)
    def report(
        case: CaseArgument = None,
        output: Annotated[
            Path | None, typer.Option("--output", help="HTML file to write; else CASE/out/report-NNN.html.")
        ] = None,
        final: Annotated[bool, typer.Option("--final", help="Mark the report FINAL instead of DRAFT.")] = False,
        audience: Annotated[str, typer.Option(help="full (others come later).")] = "full",
        by: ByOption = "",
        dry_run: DryRunOption = False,
        json_: JsonOption = False,
    ) -> int:
        """Write the report: one self-contained HTML file. What is out of date is computed again first."""
        if audience != "full":
            raise UsageFault(
                f"no audience {audience!r}", place="--audience", hint="this version writes the full report"
            )
        folder, _ = open_noting(case)
        target = output or next_report(folder)
        if target.exists():
            raise UsageFault(
                "the file exists already",
                place=str(target),
                hint="choose another name; nothing is overwritten",
            )
        if dry_run:
            say(f"would write {target}")
            return 0
        rendered = write_report(folder, target, final=final, by=by)
        if json_:
            out_json({"report": target.name, "sentences": list(rendered.sentences), "bytes": len(rendered.html)})
            return 0
        for sentence in rendered.sentences:
            out(sentence)
        out(f"report: {target}")
        return 0


def next_report(folder: CaseFolder) -> Path:
    """Return the next free numbered name in the case's out folder."""
    number = 1
    while (path := folder.out / f"report-{number:03d}.html").exists():
        number += 1
    return path


def write_report(folder: CaseFolder, target: Path, *, final: bool = False, by: str = "") -> RenderedReport:
    """Make results fresh, render, write to a new file, and log it. Raises UsageFault when it cannot be written."""
    old = refresh(folder, system_clock, by)
    for kind, reasons in old.items():
        say(f"{kind} was out of date ({', '.join(reasons)}): computed again")
    rendered = render_report(folder, system_clock, audience="full", final=final)
    part = target.with_name(target.name + ".part")
    try:
        part.write_bytes(rendered.html)
        part.replace(target)
    except OSError as error:
        raise UsageFault("the report cannot be written", place=str(target), hint=str(error.strerror)) from error
    finally:
        part.unlink(missing_ok=True)
    with folder.locked("report"):
        folder.custody.append(
            "reported",
            by,
            file=target.name,
            sha256=sha256(rendered.html).hexdigest(),
            status="final" if final else "draft",
        )
    return rendered
