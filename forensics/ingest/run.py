"""Ingest: from paths to a committed store, in groups, with receipts, custody and an account that adds up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from forensics.ingest.account import IngestResult, Pending, insert_files, tally
from forensics.ingest.archives import opens
from forensics.ingest.copying import NO_ROOM, copy_original
from forensics.ingest.discover import Found, bytes_of, discover
from forensics.ingest.earlier import movable, unlogged
from forensics.ingest.fast import NotPlain, read_fast, read_together
from forensics.ingest.fast_windows import WINDOW, is_small
from forensics.ingest.indicator_files import found_indicators, take_indicators
from forensics.ingest.maps import Maps, found_maps
from forensics.ingest.members import read_archive
from forensics.ingest.reading import DEFECTIVE, SKIPPED, FileReading, Received, read_file
from forensics.ingest.receipts import ReceiptFacts, ReceiptTable, read_tables
from forensics.ingest.reference_files import found_references, take_reference
from forensics.ingest.unpack import LIMITS, Limits, archive_kind, unpack
from forensics.ingest.unpacking import Unpacking, limits_of, may_differ
from forensics.ingest.writing import Counts, Writing
from forensics.sources.protocol import Provenance
from forensics.store import parsed
from forensics.store.case_folder import CaseFolder
from forensics.store.duckdb_engine import ROW_GROUP
from forensics.store.eventstore import EventStore, Group
from forensics.store.receipts_log import append_receipts
from forensics.store.schema import EVENT_TABLES, EVENT_TIMES

#: Records, files and compressed bytes that are committed together: what a kill costs at most, but for one large file.
GROUP_RECORDS = 2 * ROW_GROUP
GROUP_FILES = 256
GROUP_BYTES = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """How to ingest: owner for all files, whether originals are copied, order, who runs it.

    `careful`: read every file with the careful reader; rows are the same, it only takes longer. `limits` bound what comes
    out of compressed files and archives; `password` opens encrypted members of zip archives and is stored nowhere. `maps`: files of
    column maps, which go before the formats and are kept like evidence. `indicators`: files of indicators, kept likewise.
    `references`: files about addresses, kept likewise; `reference_kind` says what plain lists among them list.
    """

    owner: str = ""
    copy: bool = True
    newest_first: bool = False
    by: str = ""
    careful: bool = False
    limits: Limits = LIMITS
    password: str | None = None
    maps: tuple[Path, ...] = ()
    indicators: tuple[Path, ...] = ()
    references: tuple[Path, ...] = ()
    reference_kind: str = ""


@dataclass(frozen=True, slots=True)
class _Opened:
    """A file to be read. `anew`: it hit a limit or a lock before and may give more now."""

    found: Found
    facts: ReceiptFacts
    received: Received
    data: bytes
    digest: str
    anew: bool


Progress = Callable[[int, int, int], None]
"""Called with (files done, bytes done, records seen)."""


class Ingest:
    """One run of ingest over a case whose store is open for writing."""

    def __init__(self, folder: CaseFolder, connection: Any, options: IngestOptions) -> None:
        self.folder = folder
        self.store = EventStore(connection)
        self.options = options
        self.result = IngestResult()
        run = connection.execute
        self._receipt = run("SELECT coalesce(max(receipt_id), 0) FROM receipt").fetchall()[0][0]
        self._exhibits: dict[str, str] = dict(run("SELECT file_sha256, exhibit FROM evidence_file").fetchall())
        self._known = {tuple(row) for row in run("SELECT path, file_sha256, owner FROM receipt").fetchall()}
        self._withdrawn: dict[str, str] = {
            digest: f"exhibit {exhibit} was withdrawn ({reason}); it is not read again: analyse it in a case of its own"
            for digest, exhibit, reason in run("SELECT file_sha256, exhibit, reason FROM withdrawal").fetchall()
        }
        self._before = self._counts()
        self._group, self._pending = Group(), list[Pending]()
        self._small = list[_Opened]()  # files that will be read together
        self._bytes = self._seen = 0
        self._maps = Maps()
        self._not_read = {
            row[0] for row in run("SELECT file_sha256 FROM evidence_file WHERE state = ?", [SKIPPED]).fetchall()
        }
        self._movable = movable(connection)
        self._writing = Writing(self.store)
        self._parts = 0  # records of the file at hand that were handed on
        self._written = 0  # records of pending files that are written, and not committed
        self._report: Callable[[int, int], None] = lambda *_: None

    def _counts(self) -> dict[str, int]:
        tables = [t for t in EVENT_TABLES if t != "aws_event_twin"]
        counts = ", ".join(f"(SELECT count(*) FROM {t})" for t in tables)  # noqa: S608 - own names
        return dict(zip(tables, parsed.execute(self.store.connection, f"SELECT {counts}").fetchall()[0], strict=True))

    def run(self, files: Sequence[Found], table: ReceiptTable, progress: Progress) -> IngestResult:
        """Read all files, committing group by group; what is committed stays when the run is interrupted."""
        with self._writing:
            for done, found in enumerate(files, start=1):
                self._report = partial(progress, done - 1)
                self._one(found, table)
                if self._is_full():
                    self._commit()
                elif len(self._group) >= ROW_GROUP:
                    self._write_on()
                progress(done, self._bytes, self._seen)
            self._read_small()
            self._commit()
            self._writing.wait()
        self.store.transact(self._settle)
        self.result.tables = {t: n - self._before[t] for t, n in self._counts().items()}
        return self.result

    def _is_full(self) -> bool:
        size, records = sum(item.size for item in self._pending), self._written + len(self._group)
        return records >= GROUP_RECORDS or len(self._pending) >= GROUP_FILES or size >= GROUP_BYTES

    def _one(self, found: Found, table: ReceiptTable) -> None:
        """Take one file: read it, or note why not. A small one may wait for others, which come after it."""
        facts = replace(self._facts(found, table), read_at=self.folder.clock().replace(tzinfo=None))
        if found.problem:
            state = SKIPPED if "not " in found.problem.partition(":")[2] else DEFECTIVE
            self._unread(found, facts, FileReading(state, found.problem))
            return
        data, problem = bytes_of(found.path, self._unpacking(found).limits.content)
        if problem:
            self._unread(found, facts, FileReading(DEFECTIVE, problem))
            return
        digest = sha256(data).hexdigest()
        if digest in self._withdrawn:
            self.result.skipped.append({"path": found.name, "reason": self._withdrawn[digest]})
            return
        mapped = self._maps.add(data, found.name) if found.is_map else None
        known = (found.name, digest, facts.owner) in self._known
        anew = known and not found.reference and self._opens_anew(digest, self._unpacking(found), data)
        unread = digest in self._not_read and mapped is None
        if known and not anew and not (unread and (found.is_stated or self._maps.claims(data, self.options.limits))):
            self.result.skipped.append({"path": found.name, "reason": "unchanged"})
            return
        self._known.add((found.name, digest, facts.owner))
        if found.is_indicators:
            mapped = take_indicators(data, found.name, self._group, is_new=unread or digest not in self._exhibits)
        if found.reference:
            mapped = take_reference(data, found.name, found.reference)
        if mapped is not None or not data:
            self._read_small()
            self._register(found, facts, None, mapped or FileReading(SKIPPED, "empty file"), data, digest)
            return
        moment, stated = facts.received_at or facts.read_at, facts.received_at is not None
        content, number = unpack(data, self._unpacking(found).limits), self._receipt + len(self._small) + 1
        provenance = Provenance(facts.owner, facts.organisation, moment, facts.zone, stated)
        received = Received(digest, content, number, provenance, maps=self._maps.sources)
        opened = _Opened(found, facts, received, data, digest, anew)
        if not self.options.careful and is_small(received):
            self._small.append(opened)
            files = len(self._small) + len(self._pending)
            if files >= GROUP_FILES or sum(len(item.received.content.data) for item in self._small) >= WINDOW:
                self._read_small()
            return
        self._read_small()
        self._take(opened, self._read(received, data, self._unpacking(found)))

    def _read_small(self) -> None:
        """Read the small files that wait."""
        waiting, self._small = self._small, []
        readings = self._read_contents([item.received for item in waiting]) if waiting else []
        for item, reading in zip(waiting, readings, strict=True):
            self._take(item, reading)

    def _take(self, opened: _Opened, reading: FileReading) -> None:
        """Register a file that was read."""
        digest, how = opened.digest, self._unpacking(opened.found)
        item = self._register(opened.found, opened.facts, opened.received, reading, opened.data, digest)
        item.unpacking = how.noted(reading.unlocked)
        item.was_unread |= opened.anew
        self._movable.pop(digest, None)
        if may_differ(str(defect["reason"]) for defect in reading.defects):
            self._movable[digest] = item.unpacking

    def _unpacking(self, found: Found) -> Unpacking:
        return found.unpacking or Unpacking(self.options.limits, self.options.password)

    def _opens_anew(self, digest: str, how: Unpacking, data: bytes) -> bool:
        """Whether a file that hit a limit or a lock before may give more now."""
        if digest not in self._movable:
            return False
        if limits_of(self._movable[digest]) != how.limits:
            return True
        return how.password is not None and opens(data, how.limits, how.password)

    def _read(self, received: Received, data: bytes, how: Unpacking) -> FileReading:
        """Read one received file: an archive member by member, else its content."""
        if archive_kind(received.content.data):
            return read_archive(received, data, self._read_contents, how.limits, how.password)
        self._parts = 0
        if self.options.careful:
            return read_file(received, self._group, self._hand_on)
        own = Group()  # handing on a part begins a new group of the run
        try:
            quick = read_fast(received, own, self._part)
        except NotPlain:
            self._writing.give_up()
            self._written -= self._parts
            self._parts, quick = 0, None
        self._group.bulk.extend(own.bulk)
        return read_file(received, self._group, self._hand_on) if quick is None else quick

    def _read_contents(self, contents: Sequence[Received]) -> list[FileReading]:
        """Read contents, small ones together. What came before is written when it is much; it is committed later."""
        if len(self._group) >= ROW_GROUP:
            self._write_on()
        self._parts = 0
        if self.options.careful:
            return [read_file(each, self._group, self._hand_on) for each in contents]
        together = len(contents) != 1 or is_small(contents[0])
        quick = read_together(contents, self._group) if together else [read_fast(contents[0], self._group)]
        return [r or read_file(each, self._group, self._hand_on) for r, each in zip(quick, contents, strict=True)]

    def _part(self, part: Group) -> None:
        """Write a part of a large file in a transaction that stays open until the file is read to its end.

        It may yet have to be given up, and nothing of other files with it.
        """
        if not self._parts and self._pending:
            self._commit()
        self._hand_on(part)

    def _hand_on(self, part: Group) -> None:
        """Write records of a file that is not read to its end, which bounds the memory; they are committed with it."""
        self._parts += len(part)
        self._written += len(part)
        self._report(self._bytes, self._seen + self._parts)
        self._writing.write(part)

    def _write_on(self) -> None:
        """Write the records of the pending files so far, which bounds the memory; they are committed later."""
        self._written += len(self._group)
        self._writing.write(self._group.taken())

    def _register(
        self,
        found: Found,
        facts: ReceiptFacts,
        received: Received | None,
        reading: FileReading,
        data: bytes,
        digest: str,
    ) -> Pending:
        """Give the file its exhibit number and copy the original; it is committed with the group."""
        self._receipt += 1
        is_new = digest not in self._exhibits
        exhibit = self._exhibits.setdefault(digest, f"S{len(self._exhibits) + 1:04d}")
        stored = None
        if is_new and self.options.copy:
            stored = self._copy(exhibit, found.name, data)
        if is_new and self._is_inventory(reading):
            # A statement of a person: every version is kept beside the settings, whatever happens to the rest.
            suffix = next(
                (s for s in (".json", ".jsonl", ".ndjson", ".parquet") if found.name.lower().endswith(s)), ".csv"
            )
            (self.folder.root / "inventory" / f"{exhibit}{suffix}").write_bytes(data)
        item = Pending(self._receipt, found, facts, reading, len(data), exhibit, stored, is_new, digest)
        item.was_unread = not is_new and digest in self._not_read and reading.state != SKIPPED
        if is_new and reading.state == SKIPPED:
            self._not_read.add(digest)
        elif reading.state != SKIPPED:
            self._not_read.discard(digest)
        if received is None:
            item.content_sha256, item.content_bytes = digest, len(data)
        else:
            content = received.content
            item.content_sha256, item.content_bytes, item.opened = content.sha256, len(content.data), True
        self._add(item)
        return item

    def _add(self, item: Pending) -> None:
        self._pending.append(item)
        self._bytes += item.size
        self._seen += item.reading.seen

    def _is_inventory(self, reading: FileReading) -> bool:
        """Whether a file is a key inventory, by its own form or by a map."""
        mapped = {source.id for source in self._maps.sources if source.table == "ai_key"}
        return reading.source_id == "key_inventory" or reading.source_id in mapped

    def _unread(self, found: Found, facts: ReceiptFacts, reading: FileReading) -> None:
        """A receipt without bytes: the file could not be read, or is not opened."""
        self._read_small()
        self._receipt += 1
        self._add(Pending(self._receipt, found, facts, reading, 0, None, None, False))

    def _facts(self, found: Found, table: ReceiptTable) -> ReceiptFacts:
        stated = table.find(found.name) or ReceiptFacts()
        return replace(stated, owner=self.options.owner, basis="stated") if self.options.owner else stated

    def _copy(self, exhibit: str, name: str, data: bytes) -> str | None:
        copied = copy_original(self.folder.evidence, exhibit, name, data)
        if copied is None and NO_ROOM not in self.result.notes:
            self.result.notes.append(NO_ROOM)
        return copied and f"evidence/{copied}"

    def _commit(self) -> None:
        """Hand the group over to be written and committed; the next one can be read meanwhile."""
        group, pending = self._group, self._pending
        self._group, self._pending, self._written = Group(), [], 0
        if not pending:
            return

        lines: list[dict[str, Any]] = []

        def account(counts: Counts) -> None:
            lines.extend(insert_files(self.store, pending, counts, copied=self.options.copy))

        def tell() -> None:
            append_receipts(self.folder, lines, self.options.by)
            for item, line in zip(pending, lines, strict=True):
                tally(self.result, item, line)

        self._writing.commit(group, account, tell)

    def _settle(self) -> None:
        """Flag conflicting ids, choose evidence pointers, and note the span of each file."""
        self.store.settle()
        execute = partial(parsed.execute, self.store.connection)
        execute(f"""
            UPDATE evidence_file SET first_event = s.low, last_event = s.high FROM (
              SELECT o.file_sha256, min(a.event_time) AS low, max(a.event_time) AS high
              FROM occurrence AS o JOIN (
                {EVENT_TIMES}) AS a ON a.event_key = o.event_key
              WHERE o.file_sha256 NOT IN (SELECT file_sha256 FROM withdrawal) GROUP BY o.file_sha256) AS s
            WHERE s.file_sha256 = evidence_file.file_sha256""")  # noqa: S608 - own names
        row = execute(
            "SELECT min(f.first_event), max(f.last_event) FROM evidence_file f JOIN receipt r USING (file_sha256)"
            " WHERE list_contains(?, r.receipt_id)",
            [self.result.receipts],
        ).fetchall()
        self.result.first_event, self.result.last_event = row[0]


def ingest(
    folder: CaseFolder, paths: Sequence[Path], options: IngestOptions, progress: Progress = lambda *_: None
) -> IngestResult:
    """Ingest files and folders into a case.

    Raises UsageFault for paths that do not exist or folders without files, CaseFault when the case is in use.
    An interrupted run leaves every committed group in place; running again goes on from there.
    """
    maps = found_maps(options.maps)
    lists = [*found_indicators(options.indicators), *found_references(options.references, options.reference_kind)]
    files = discover(paths, newest_first=options.newest_first)
    table = read_tables(files)
    given = {found.path.absolute() for found in (*maps, *lists)}
    files = [*maps, *lists, *(found for found in files if found.path.absolute() not in given)]
    with folder.writer("ingest") as connection:
        run = Ingest(folder, connection, options)
        append_receipts(folder, unlogged(folder, connection), options.by, late=True)
        try:
            result = run.run(files, table, progress)
        except BaseException as error:
            what = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
            folder.custody.append(
                f"ingest {what}", options.by, receipts=len(run.result.receipts), reason=type(error).__name__
            )
            raise
        folder.custody.append(
            "ingest finished",
            options.by,
            files={
                "accepted": result.accepted,
                "skipped": len(result.skipped),
                "defective": len(result.defective),
            },
            records=dict(sorted(result.records.items())),
        )
    return result
