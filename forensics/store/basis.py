"""The fingerprint of all that a result rests on, so that no stale figure is shown as fresh."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

from forensics import __version__
from forensics.resources import price_list

if TYPE_CHECKING:
    import duckdb

    from forensics.store.case_folder import CaseFolder

#: What a component is called when it is shown to a person.
LABELS = {
    "evidence": "evidence was added or changed",
    "settings": "the settings changed",
    "work": "decisions, notes or suppressions changed",
    "queries": "the queries changed",
    "prices": "the prices changed",
    "tool": "another version of the tool made it",
    "logs": "the log files were checked",
    "addresses": "files about addresses were asked",
    "hunt": "the hunt it rests on was run again with another result",
}


_DONE = "SELECT fingerprint FROM result_basis WHERE kind = ?"
#: A check of log files rests on these, and on the keys that were pinned.
CHECK_PARTS = ("evidence", "tool")


def _work(folder: CaseFolder) -> bytes:
    """Return the lines of work.jsonl that results rest on: what was asked of whom moves none."""
    content = folder.work_path.read_bytes() if folder.work_path.exists() else b""
    return b"".join(line for line in content.splitlines(keepends=True) if not line.startswith(b'{"act":"request",'))


def hunt_parts(parts: dict[str, str]) -> dict[str, str]:
    """Return the components that a hunt rests on: all but the check of the log files, the prices and the facts of addresses."""
    return {name: value for name, value in parts.items() if name not in {"logs", "prices", "addresses"}}


def _prices(folder: CaseFolder) -> bytes:
    """Return the bytes of the price tables: the case's own, then the one that travels with the program."""
    own = folder.prices_path
    return (own.read_bytes() if own else b"") + b"\n" + price_list().read_bytes()


def _hash(value: object) -> str:
    return sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def components(connection: duckdb.DuckDBPyConnection, folder: CaseFolder, queries_sha256: str) -> dict[str, str]:
    """Return the hash of each thing that results rest on: evidence set, settings, work, queries, tool."""
    evidence = connection.execute(
        "SELECT coalesce(file_sha256, ''), coalesce(owner, ''), coalesce(organisation, ''), coalesce(CAST(received_at AS VARCHAR), '')"
        " FROM receipt ORDER BY 1, 2, 3, 4"
    ).fetchall()
    withdrawn = connection.execute("SELECT file_sha256 FROM withdrawal ORDER BY file_sha256").fetchall()
    work = _work(folder)
    return {
        "evidence": _hash([evidence, withdrawn] if withdrawn else evidence),
        "settings": folder.settings().sha256,
        "work": sha256(work).hexdigest(),
        "queries": queries_sha256,
        "prices": sha256(_prices(folder)).hexdigest(),
        "tool": f"keytrail {__version__}",
        "logs": _basis_of(connection, "verify-logs"),
        "addresses": _basis_of(connection, "enrich"),
    }


def _basis_of(connection: duckdb.DuckDBPyConnection, kind: str) -> str:
    """Return what a result of that kind rests on, "" where it was never computed."""
    return "".join(row[0] for row in connection.execute(_DONE, [kind]).fetchall())


def fingerprint(parts: dict[str, str]) -> str:
    """Return one SHA-256 over all components."""
    return _hash(parts)


def check_fingerprint(connection: duckdb.DuckDBPyConnection, folder: CaseFolder) -> str:
    """Return the fingerprint of a result that rests on the evidence and the tool alone."""
    parts = components(connection, folder, "")
    return fingerprint({name: parts[name] for name in CHECK_PARTS})


def stale(connection: duckdb.DuckDBPyConnection, folder: CaseFolder, queries_sha256: str) -> dict[str, list[str]]:
    """Return for each kind of result (hunt, exposure) what changed since it was computed; absent when it is fresh.

    A result that was never computed gives ["never run"]; a check of log files, which is not always needed, is only named
    when it was run.
    """
    now = components(connection, folder, queries_sha256)
    stored = {
        kind: json.loads(parts)
        for kind, parts in connection.execute("SELECT kind, components FROM result_basis ORDER BY kind").fetchall()
    }
    out: dict[str, list[str]] = {}
    for kind in ("hunt", "exposure"):
        before, here = stored.get(kind), now
        if before is None:
            out[kind] = ["never run"]
            continue
        if kind == "hunt":
            before, here = hunt_parts(before), hunt_parts(now)
        if before != here:
            out[kind] = [
                LABELS[name]
                for name in LABELS
                if before.get(name) != here.get(name) and (name in before or name in here)
            ]
    checked = stored.get("verify-logs")
    if checked is not None and any(checked.get(name) != now[name] for name in CHECK_PARTS):
        out["verify-logs"] = [LABELS[name] for name in CHECK_PARTS if checked.get(name) != now[name]]
    return out
