"""keytrail coverage"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import typer

from forensics.analysis.context import window_of
from forensics.analysis.coverage import Coverage, coverage_of
from forensics.analysis.questions import Question, questions_of
from forensics.cli.console import out, out_json, out_table, say
from forensics.cli.options import FIND, CaseArgument, JsonOption, open_given
from forensics.model.clock import iso

_COLUMNS = ("source", "of", "where", "with", "empty", "without", "from", "until", "horizon", "expected by")


def coverage_json(found: Coverage, questions: list[Question]) -> dict[str, Any]:
    """Return the documented JSON shape."""
    return {
        "since": found.since,
        "until": found.until,
        "sources": [{**asdict(s), "supplied": s.supplied} for s in found.streams],
        "logging_changes": found.changes,
        "event_classes": [asdict(c) for c in found.classes],
        "clocks": found.clocks,
        "left_out": found.left_out,
        "questions": [asdict(q) for q in questions],
    }


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("coverage", rich_help_panel=FIND)
    def coverage(case: CaseArgument = None, json_: JsonOption = False) -> int:
        """Say what the evidence covers against what should exist, and which questions it can answer."""
        folder = open_given(case)
        settings = folder.settings()
        connection = folder.reader()
        try:
            window = window_of(connection, settings)
            found = coverage_of(connection, settings, window.since, window.until)
            questions = questions_of(connection, settings, found)
        finally:
            connection.close()
        if json_:
            out_json(coverage_json(found, questions))
        else:
            _print(found, questions)
        return 0


def _print(found: Coverage, questions: list[Question]) -> None:
    say(f"hours of the window {iso(found.since)} to {iso(found.until)}; nothing can be said after a source's horizon")
    rows = [
        (
            s.kind, s.who or "unassigned", s.what, s.with_events, s.proven_empty, s.without,
            iso(s.first) if s.first else "", iso(s.last) if s.last else "", iso(s.horizon) if s.horizon else "",
            ", ".join(s.basis),
        )
        for s in found.streams
        if s.supplied
    ]  # fmt: skip
    out_table("", _COLUMNS, rows, right=frozenset({3, 4, 5}))
    missing = [s for s in found.streams if not s.supplied]
    for s in missing:
        out(f"missing: {s.kind} of {s.who} {s.what}".rstrip() + f" ({', '.join(s.basis)})")
    for s in found.streams:
        for note in s.notes:
            say(f"{s.kind} of {s.who or 'unassigned'} {s.what}: {note}")
    for change in found.changes:
        out(
            f"{iso(change['event_time'])} {change['action']} on {change['resource'] or '-'} by {change['actor'] or '-'}: {change['outcome']}"
        )
    for each in found.classes:
        if not each.events:
            out(f"never seen: {each.name}, which would show {each.matters}")
    for line in (*found.clocks, *found.left_out):
        say(line)
    out_table(
        "",
        ("", "question", "answerable", "what lacks"),
        [(q.number, q.text, q.state, "; ".join(q.lacks)) for q in questions],
    )
