"""keytrail verify-logs"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from forensics.cli.console import out, out_json, out_table, say
from forensics.cli.options import (
    FIND,
    AskPasswordOption,
    ByOption,
    CaseArgument,
    JsonOption,
    asked_password,
    open_given,
)
from forensics.cli.reading_progress import count_progress
from forensics.evidence.log_integrity import LogCheck, check_logs, files_of, stored_rows
from forensics.integrity.log_states import FAILED
from forensics.model.clock import iso, system_clock
from forensics.model.errors import ExitCode, UsageFault

_SHOWN = 20
_DIGEST_FAULTS = (
    "invalid_signature",
    "invalid_format",
    "trailing_data",
    "moved",
    "missing",
    "fork",
    "duplicate_conflict",
)
LIMITS = (
    "A valid digest proves that a file is unchanged since delivery, not that the trail logged all it should.",
    "Files delivered while validation was off have no digest.",
    "The loss of the newest hours together with their digests cannot be seen without a saved signature or another trail.",
    "Keys that came with the evidence are not authenticated: fetch them from an account of your own and pin them.",
)


def verify_logs_json(found: LogCheck) -> dict[str, Any]:
    """Return the documented JSON shape."""
    rows = stored_rows(found.checked)
    return {
        "digests": rows["log_digest"],
        "log_files": rows["log_integrity"],
        "coverage": rows["log_chain"],
        "lake": [{"object": v.name, "state": v.state, "reason": v.reason} for v in found.checked.lake],
        "keys": [
            {
                "fingerprint": key.fingerprint,
                "origin": key.origin,
                "file": key.file,
                "file_sha256": key.file_sha256,
                "valid_from": key.valid_from,
                "valid_until": key.valid_until,
                "obtained": found.obtained.get(key.fingerprint, ""),
                "problem": key.problem,
            }
            for _, key in sorted(found.checked.keys.keys.items())
        ],
        "unread": [{"exhibit": e, "path": p, "reason": r} for e, p, r in found.unread],
        "not_proven": list(LIMITS),
    }


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("verify-logs", rich_help_panel=FIND)
    def verify_logs(
        case: CaseArgument = None,
        pinned_keys: Annotated[
            Path | None,
            typer.Option("--pinned-keys", help="Public keys that you fetched yourself; kept in the case."),
        ] = None,
        pinned_origin: Annotated[
            str,
            typer.Option("--pinned-origin", help="From where and when you have them, in your words; kept with them."),
        ] = "",
        ask_password: AskPasswordOption = False,
        by: ByOption = "",
        json_: JsonOption = False,
    ) -> int:
        """Check CloudTrail log files against their signed digests, without a network."""
        if pinned_origin and pinned_keys is None:
            raise UsageFault("--pinned-origin says where the keys of --pinned-keys are from", hint="give both")
        folder = open_given(case)
        password = asked_password(ask_password)
        connection = folder.reader()
        try:
            files = files_of(connection)
        finally:
            connection.close()
        with count_progress(len(files), sum(row["size_bytes"] or 0 for row in files)) as update:
            found = check_logs(
                folder,
                system_clock,
                by,
                pinned=pinned_keys,
                pinned_origin=pinned_origin,
                password=password,
                progress=update,
            )
        if json_:
            out_json(verify_logs_json(found))
        else:
            _print(found)
        return int(_code(found))


def _code(found: LogCheck) -> ExitCode:
    checked = found.checked
    bad_digest = any(v.state in _DIGEST_FAULTS for chain in checked.chains for v in chain.verdicts)
    bad_log = any(v.word == FAILED or v.state == "missing" for v in checked.logs)
    bad_lake = any(v.state in ("hash_mismatch", "missing", "invalid_signature", "invalid_format") for v in checked.lake)
    if bad_digest or bad_log or bad_lake:
        return ExitCode.NOT_VERIFIED
    if found.unread:
        return ExitCode.UNREADABLE
    proven = any(v.state in ("valid", "valid_via_successor") for chain in checked.chains for v in chain.verdicts)
    return ExitCode.DONE if proven or any(v.state == "valid" for v in checked.lake) else ExitCode.UNDECIDED


def _print(found: LogCheck) -> None:
    checked = found.checked
    if checked.chains:
        out_table(
            "",
            ("account", "region", "trail", "digests", "missing", "hours", "proven", "empty", "from", "until", "chain"),
            [
                (
                    row["organisation"] or row["account"], row["region"], row["trail"], row["digests"], row["missing"],
                    row["hours"], row["hours_proven"], row["hours_empty"],
                    iso(row["first_start"]) if row["first_start"] else "", iso(row["last_end"]) if row["last_end"] else "",
                    row["states"].replace(",", ", "),
                )
                for row in stored_rows(checked)["log_chain"]
            ],
            right=frozenset(range(3, 8)),
        )  # fmt: skip
    else:
        out("no digest is in the evidence: no log file can be proven")
    _states("digests", [v.state for chain in checked.chains for v in chain.verdicts])
    _states("log files", [v.state for v in checked.logs])
    _states("Lake results", [v.state for v in checked.lake])
    for key in sorted(checked.keys.keys.values(), key=lambda k: k.fingerprint):
        where = "pinned" if key.origin == "pinned" else "from the evidence, not authenticated offline"
        obtained = found.obtained.get(key.fingerprint) or "from whom and when is not stated"
        out(
            f"key {key.fingerprint} of {key.file} ({obtained}): {where}; valid {key.valid_from} to {key.valid_until} as stated"
        )
    for place, problem in checked.keys.problems:
        say(f"{place}: {problem}")
    _faults(found)
    for text in LIMITS:
        say(text)


def _states(what: str, states: list[str]) -> None:
    if states:
        out(f"{what}: " + ", ".join(f"{number} {state}" for state, number in sorted(Counter(states).items())))


def _faults(found: LogCheck) -> None:
    checked = found.checked
    lines = [f"{e} {p}: {reason}" for e, p, reason in found.unread]
    lines += [fault for chain in checked.chains for fault in chain.faults]
    lines += [
        f"{v.key}: {v.state}: {v.reason}"
        for chain in checked.chains
        for v in chain.verdicts
        if v.state not in ("valid", "valid_via_successor", "missing")
    ]
    lines += [
        f"{v.piece.exhibit if v.piece else '-'} {v.key}: {v.state}: {v.reason}"
        for v in checked.logs
        if v.word == FAILED or v.state in ("missing", "listed_by_invalid_digest")
    ]
    lines += [f"{v.name}: {v.state}: {v.reason}" for v in checked.lake if v.state != "valid"]
    for line in lines[:_SHOWN]:
        say(line)
    if len(lines) > _SHOWN:
        say(f"and {len(lines) - _SHOWN} more; --json lists all")
