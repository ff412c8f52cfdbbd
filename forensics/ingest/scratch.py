"""Read bytes into a store in memory: the same readers and writer, without case, copies or custody."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from forensics.ingest.reading import FileReading, Received, read_file
from forensics.ingest.unpack import unpack
from forensics.sources.protocol import Provenance, Source
from forensics.store.duckdb_engine import open_writer
from forensics.store.eventstore import EventStore, Group, create

if TYPE_CHECKING:
    import duckdb


def new_store() -> duckdb.DuckDBPyConnection:
    """Return a connection to an empty store in memory."""
    connection = open_writer(":memory:")
    create(connection)
    return connection


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file that was read but not written yet."""

    name: str
    received: Received
    reading: FileReading
    group: Group


def read_bytes(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    data: bytes,
    owner: str = "",
    organisation: str = "",
    received_at: datetime | None = None,
    maps: tuple[Source, ...] = (),
) -> tuple[FileReading, Counter[str]]:
    """Read `data` as a received file called `name`; `maps` are column maps, which go before the formats.

    Returns the reading and its account: seen, accepted, duplicate, defect, out_of_scope.
    """
    number = connection.execute("SELECT coalesce(max(receipt_id), 0) + 1 FROM receipt").fetchall()[0][0]
    received = Received(
        sha256(data).hexdigest(), unpack(data), number, Provenance(owner, organisation, received_at), maps=maps
    )
    group = Group()
    file = ReadFile(name, received, read_file(received, group), group)
    return file.reading, write_file(EventStore(connection), file)


def write_file(store: EventStore, file: ReadFile) -> Counter[str]:
    """Write a file that was read, with its receipt, and settle the store. Returns its account; see `read_bytes`."""
    received, reading, account = file.received, file.reading, Counter[str]()
    given = received.provenance

    def work() -> None:
        counts = store.write(file.group)
        account.update(account_of(reading, counts, received.receipt_id))
        receipt: dict[str, Any] = {
            "receipt_id": received.receipt_id,
            "file_sha256": received.file_sha256,
            "path": file.name,
            "owner": given.owner,
            "organisation": given.organisation,
            "received_at": given.received_at,
        }
        store.insert("receipt", [{**receipt, **account}])
        store.insert("defect", reading.defects)
        material = [{"member_path": "", **row, "file_sha256": received.file_sha256} for row in reading.material]
        store.insert("key_material", material)

    store.transact(work)
    store.settle()
    return account


def account_of(reading: FileReading, counts: Counter[tuple[int, str]], receipt_id: int) -> dict[str, int]:
    """Return the account of a file's records. seen = accepted + duplicate + defect + out_of_scope."""
    return {
        "seen": reading.seen,
        "accepted": counts[receipt_id, "accepted"],
        "duplicate": counts[receipt_id, "duplicate"],
        "defect": sum(1 for d in reading.defects if d["is_record"]),
        "out_of_scope": reading.out_of_scope,
    }
