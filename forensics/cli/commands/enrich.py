"""keytrail enrich"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import typer

from forensics.analysis.addresses.enrich import addresses_stale, enrich_case, reference_files
from forensics.analysis.addresses.report import AddressFacts, address_facts
from forensics.cli.console import out, out_json, out_table, say
from forensics.cli.options import FIND, ByOption, CaseArgument, DryRunOption, JsonOption, open_given
from forensics.enrichment.facts import QUESTIONS, REFERENCE_SOURCES
from forensics.ingest.reference_files import found_references
from forensics.ingest.run import IngestOptions, ingest
from forensics.model.clock import iso, system_clock
from forensics.model.errors import ExitCode, UsageFault
from forensics.store.case_folder import CaseFolder

_SHOWN = 200


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("enrich", rich_help_panel=FIND)
    def enrich(
        case: CaseArgument = None,
        files: Annotated[
            list[Path] | None,
            typer.Argument(
                metavar="[FILE...]",
                help="Files to take in: delegated statistics, MMDB, ip-ranges.json, plain lists with --kind.",
            ),
        ] = None,
        kind: Annotated[str, typer.Option("--kind", help="What plain lists among the files list: tor, hosting.")] = "",
        by: ByOption = "",
        dry_run: DryRunOption = False,
        json_: JsonOption = False,
    ) -> int:
        """Say of each address in the evidence what your own files say: country, network, city, cloud, Tor, hosting."""
        folder = open_given(case)
        if dry_run:
            for found in found_references(files or (), kind):
                say(f"{found.name}: {REFERENCE_SOURCES[found.reference]}")
            return 0
        if files:
            _take_in(folder, files, kind, by)
        connection = folder.reader()
        try:
            stale = addresses_stale(connection, folder)
        finally:
            connection.close()
        if stale:
            enrich_case(folder, system_clock, by)
        connection = folder.reader()
        try:
            found_facts = address_facts(connection)
        finally:
            connection.close()
        if json_:
            out_json(_json(found_facts))
        else:
            _print(found_facts)
        return int(_exit_code(found_facts))


def _take_in(folder: CaseFolder, files: list[Path], kind: str, by: str) -> None:
    """Take files in. Raises UsageFault when the case holds one of them as a list of something else, or withdrew it."""
    connection = folder.reader()
    try:
        held = {file["file_sha256"]: file["source_id"] for file in reference_files(connection)}
    finally:
        connection.close()
    for found in found_references(files, kind):
        before = held.get(sha256(found.path.read_bytes()).hexdigest(), found.reference)
        if before != found.reference:
            raise UsageFault(
                f"the case holds these very bytes as {REFERENCE_SOURCES[before]}",
                place=found.name,
                hint="withdraw that exhibit, and give the list as a file of other bytes: a remark at its head will do",
            )
    result = ingest(folder, list(files), IngestOptions(references=tuple(files), reference_kind=kind, by=by))
    for skipped in result.skipped:
        if skipped["reason"] != "unchanged":
            raise UsageFault(skipped["reason"], place=skipped["path"])


def _exit_code(found: AddressFacts) -> ExitCode:
    """Return 6 when a file is lacking or was not used, or no address is there to ask about; else 0."""
    unused = any(source["problem"] for source in found.sources)
    return ExitCode.UNDECIDED if found.lacking or unused or not found.known else ExitCode.DONE


def _json(found: AddressFacts) -> dict[str, Any]:
    return {
        "addresses": [
            {"address": k.address, "events": k.events, "first": k.first, "last": k.last, "facts": list(k.facts)}
            for k in found.known
        ],
        "others": found.others,
        "files": list(found.sources),
        "lacking": [{"question": name, "needs": needs} for name, needs in found.lacking.items()],
    }


def _print(found: AddressFacts) -> None:
    asked = [name for name in QUESTIONS if name not in found.lacking]
    if not found.known:
        say("the evidence names no public address")
    elif asked:
        rows = [
            (k.address, k.events, k.first, k.last, *(k.answer(name) or "not listed" for name in asked))
            for k in found.known[:_SHOWN]
        ]
        out_table("", ("address", "events", "first", "last", *asked), rows, right=frozenset({1}))
    if len(found.known) > _SHOWN and asked:
        say(f"and {len(found.known) - _SHOWN} more addresses; --json lists all")
    for source in found.sources:
        dated = f"dated {iso(source['dated'])}" if source["dated"] else "its date is not stated"
        if source["problem"]:
            out(f"not used: {source['file_name']} ({source['exhibit']}): {source['problem']}")
            continue
        out(
            f"from {source['file_name']} ({source['exhibit']}, {source['form']}), {dated}, SHA-256 {source['file_sha256']}"
        )
        if source["faults"]:
            say(f"{source['file_name']}: {source['faults']} entries cannot be used, first: {source['first_fault']}")
    for name, needs in found.lacking.items():
        out(f"not known: {name}; it needs {needs}")
    say(
        f"{len(found.known)} public addresses; {found.others} other values (private, names of services) were not asked about"
    )
