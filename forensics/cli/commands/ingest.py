"""keytrail ingest"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from forensics.cli.console import out, out_json, out_table, say
from forensics.cli.options import (
    START,
    AskPasswordOption,
    ByOption,
    DryRunOption,
    JsonOption,
    asked_password,
    open_noting,
)
from forensics.cli.reading_progress import reading_progress
from forensics.ingest.account import IngestResult
from forensics.ingest.discover import discover
from forensics.ingest.preview import preview
from forensics.ingest.run import IngestOptions, ingest
from forensics.ingest.unpack import LIMITS, Limits
from forensics.model.errors import ExitCode

_SHOWN = 12


def ingest_json(result: IngestResult, seconds: float) -> dict[str, Any]:
    """Return the documented JSON shape of one run."""
    return {
        "files": {
            "accepted": result.accepted,
            "skipped": len(result.skipped),
            "defective": len(result.defective),
        },
        "records": {n: result.records[n] for n in ("seen", "accepted", "duplicate", "defect", "out_of_scope")},
        "tables": result.tables,
        "first_event": result.first_event,
        "last_event": result.last_event,
        "seconds": seconds,
        "skipped": result.skipped,
        "defective": result.defective,
        "notes": result.notes,
    }


def _list(title: str, rows: list[dict[str, str]]) -> None:
    by_reason: dict[str, list[str]] = {}
    first: dict[str, str] = {}
    for row in rows:
        # Files of one unknown kind differ in their names: one line tells of them all.
        kind = row["reason"].partition(" with ")[0] if row["reason"].startswith("unknown format") else row["reason"]
        by_reason.setdefault(first.setdefault(kind, row["reason"]), []).append(row["path"])
    say(f"{title}:")
    for reason, paths in sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0]))[:_SHOWN]:
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        say(f"  {paths[0]}{more}: {reason}")
    if len(by_reason) > _SHOWN:
        say(f"  and {len(by_reason) - _SHOWN} more reasons; `keytrail status` lists every file")


def _explain(row: dict[str, Any]) -> None:
    """Say what a column map does with a file: columns, counts, its first row."""
    if "mapping" not in row:
        return
    out(f"{row['path']}:")
    for line in row["mapping"]:
        out(f"  {line}")
    if "counts" in row:
        counts = row["counts"]
        out(f"  {counts['records']} records: {counts['rows']} rows, {counts['defects']} defects")
        for fault in (*row["faults"], *row["notes"]):
            out(f"  ! {fault}")
        for name, text in row["first_row"].items():
            out(f"  first row: {name} = {text}")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("ingest", rich_help_panel=START)
    def ingest_command(
        case: Annotated[Path, typer.Argument(metavar="CASE", help="Case folder.")],
        paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files and folders of exported logs.")],
        owner: Annotated[
            str, typer.Option(help="Whose evidence all these files are; else the receipt table says it.")
        ] = "",
        no_copy: Annotated[
            bool, typer.Option("--no-copy", help="Keep path and hash instead of a copy of each original.")
        ] = False,
        ask_password: AskPasswordOption = False,
        max_content: Annotated[
            int, typer.Option(help="Largest uncompressed content of one file or member, in MiB.", min=1)
        ] = LIMITS.content // 1024**2,
        max_ratio: Annotated[
            int, typer.Option(help="Largest ratio of uncompressed to received size, from 64 MiB on.", min=1)
        ] = LIMITS.ratio,
        max_members: Annotated[int, typer.Option(help="Most members of one archive.", min=1)] = LIMITS.members,
        max_depth: Annotated[int, typer.Option(help="How deep archives may nest.", min=1)] = LIMITS.depth,
        maps: Annotated[
            list[Path] | None,
            typer.Option("--map", help="Column map for files of a format of their own; may be given again."),
        ] = None,
        by: ByOption = "",
        dry_run: DryRunOption = False,
        json_: JsonOption = False,
    ) -> int:
        """Read exported logs into a case. Every record is accounted for; nothing is read twice."""
        limits = Limits(max_content * 1024**2, max_ratio, max_members, max_depth)
        password = asked_password(ask_password)
        if dry_run:
            with reading_progress(discover(paths), counted=False) as update:
                rows = preview(paths, limits, password, maps or (), update)
            if json_:
                out_json(rows)
            else:
                out_table(
                    "",
                    ("file", "taken for", "because"),
                    [(r["path"], r["source"] or "not read", r["why"]) for r in rows],
                )
                for row in rows:
                    _explain(row)
            return 0
        folder, _ = open_noting(case)
        options = IngestOptions(
            owner=owner, copy=not no_copy, by=by or folder.settings().examiner, limits=limits, password=password,
            maps=tuple(maps or ()),
        )  # fmt: skip
        started = time.monotonic()
        with reading_progress(discover(paths)) as update:
            result = ingest(folder, paths, options, update)
        seconds = round(time.monotonic() - started, 1)
        if json_:
            out_json(ingest_json(result, seconds))
        else:
            _print(result, seconds)
        return int(ExitCode.UNREADABLE if result.defective else ExitCode.DONE)


def _print(result: IngestResult, seconds: float) -> None:
    counts = result.records
    rows = [
        (
            "files",
            f"{result.accepted} read, {len(result.skipped)} skipped, {len(result.defective)} defective",
        ),
        (
            "records",
            (
                f"{counts['seen']} seen = {counts['accepted']} accepted + {counts['duplicate']} duplicate"
                f" + {counts['defect']} defect + {counts['out_of_scope']} out of scope"
            ),
        ),
        *((table, f"{number} new rows") for table, number in result.tables.items() if number),
        ("first event", result.first_event),
        ("last event", result.last_event),
        ("time", f"{seconds} s"),
    ]
    out_table("", ("what", "account"), rows)
    if result.skipped:
        _list("skipped", result.skipped)
    if result.defective:
        _list("defective", result.defective)
    if result.notes:
        say(f"remarks on {len(result.notes)} files; `keytrail status` lists them")
    if not result.accepted and not any(row["reason"] == "unchanged" for row in result.skipped):
        say("no log was recognised: `keytrail ingest --dry-run` shows what each file would be taken for")
