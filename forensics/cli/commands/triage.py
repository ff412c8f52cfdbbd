"""keytrail triage"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from forensics.analysis import keys
from forensics.analysis.context import catalogue
from forensics.analysis.horizon import reach_words
from forensics.analysis.refresh import hunt_case
from forensics.analysis.triage import Triage
from forensics.cli.commands.hunt import exit_code
from forensics.cli.console import out, out_json, say
from forensics.cli.options import START, ByOption, DryRunOption, JsonOption
from forensics.cli.reading_progress import reading_progress
from forensics.ingest.account import IngestResult
from forensics.ingest.discover import discover
from forensics.ingest.run import IngestOptions, ingest
from forensics.model.clock import system_clock
from forensics.model.errors import ExitCode, UsageFault, first_of
from forensics.store.case_folder import CaseFolder, init_case

_IDS = 3


def next_case() -> Path:
    """Return the first free of keytrail-triage-001, -002, ... in the current folder."""
    number = 1
    while (path := Path(f"keytrail-triage-{number:03d}")).exists():
        number += 1
    return path


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("triage", rich_help_panel=START)
    def triage(
        paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files and folders of exported logs.")],
        case: Annotated[
            Path | None,
            typer.Option("--case", help="Folder of the new case; else keytrail-triage-001 and on."),
        ] = None,
        by: ByOption = "",
        dry_run: DryRunOption = False,
        json_: JsonOption = False,
    ) -> int:
        """Drop logs, get the first hour's list: what to cut, revoke, save and ask for. Needs no setting."""
        found = discover(paths)
        root = case or next_case()
        if dry_run:
            say(f"would make the case {root} and read {len(found)} files, newest first")
            return 0
        folder = init_case(root, system_clock, by=by)
        with reading_progress(found) as update:
            result = ingest(folder, paths, IngestOptions(newest_first=True, by=by), update)
        if not sum(result.tables.values()):
            raise UsageFault(
                "no log was recognised",
                place=str(paths[0]),
                hint=f"`keytrail ingest {root} PATH --dry-run` shows what each file would be taken for",
            )
        hunted, window = hunt_case(folder, catalogue(), system_clock, by)
        connection = folder.reader()
        try:
            made = Triage(connection, hunted.findings, system_clock().replace(tzinfo=None))
            screen, horizons = made.sections(), made.horizons()
            template = _template(folder, connection)
        finally:
            connection.close()
        code = first_of({exit_code(hunted), ExitCode.UNREADABLE if result.defective else ExitCode.DONE})
        if json_:
            sections = [
                {
                    "title": t,
                    "lines": [{"text": line.text, "event_ids": list(line.event_ids)} for line in lines],
                }
                for t, lines in screen
            ]
            out_json(
                {
                    "case": root.name,
                    "window": {"from": window.since, "to": window.until},
                    "records": dict(result.records),
                    "horizons": [asdict(h) for h in horizons],
                    "sections": sections,
                    "inventory_template": template,
                }
            )
            return int(code)
        _head(result, window.since, window.until)
        out(f"complete, as far as can be told: {reach_words(horizons)}; nothing is known after that")
        for title, lines in screen:
            out(title.upper())
            for line in lines:
                more = f" +{len(line.event_ids) - _IDS}" if len(line.event_ids) > _IDS else ""
                ids = f"  [{', '.join(line.event_ids[:_IDS])}{more}]" if line.event_ids else ""
                out(f"  {line.text}{ids}")
        say(f"the case is in {root}; state T0 and what is known in {root}/case.toml, then: keytrail exposure {root}")
        return int(code)


def _template(folder: CaseFolder, connection: object) -> str | None:
    listed = keys.from_inventory(connection)  # type: ignore[arg-type]
    if listed:
        return None
    path = folder.root / "inventory" / "inventory_template.csv"
    path.write_text(keys.template(keys.without_inventory(connection)), encoding="utf-8", newline="")  # type: ignore[arg-type]
    return f"inventory/{path.name}"


def _head(result: IngestResult, since: object, until: object) -> None:
    r = result.records
    out(
        f"{r['seen']} records read ({r['duplicate']} seen twice, {r['defect']} unreadable), {str(since)[:19]} to {str(until)[:19]} UTC"
    )
    if result.defective or result.skipped:
        out(f"{len(result.defective)} files defective, {len(result.skipped)} not logs; `keytrail status` names them")
