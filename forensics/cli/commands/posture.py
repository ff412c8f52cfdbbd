"""keytrail posture"""

from __future__ import annotations

import json
from typing import Any

import typer

from forensics.analysis.context import catalogue
from forensics.analysis.refresh import staleness
from forensics.analysis.verdicts import compute, exposure_case, prepare
from forensics.cli.console import out_json, out_table, say
from forensics.cli.options import FIND, ByOption, CaseArgument, DryRunOption, JsonOption, open_noting
from forensics.model.clock import system_clock
from forensics.model.errors import ExitCode, first_of
from forensics.model.posture import Standing
from forensics.store.case_folder import CaseFolder, trial_copy


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("posture", rich_help_panel=FIND)
    def posture(
        case: CaseArgument = None, by: ByOption = "", dry_run: DryRunOption = False, json_: JsonOption = False
    ) -> int:
        """Whether advised mitigations were in place, from the evidence: yes, no, not seen, or not evaluable."""
        folder, _ = open_noting(case)
        answers = _answers(folder, by, dry_run=dry_run)
        if json_:
            out_json({"answers": answers})
        else:
            rows = [(a["text"], a["answer"], a["why"], a["rows"], ", ".join(a["event_keys"][:2])) for a in answers]
            out_table("", ("question", "answer", "why", "rows", "first rows"), rows)
            say("`keytrail show EVENT` prints a row as it stands in the evidence; --json names more of them")
        return int(exit_code(answers))


def _answers(folder: CaseFolder, by: str, *, dry_run: bool) -> list[dict[str, Any]]:
    """Return the stored answers when they are fresh, else compute them with the verdicts that they rest on."""
    queries = catalogue()
    if dry_run:
        with trial_copy(folder) as trial:
            prepare(trial)
            return compute(trial, queries).posture
    connection = folder.reader()
    try:
        if "exposure" not in staleness(connection, folder, queries):
            rows = connection.execute("SELECT detail FROM posture ORDER BY place").fetchall()
            return [json.loads(row[0]) for row in rows]
    finally:
        connection.close()
    return exposure_case(folder, queries, system_clock, by).posture


def exit_code(answers: list[dict[str, Any]]) -> ExitCode:
    """Return 10 with a no, 6 when something was not seen or not evaluable, else 0."""
    told = {a["answer"] for a in answers}
    conditions = {ExitCode.FINDINGS} if Standing.NO.value in told else set()
    conditions |= {ExitCode.UNDECIDED} if told & {Standing.NOT_SEEN.value, Standing.NOT_EVALUABLE.value} else set()
    return first_of(conditions)
