"""What is fuzzed: received bytes go through unpacking, both readers and the store, and every account must add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from itertools import zip_longest
from typing import TYPE_CHECKING

from forensics.ingest.fast import read_fast, read_together
from forensics.ingest.fast_windows import is_small
from forensics.ingest.members import read_archive
from forensics.ingest.reading import FileReading, Received, read_file
from forensics.ingest.scratch import new_store
from forensics.ingest.unpack import Limits, archive_kind, unpack
from forensics.sources.protocol import Provenance
from forensics.store.eventstore import EventStore, Group

if TYPE_CHECKING:
    import duckdb

#: Small, so that a bomb costs little; hitting one is a defect like any other.
LIMITS = Limits(content=32 * 1024**2, ratio=200, members=200, depth=3, ratio_from=8 * 1024**2)

#: One input of so many is written to the store.
_STORED = 8


class Wrong(AssertionError):
    """Something came out that must not."""


class Target:
    """One store in memory that every input is written to and taken out of again."""

    def __init__(self) -> None:
        self.connection: duckdb.DuckDBPyConnection = new_store()
        self.store = EventStore(self.connection)

    def __call__(self, data: bytes) -> None:
        """Read an input in every way. Raises Wrong for an account that does not add up, and whatever a reader lets out."""
        readings = []
        for fast in (False, True):
            group = Group()
            reading = _read(data, group, fast=fast)
            _adds_up(reading, group)
            readings.append((reading.seen, reading.offered, reading.out_of_scope, len(reading.defects)))
            if sha256(data).digest()[0] % _STORED == 0:  # the store takes ten times as long as the readers
                self._store(reading, group)
        if readings[0] != readings[1]:
            raise Wrong(f"the readers differ: {readings[0]} by the careful one, {readings[1]} by the fast one")

    def _store(self, reading: FileReading, group: Group) -> None:
        self.connection.execute("BEGIN")
        try:
            counts: Counter[tuple[int, str]] = self.store.write(group)
            self.store.insert("defect", reading.defects)
        finally:
            self.connection.execute("ROLLBACK")
        if counts[1, "accepted"] + counts[1, "duplicate"] != reading.offered:
            raise Wrong(f"{reading.offered} rows offered, {dict(counts)} taken")


def _read(data: bytes, group: Group, *, fast: bool) -> FileReading:
    content = unpack(data, LIMITS)
    received = Received(sha256(data).hexdigest(), content, 1, Provenance())

    def read(parts: Sequence[Received]) -> list[FileReading]:
        small = len(parts) > 1 or (parts and is_small(parts[0]))
        quick = (read_together(parts, group) if small else [read_fast(part, group) for part in parts]) if fast else []
        return [made or read_file(part, group) for made, part in zip_longest(quick, parts)]

    if archive_kind(content.data) and not content.problem:
        return read_archive(received, data, read, LIMITS, "orchid")
    return read([received])[0] if data else FileReading()


def _adds_up(reading: FileReading, group: Group) -> None:
    defects = sum(1 for each in reading.defects if each["is_record"])
    if reading.seen != reading.offered + defects + reading.out_of_scope:
        raise Wrong(
            f"{reading.seen} seen, {reading.offered} offered, {defects} defects, {reading.out_of_scope} out of scope"
        )
    if reading.state == "defective" and not reading.reason:
        raise Wrong("defective without a reason")
    if len(group) != reading.offered:
        raise Wrong(f"{reading.offered} offered, {len(group)} in the group")
