"""keytrail keys"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from forensics.analysis.context import catalogue
from forensics.analysis.inventory.book import Book
from forensics.analysis.inventory.hashing import HASH_COMMANDS
from forensics.analysis.inventory.life import Life
from forensics.analysis.inventory.register import read_register
from forensics.analysis.inventory.remarks import TITLES
from forensics.analysis.verdicts import compute, exposure_case, prepare
from forensics.cli.console import out, out_json, out_table, say
from forensics.cli.options import FIND, ByOption, CaseArgument, DryRunOption, JsonOption, open_noting
from forensics.model.clock import iso, system_clock
from forensics.model.errors import ExitCode, UsageFault, first_of
from forensics.store.case_folder import CaseFolder, trial_copy

_FINDING = frozenset({"not_effective", "not_done"})
_OPEN = frozenset({"unproven", "not_evaluable"})
_COLUMNS = (
    "customer", "key", "kind", "verdict", "made", "read", "last use", "rotated", "revoked", "rotation", "as of",
)  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("keys", rich_help_panel=FIND)
    def keys(
        case: CaseArgument = None,
        customer: Annotated[str, typer.Option(help="Only the keys of this customer.")] = "",
        key: Annotated[str, typer.Option(help="Only this key: id, name, hint, SHA-256, ARN or place.")] = "",
        hash_command: Annotated[
            bool,
            typer.Option("--hash-command", help="Print the line that a customer runs to hash its keys, and leave."),
        ] = False,
        by: ByOption = "",
        dry_run: DryRunOption = False,
        json_: JsonOption = False,
    ) -> int:
        """The life of each key, whether its rotation worked, and what the inventory leaves open or gets wrong."""
        if hash_command:
            return _hash_commands(json_)
        folder, _ = open_noting(case)
        queries = catalogue()
        if dry_run:
            with trial_copy(folder) as trial:
                prepare(trial)
                book = compute(trial, queries).book
        else:
            book = exposure_case(folder, queries, system_clock, by).book
        lives = _chosen(folder, book, customer, key)
        if json_:
            out_json({**book.as_json(), "keys": [life.as_json() for life in lives]})
        else:
            _print(book, lives, whole=not customer and not key)
        return int(exit_code(book, lives))


def exit_code(book: Book, lives: Sequence[Life]) -> ExitCode:
    """Return 10 when a key that got out may still work or a version moved a verdict, 6 when something is open, else 0."""
    conditions = {ExitCode.FINDINGS for life in lives if life.rotation.state in _FINDING}
    conditions |= {ExitCode.FINDINGS for _ in book.moves}
    conditions |= {ExitCode.UNDECIDED for life in lives if life.rotation.state in _OPEN}
    conditions |= {ExitCode.UNDECIDED for remark in book.remarks if remark.kind == "ambiguous"}
    return first_of(conditions)


def _hash_commands(json_: bool) -> int:
    if json_:
        out_json({"hash_commands": [{"shell": c.shell, "line": c.line} for c in HASH_COMMANDS]})
        return 0
    say(
        "keys.txt: one key a line. Replace CUSTOMER and PROVIDER, run one of these, send key_hashes.csv, never the keys"
    )
    for command in HASH_COMMANDS:
        out(f"{command.shell}:")
        out(command.line)
    return 0


def _chosen(folder: CaseFolder, book: Book, customer: str, key: str) -> list[Life]:
    lives = [life for life in book.lives if not customer or life.key.customer == customer]
    if customer and not lives:
        names = ", ".join(sorted({life.key.customer for life in book.lives if life.key.customer}))
        raise UsageFault(f"no key belongs to {customer!r}", hint=f"customers are named as in the inventory: {names}")
    if not key:
        return lives
    connection = folder.reader()
    try:
        found = read_register(connection).aliases.find(key)
    finally:
        connection.close()
    wanted = set(found.candidates) or {key}
    chosen = [life for life in lives if life.key.key_id in wanted or any(key == alias for _, alias, _ in life.aliases)]
    if not chosen:
        raise UsageFault(f"no key is known by {key!r}", hint="try its id, name, hint, SHA-256, or where it is stored")
    if found.state == "ambiguous":
        say(f"ambiguous: by its {found.by} this fits {len(found.candidates)} keys; all are shown")
    return chosen


def _row(life: Life) -> tuple[Any, ...]:
    made, read, last, check = life.first("made"), life.first("read"), life.last_seen, life.rotation
    ends = [h.until for h in life.horizons if h.until]
    return (
        life.key.customer, f"{life.key.provider} {life.key.key_id}", life.judged.kind.id, str(life.answer["verdict"]),
        made.start if made else None, read.start if read else None, last.end if last else None,
        _with(check.rotated_at, check.rotated_basis), _with(check.revoked_at, check.revoked_basis), check.state,
        min(ends, default=None),
    )  # fmt: skip


def _with(moment: Any, basis: str) -> str | None:
    return f"{iso(moment)} ({basis.split(',')[0]})" if moment else None


def _print(book: Book, lives: Sequence[Life], *, whole: bool) -> None:
    out_table("", _COLUMNS, [_row(life) for life in lives])
    if not lives:
        out("no key is known: ingest a key inventory, or logs that name stored secrets or provider keys")
    for life in lives:
        check = life.rotation
        if check.state not in {"not_needed", "effective"}:
            out(f"{life.key.customer or '-'} {life.key.key_id}: {check.state}: {'; '.join(check.why)}")
            out(f"  {life.judged.kind.title}: {life.judged.kind.action}")
        for made in life.made_with:
            end = f"ended {iso(made['revoked_at'])}" if made["revoked_at"] else "no end of it is seen"
            out(f"  made with it: {made['target']} ({made['action']}) at {iso(made['at'])} by {made['by_key']}; {end}")
    if not whole:
        for life in lives:
            _print_events(life)
        return
    for kind, title in TITLES.items():
        found = [r for r in book.remarks if r.kind == kind]
        if found:
            rows = [(r.provider, ", ".join(r.keys), ", ".join(r.customers), r.text) for r in found]
            out_table(title, ("provider", "key", "customer", "what"), rows)
    if book.moves:
        moved = [(m.version, m.provider, m.key_id, _side(m.before), _side(m.after)) for m in book.moves]
        out_table("Moved by a version of the inventory", ("version", "provider", "key", "before", "after"), moved)
    for v in book.versions:
        when = iso(v.as_of) if v.as_of else "no time"
        say(
            f"inventory version {v.number}: {v.exhibit or 'no exhibit'}, {v.rows} rows, by {v.author or 'nobody named'}, as of {when} ({v.as_of_basis})"
        )


def _side(side: Any) -> str:
    return f"{side['customer']} {side['verdict']} ({side['exposure']}, {side['abuse']})" if side else "not known"


def _print_events(life: Life) -> None:
    rows = [(e.start, e.end if e.end != e.start else None, e.step, e.basis, e.text, e.event_key) for e in life.events]
    out_table(f"{life.key.provider} {life.key.key_id}", ("from", "to", "step", "basis", "what", "record"), rows)
    names = [(kind, value, basis) for kind, value, basis in life.aliases]
    out_table("Known by", ("kind", "value", "basis"), names)
    ends = [(h.source, h.until) for h in life.horizons]
    out_table("Nothing can be said after", ("source", "until"), ends)
