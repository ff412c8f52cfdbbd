"""keytrail status"""

from __future__ import annotations

import json
from typing import Any

import typer

from forensics.analysis.account import account, exhibits
from forensics.analysis.refresh import staleness
from forensics.cli.console import out_json, out_table, say
from forensics.cli.options import START, CaseArgument, JsonOption, open_noting
from forensics.model.money import money_text

_SHOWN = 6


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("status", rich_help_panel=START)
    def status(case: CaseArgument = None, json_: JsonOption = False) -> int:
        """Say where the case stands: every file, its records, and which results are out of date."""
        folder, changed = open_noting(case)
        connection = folder.reader()
        try:
            facts, files = account(connection), exhibits(connection)
            stale = staleness(connection, folder)
        finally:
            connection.close()
        if json_:
            out_json(
                {
                    **facts,
                    "stale": stale,
                    "exhibits": [{**f, "notes": json.loads(f["notes"] or "[]")} for f in files],
                }
            )
            return 0
        columns = (
            "exhibit",
            "file",
            "owner",
            "format",
            "state",
            "seen",
            "accepted",
            "duplicate",
            "defect",
            "out of scope",
        )
        names = (
            "exhibit",
            "path",
            "owner",
            "source_id",
            "state",
            "seen",
            "accepted",
            "duplicate",
            "defect",
            "out_of_scope",
        )
        rows = [{**f, "owner": f["owner"] or _inferred(f)} for f in files]
        out_table("", columns, [[f[n] for n in names] for f in rows], right=frozenset(range(5, 10)))
        _remarks(files)
        records = facts["records"]
        say(
            f"{records['seen']} records seen = {records['accepted']} accepted + {records['duplicate']} duplicate"
            f" + {records['defect']} defect + {records['out_of_scope']} out of scope"
        )
        if facts["id_conflicts"]:
            say(f"{facts['id_conflicts']} events share an eventID with another record of other content; both are kept")
        if facts["outside_of_time"]:
            say(
                f"{facts['outside_of_time']} records tell a time before 2000 or after 2099: they are kept, and in no window"
                " unless it is stated"
            )
        for twin in facts["twins"]:
            say(
                f"{twin['events']} events of {twin['source_id']} came in a better form too; every figure counts them once"
            )
        for line in (*_superseded(facts["superseded"]), *_rebilled(facts["superseded_costs"])):
            say(line)
        if facts["inferred_files"]:
            say(f"{facts['inferred_files']} files have an inferred owner: marked, and no figure rests on it")
        if facts["unassigned_files"]:
            say(f"{facts['unassigned_files']} files have no owner: give --owner or a receipt table")
        if changed:
            say("the settings changed since the last command; the change is in the custody log")
        for kind, reasons in stale.items():
            say(f"{kind}: out of date ({', '.join(reasons)}); run `keytrail {kind}`")
        for step in _next(records["accepted"], stale):
            say(f"next: {step}")
        return 0


def _inferred(row: dict[str, Any]) -> str:
    """Return an inferred owner in words, or nothing."""
    return f"{row['inferred_owner']} (inferred)" if row["inferred_owner"] else ""


def _remarks(files: list[dict[str, Any]]) -> None:
    """Say what is odd about each file."""
    for f in files:
        if f["inferred_owner"]:
            say(f"  {f['exhibit'] or '-'} {f['path']}: owner inferred from {f['inferred_why']}: {f['inferred_owner']}")
        elif f["owner_candidates"]:
            who = " or ".join(f["owner_candidates"])
            say(f"  {f['exhibit'] or '-'} {f['path']}: unassigned; by {f['inferred_why']} perhaps of {who}")
        if f["withdrawn"]:
            say(f"  {f['exhibit'] or '-'} {f['path']}: withdrawn from the analysis ({f['withdrawn']})")
        if f["tlp"]:
            say(f"  {f['exhibit']} {f['path']}: {f['tlp']}, holds {held(f)}; shown masked")
        remarks = ([f["reason"]] if f["state"] in {"skipped", "defective"} and f["reason"] else []) + json.loads(
            f["notes"] or "[]"
        )
        for remark in remarks:
            say(f"  {f['exhibit'] or '-'} {f['path']}: {remark}")


def _superseded(rows: list[dict[str, Any]]) -> list[str]:
    """Return what later exports changed, the first few measures one by one."""
    if not rows:
        return []
    lines = [f"later exports changed {len(rows)} figures of earlier ones; the later count, both are kept"]
    for row in rows[:_SHOWN]:
        who = " ".join(filter(None, (row["owner"], row["source_id"], row["key_id"], row["model"])))
        change = f"{row['earlier']} then {row['later']} ({row['difference']:+d})"
        lines.append(f"  {who} {row['bucket_start']} UTC: {row['measure']} {change}")
    return [*lines, "  status --json lists all"] if len(rows) > _SHOWN else lines


def _rebilled(rows: list[dict[str, Any]]) -> list[str]:
    """Return what later exports billed otherwise, the first few amounts one by one."""
    if not rows:
        return []
    lines = [f"later exports changed {len(rows)} amounts of earlier ones; the later count, both are kept"]
    for row in rows[:_SHOWN]:
        who = " ".join(
            filter(None, (row["owner"], row["source_id"], row["key_id"] or row["key_name"], row["line_item"]))
        )
        change = (
            f"{money_text(row['earlier'], row['earlier_currency'])} then {money_text(row['later'], row['currency'])}"
        )
        by = (
            ""
            if row["difference"] is None
            else f" ({'+' if row['difference'] > 0 else ''}{money_text(row['difference'])})"
        )
        lines.append(f"  {who} {row['period_start']} UTC: {change}{by}")
    return [*lines, "  status --json lists all"] if len(rows) > _SHOWN else lines


def held(row: dict[str, Any]) -> str:
    """Return in words what an exhibit holds that must not be shown."""
    parts = []
    if row["key_material"]:
        parts.append(f"key material in {row['key_material']} place{'s' if row['key_material'] != 1 else ''}")
    if row["contents"]:
        parts.append(f"prompts or answers in {row['contents']} record{'s' if row['contents'] != 1 else ''}")
    return " and ".join(parts)


def _next(records: int, stale: dict[str, list[str]]) -> list[str]:
    if not records:
        return ["keytrail ingest CASE FOLDER"]
    return [f"keytrail {kind} CASE" for kind in stale] or [
        "keytrail report CASE",
        "keytrail package CASE --output PATH",
    ]
