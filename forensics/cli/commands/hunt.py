"""keytrail hunt"""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from forensics.analysis.context import catalogue
from forensics.analysis.credentials.chains import Chains, chains_by_finding, stored_chains
from forensics.analysis.credentials.rules import graph_of
from forensics.analysis.finding_groups import groups_of, values_of
from forensics.analysis.horizon import horizons_of, reach_words
from forensics.analysis.hunt import HuntResult
from forensics.analysis.log_marks import counted, marks_of
from forensics.analysis.refresh import compute_hunt, hunt_case
from forensics.cli.console import out_json, say
from forensics.cli.hunt_output import group_json, print_hunt
from forensics.cli.options import FIND, ByOption, CaseArgument, DryRunOption, JsonOption, open_noting
from forensics.cli.window import SinceOption, UntilOption, bound
from forensics.model.clock import system_clock
from forensics.model.errors import ExitCode, UsageFault, first_of
from forensics.model.outcome import State
from forensics.queries.binding import parse_overrides


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("hunt", rich_help_panel=FIND)
    def hunt(
        case: CaseArgument = None,
        query: Annotated[
            list[str] | None,
            typer.Option("--query", help="Only this query (or all that begin so, with a dot at the end)."),
        ] = None,
        param: Annotated[list[str] | None, typer.Option("--param", help="name=value or query.name=value.")] = None,
        sigma: Annotated[
            Path | None,
            typer.Option(
                "--sigma", help="Run the Sigma rules of this folder over CloudTrail instead of our own queries."
            ),
        ] = None,
        engine: Annotated[str, typer.Option(help="Engine: duckdb.")] = "duckdb",
        since: SinceOption = "",
        until: UntilOption = "",
        by: ByOption = "",
        dry_run: DryRunOption = False,
        json_: JsonOption = False,
    ) -> int:
        """Run the detections; say of each what was found, or why nothing could be."""
        if engine != "duckdb":
            raise UsageFault(f"no engine {engine!r}", place="--engine", hint="this version has duckdb")
        folder, _ = open_noting(case)
        if sigma is not None:
            if query or param:
                raise UsageFault("--query and --param are for our own queries", place="--sigma")
            from forensics.cli.sigma_output import hunt_sigma  # pySigma is loaded only where rules are read

            return hunt_sigma(folder, sigma, since, until, by, dry_run=dry_run, as_json=json_)
        every = catalogue()
        chosen = every.select(query) if query else tuple(every)
        overrides = parse_overrides(chosen, param or [])
        low, high = bound(since, "--since"), bound(until, "--until")
        started = time.monotonic()
        in_part = bool(query or param or low or high or dry_run)
        if in_part:
            result, window = compute_hunt(folder, chosen, system_clock, since=low, until=high, overrides=overrides)
            say("a part of the hunt, or another window or parameters: shown, not stored as the case's findings")
        else:
            result, window = hunt_case(folder, every, system_clock, by)
        seconds = round(time.monotonic() - started, 1)
        connection = folder.reader()
        try:
            marks = marks_of(connection, (key for f in result.findings for key in f.event_keys))
            chains = chains_by_finding(result.findings, graph_of(connection)) if in_part else stored_chains(connection)
            horizons = horizons_of(connection, window.since, window.until)
        finally:
            connection.close()
        if json_:
            out_json(
                {
                    "outcomes": [_outcome(o, result, marks, chains) for o in result.outcomes],
                    "groups": [group_json(g) for g in groups_of(result.findings)],
                    "horizons": [asdict(h) for h in horizons],
                    "seconds": seconds,
                }
            )
        else:
            print_hunt(result, seconds, marks, chains)
            say(f"last seen is as of the horizon: {reach_words(horizons)}")
        return int(exit_code(result))


def exit_code(result: HuntResult) -> ExitCode:
    """Return 3 with a failed query, 10 with findings that are not suppressed, 6 with something not evaluable, else 0."""
    suppressed = {f.query_id for f in result.findings} - {f.query_id for f in result.findings if f.suppression is None}
    states = {o.state for o in result.outcomes if o.query_id not in suppressed}
    codes = {
        State.FAILED: ExitCode.BAD_QUERY,
        State.FINDING: ExitCode.FINDINGS,
        State.NO_BASELINE: ExitCode.UNDECIDED,
        State.NOT_EVALUABLE: ExitCode.UNDECIDED,
        State.CLEAR: ExitCode.DONE,
    }
    return first_of({codes[s] for s in states})


def _outcome(outcome: Any, result: HuntResult, marks: dict[str, str], chains: Chains) -> dict[str, Any]:
    names = ("query_id", "state", "severity", "count", "first_seen", "last_seen", "reason")
    keys = {key for f in result.findings if f.query_id == outcome.query_id for key in f.event_keys}
    return {
        **{n: getattr(outcome, n) for n in names},
        "event_ids": list(outcome.event_ids),
        "integrity": counted(marks, keys),
        "findings": [
            {
                "finding_id": f.finding_id,
                "severity": str(f.severity),
                "confidence": f.confidence,
                "actor": f.actor,
                "resources": list(values_of(f, "resource")),
                "suppression": f.suppression,
                "chains": chains.get(f.finding_id, []),
            }
            for f in result.findings
            if f.query_id == outcome.query_id
        ],
    }
