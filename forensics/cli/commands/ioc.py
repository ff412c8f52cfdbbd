"""keytrail ioc"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from forensics.analysis.indicators.own import FORMS, own_indicators
from forensics.analysis.indicators.report import HIT, NO_HIT, NOT_EVALUABLE, Outcome, faults_of, outcomes_of
from forensics.analysis.indicators.search import is_stale, search_case
from forensics.cli.console import out, out_json, out_table, say
from forensics.cli.new_file import write_new
from forensics.cli.options import FIND, ByOption, CaseArgument, DryRunOption, JsonOption, open_given
from forensics.indicators.read import read_indicators
from forensics.ingest.run import IngestOptions, ingest
from forensics.model.clock import iso, system_clock
from forensics.model.errors import ExitCode, UsageFault
from forensics.model.indicator import defang
from forensics.store.case_folder import CaseFolder

_SHOWN_FAULTS = 10


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("ioc", rich_help_panel=FIND)
    def ioc(
        case: CaseArgument = None,
        files: Annotated[
            list[Path] | None,
            typer.Argument(
                metavar="[FILE...]", help="Files of indicators to take in: text, CSV, YAML, STIX 2.1, MISP, OpenIOC."
            ),
        ] = None,
        export: Annotated[
            Path | None,
            typer.Option(
                "--export", help="Write the case's own indicators: .txt (defanged), .csv, .stix.json, .misp.json."
            ),
        ] = None,
        by: ByOption = "",
        dry_run: DryRunOption = False,
        json_: JsonOption = False,
    ) -> int:
        """Search all evidence for indicators; say of each what was hit, or what was searched in vain."""
        folder = open_given(case)
        if export is not None:
            return _export(folder, export, dry_run=dry_run)
        if dry_run:
            for file in files or ():
                read = read_indicators(_bytes(file), file.name)
                say(
                    f"{file.name}: {read.form}, {len(read.rows)} indicators, {len(read.faults)} entries that cannot be used"
                )
            return 0
        if files:
            ingest(folder, list(files), IngestOptions(indicators=tuple(files), by=by))
        connection = folder.reader()
        try:
            stale = is_stale(connection, folder)
        finally:
            connection.close()
        if stale:
            search_case(folder, system_clock, by)
        connection = folder.reader()
        try:
            outcomes, faults = outcomes_of(connection, folder.settings()), faults_of(connection)
        finally:
            connection.close()
        if json_:
            out_json({"indicators": [asdict(o) for o in outcomes], "faults": faults})
        else:
            _print(outcomes, faults)
        return int(_exit_code(outcomes))


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageFault("cannot be read", place=file.name, hint=str(error.strerror)) from error


def _exit_code(outcomes: list[Outcome]) -> ExitCode:
    """Return 10 with a hit that counts, 6 when one could not be searched or nothing is listed, else 0."""
    if any(o.state == HIT and not o.context and not o.noisy for o in outcomes):
        return ExitCode.FINDINGS
    return ExitCode.UNDECIDED if any(o.state == NOT_EVALUABLE for o in outcomes) or not outcomes else ExitCode.DONE


def _print(outcomes: list[Outcome], faults: list[dict[str, Any]]) -> None:
    if not outcomes:
        say("no indicators are in this case: keytrail ioc CASE FILE takes them in")
    hits = [o for o in outcomes if o.state == HIT]
    rows = [
        (
            o.kind, defang(o.kind, o.value), o.events, o.denied, o.first, o.last,
            o.one_actor if o.actors == 1 else f"{o.actors} actors", _places(o), o.files, _remarks(o),
        )
        for o in hits
    ]  # fmt: skip
    if rows:
        columns = ("kind", "indicator", "events", "denied", "first", "last", "by", "in", "from", "remarks")
        out_table("", columns, rows, right=frozenset({2, 3}))
    for state, words in ((NO_HIT, "not seen"), (NOT_EVALUABLE, "nothing to search")):
        of_state = [o for o in outcomes if o.state == state]
        for kind in sorted({o.kind for o in of_state}):
            same = [o for o in of_state if o.kind == kind]
            first, last = same[0].searched_from, same[0].searched_to
            span = f" of {same[0].searched} values from {iso(first)} to {iso(last)}" if first and last else ""
            out(f"{words}: {len(same)} of kind {kind}{span}")
    for fault in faults[:_SHOWN_FAULTS]:
        say(f"not used: {fault['file_name']} {fault['place']}: {fault['raw']} {fault['reason']}")
    if len(faults) > _SHOWN_FAULTS:
        say(f"and {len(faults) - _SHOWN_FAULTS} more entries that cannot be used; --json lists them")
    say(f"{len(outcomes)} indicators: {len(hits)} hit")


def _places(outcome: Outcome) -> str:
    fields = outcome.fields.split(", ")
    return ", ".join(fields[:2]) + (f" and {len(fields) - 2} more" if len(fields) > 2 else "")


def _remarks(outcome: Outcome) -> str:
    remarks = [outcome.noisy] if outcome.noisy else []
    remarks += ["context only"] if outcome.context else []
    remarks += ["exported by a case: proves nothing it came from"] if outcome.derived else []
    outside = outcome.events - outcome.valid_events
    remarks += [f"{outside} outside its validity"] if outside else []
    return "; ".join(remarks)


def _export(folder: CaseFolder, target: Path, *, dry_run: bool) -> int:
    form = next((end for end in FORMS if target.name.lower().endswith(end)), "")
    if not form:
        raise UsageFault("unknown form", place=target.name, hint=f"end the name with one of {', '.join(FORMS)}")
    connection = folder.reader()
    try:
        found = own_indicators(connection)
    finally:
        connection.close()
    if not found:
        say("nothing is held to be an intruder's: state what is known in case.toml and run keytrail exposure")
        return int(ExitCode.UNDECIDED)
    if dry_run:
        say(f"would write {len(found)} indicators to {target.name}")
        return 0
    text = FORMS[form](found, folder.settings(), system_clock().replace(tzinfo=None))
    write_new(target, text)
    say(f"{len(found)} indicators written to {target.name}")
    return 0
