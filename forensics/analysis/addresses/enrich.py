"""Ask the files about addresses that a case holds for the addresses in its evidence."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.enrichment.facts import REFERENCE_SOURCES, Addresses, Reference, list_kind
from forensics.enrichment.read import read_reference
from forensics.model.errors import UsageFault
from forensics.store.basis import check_fingerprint
from forensics.store.duckdb_engine import rows_of
from forensics.store.eventstore import EventStore, text_json

if TYPE_CHECKING:
    import duckdb

    from forensics.model.clock import Clock
    from forensics.store.case_folder import CaseFolder

Row = dict[str, Any]
KIND = "enrich"
_FILES = """
SELECT f.file_sha256, f.exhibit, f.source_id, f.stored_as, f.original_path, arg_min(r.path, r.receipt_id) AS file_name
FROM evidence_file AS f JOIN receipt AS r USING (file_sha256)
WHERE starts_with(f.source_id, 'reference_') AND f.file_sha256 NOT IN (SELECT file_sha256 FROM withdrawal)
GROUP BY f.file_sha256, f.exhibit, f.source_id, f.stored_as, f.original_path
ORDER BY min(r.receipt_id)
"""
_ADDRESSES = "SELECT DISTINCT source_ip FROM activity WHERE source_ip IS NOT NULL ORDER BY source_ip"


def reference_files(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """Return the files about addresses that the case holds, in order of receipt; withdrawn ones are left out."""
    return [row for row in rows_of(connection, _FILES) if row["source_id"] in REFERENCE_SOURCES]


def enrich(connection: duckdb.DuckDBPyConnection, folder: CaseFolder) -> tuple[list[Row], list[Row]]:
    """Return rows of address_fact and of address_source. A file that is gone or changed gives no fact and is named."""
    files = reference_files(connection)
    addresses = Addresses(row["source_ip"] for row in rows_of(connection, _ADDRESSES)) if files else Addresses(())
    facts: list[Row] = []
    accounts: list[Row] = []
    for file in files:
        named = {name: file[name] for name in ("file_sha256", "file_name")}
        account = named | {"exhibit": file["exhibit"], "source_id": file["source_id"], "covers": text_json([])}
        accounts.append(account)
        data, problem = _content(folder, file)
        if data is None:
            account["problem"] = problem
            continue
        try:
            found = read_reference(data, file["file_name"], list_kind(file["source_id"]), addresses)
        except UsageFault as fault:  # an older version took it in
            account["problem"] = fault.message
            continue
        said, counted = rows_of_reference(found, named)
        facts += said
        account |= counted
    return facts, accounts


def rows_of_reference(found: Reference, named: Row) -> tuple[list[Row], Row]:
    """Return the rows of address_fact and the columns of address_source that a read file gives."""
    counts = found.account
    facts = [
        {"source_ip": address, "fact": fact, "value": value, "dated": found.dated, **named}
        for address, fact, value in found.facts
    ]
    return facts, {
        "dated": found.dated,
        "covers": text_json(list(found.covers)),
        "entries": counts.entries,
        "faults": counts.faults,
        "first_fault": counts.first_fault or None,
    }


def _content(folder: CaseFolder, file: Row) -> tuple[bytes | None, str]:
    """Return the bytes of a file of the case, or None and why they cannot be used."""
    path = folder.root / file["stored_as"] if file["stored_as"] else Path(file["original_path"] or "")
    try:
        data = path.read_bytes()
    except OSError:
        return None, "its copy is gone" if file["stored_as"] else "it was not copied and is gone from where it was read"
    if sha256(data).hexdigest() != file["file_sha256"]:
        return None, "its bytes are not those that were taken in"
    return data, ""


def addresses_stale(connection: duckdb.DuckDBPyConnection, folder: CaseFolder) -> bool:
    """Whether there are files, or facts of files, that were not computed over the evidence as it is now."""
    row = connection.execute("SELECT fingerprint FROM result_basis WHERE kind = ?", [KIND]).fetchall()
    if not row and not reference_files(connection):
        return False
    return not row or bool(row[0][0] != check_fingerprint(connection, folder))


def enrich_case(folder: CaseFolder, clock: Clock, by: str = "") -> int:
    """Compute the facts of a case and store them with what they rest on; returns their number."""
    connection = folder.reader()
    try:
        facts, accounts = enrich(connection, folder)
    finally:
        connection.close()
    with folder.writer(KIND) as writing:
        store, basis, now = EventStore(writing), check_fingerprint(writing, folder), clock().replace(tzinfo=None)

        def work() -> None:
            store.replace("address_fact", facts)
            store.replace("address_source", accounts)
            store.rest_on(KIND, basis, {}, now)

        store.transact(work)
        folder.custody.append(KIND, by, fingerprint=basis, facts=len(facts), files=len(accounts))
    return len(facts)
