"""Carry the records of one file from its text to a group: slice them, ask the format for rows, account for each."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from forensics.ingest.careful import Slice, Walker, parse
from forensics.ingest.enclosed import opened
from forensics.ingest.material import IS_HEX, TOO_SHORT, contents_of, mask_text, masked_json, suspects_of
from forensics.ingest.mending import clean, mend, readable
from forensics.ingest.rows import csv_records, line_records
from forensics.ingest.unpack import byte_length
from forensics.model.buckets import says_more
from forensics.model.fields import inside, plain
from forensics.sources.protocol import Document, Enclosing, Probe, RawRecord, Reading, RowOrDefect, Source
from forensics.store.duckdb_engine import ROW_GROUP
from forensics.store.eventstore import Group, Place, evidence_pointer
from forensics.store.identity import canonical_sha256, event_key, owned_id

if TYPE_CHECKING:
    from forensics.ingest.reading import FileReading, Received

#: Takes the records of a file that were read so far.
Part = Callable[[Group], None]

_CHUNK = 2_000
#: Fewer records are masked one by one: the pattern over all is compiled for each call. So are very long ones (characters).
_TOGETHER, _LONG = 64, 256 * 1024**2
#: Tables of formats whose records may hold prompts and answers.
_WITH_CONTENT = frozenset({"ai_request", "ai_usage", "ai_audit_event"})
_MORE = "truncated: the last page says that more follows"


class Offsets:
    """Turns increasing character positions into byte offsets without counting from the start each time."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.ascii = text.isascii()
        self.position = 0
        self.offset = 0

    def at(self, position: int) -> int:
        """Return how many bytes come before a character."""
        if self.ascii:
            return position
        if position < self.position:
            self.position = self.offset = 0
        self.offset += byte_length(self.text[self.position : position])
        self.position = position
        return self.offset


def _as_far_as_told(document: Document, reading: Reading) -> Reading:
    """Say of any format's page that more follows where the page says so; such a page proves no absence at its end."""
    if says_more(document.envelopes, len(document.records)):
        reading.coverage = [{**row, "truncated": True} for row in reading.coverage]
        if not any(note.startswith("truncated") for note in reading.notes):
            reading.notes.append(_MORE)
    elif document.envelopes and plain(inside(document.envelopes[-1], "cursor")):
        reading.notes.append(
            "the last page has a cursor: only the next page, if it is empty, says that nothing follows"
        )
    return reading


class Collector:
    """Carries a file's records from the text to the group.

    Where masking, `spans` are the records' starts, ends (characters) and numbers, in their order.
    """

    def __init__(
        self,
        received: Received,
        source: Source,
        text: str,
        group: Group,
        result: FileReading,
        part: Part | None,
        *,
        masking: bool,
    ) -> None:
        self.received = received
        self.part = part
        self.masking = masking
        self.spans = (array("q"), array("q"), array("q"))
        self.source = source
        self.text = text
        self.group = group
        self.result = result
        self.offsets = Offsets(text)

    def run(self, probe: Probe) -> None:
        """Read all records: each becomes a row, a defect or out of scope."""
        walker = None
        if probe.form in ("csv", "lines"):
            slices: Iterator[Slice] = csv_records(self.text) if probe.form == "csv" else line_records(self.text)
        else:
            walker = Walker(self.text, self.source.record_path(probe))
            slices = walker.records()
        if isinstance(self.source, Enclosing):
            slices = opened(slices, self.text, self.source.inside)
        numbered = enumerate(slices)
        if self.source.table == "aws_event":
            while chunk := list(islice(numbered, _CHUNK)):
                self._take(self.source.read(self._document(chunk, None)))
                if self.part and len(self.group) >= ROW_GROUP:
                    self.part(self.group.taken())
            if walker and says_more(walker.outline.envelopes):
                self._remark(_MORE)
            return
        document = self._document(numbered, walker)
        reading = self.source.read(document)
        self._take(_as_far_as_told(document, reading))

    def _document(self, numbered: Iterable[tuple[int, Slice]], walker: Walker | None) -> Document:
        records = [record for number, piece in numbered if (record := self._record(number, piece)) is not None]
        outline = walker.outline if walker else None
        return Document(
            records,
            outline.envelopes if outline else (),
            outline.contexts if outline else (),
            self.received.provenance,
        )

    def _record(self, number: int, piece: Slice) -> RawRecord | None:
        """Return the record of a slice, or note its defect and return None."""
        self.result.seen += 1
        offset = self.offsets.at(piece.start)
        outer = self.text[piece.start : piece.end]
        length = byte_length(outer)
        if self.masking:
            for column, value in zip(self.spans, (piece.start, piece.end, number), strict=True):
                column.append(value)
        if piece.fault and any(c.get("messageType") == "CONTROL_MESSAGE" for c in piece.contexts):
            self.result.out_of_scope += 1
            self._remark("control messages of a CloudWatch Logs subscription: no events")
            return None
        if piece.fault:
            self._defect(number, offset, length, piece.fault)
            return None
        self._note_contents(number, offset, piece.value)
        text = piece.inner if piece.inner is not None else outer
        return RawRecord(number, offset, length, text, piece.value, piece.contexts, piece.pointer, piece.flags)

    def _remark(self, note: str) -> None:
        if note not in self.result.notes:
            self.result.notes.append(note)

    def _note_contents(self, number: int, offset: int, value: Any) -> None:
        """Note where a record of a model request holds what was asked or answered."""
        fields = contents_of(value) if self.source.table in _WITH_CONTENT else 0
        if fields:
            self.result.material.append(
                {"record_no": number, "byte_offset": offset, "kind": "content", "places": fields}
            )

    def _defect(self, number: int, offset: int, length: int, reason: str) -> None:
        self.result.defects.append(
            {
                "file_sha256": self.received.file_sha256,
                "receipt_id": self.received.receipt_id,
                "record_no": number,
                "byte_offset": offset,
                "byte_length": length,
                "reason": reason,
                "is_record": True,
            }
        )

    def _take(self, reading: Reading) -> None:
        before = len(self.group.aws)
        if self.masking:
            events = [a.row for a in reading.answers if a.row and (a.table or self.source.table) == "aws_event"]
            _mask_together([row for row in events if row.get("raw") is not None], mask_text)
        for answer in reading.answers:
            record = answer.record
            if answer.out_of_scope:
                self.result.out_of_scope += 1
                if answer.out_of_scope not in self.result.notes:
                    self.result.notes.append(answer.out_of_scope)
            elif answer.row is None:
                self._defect(record.number, record.offset, record.length, answer.defect or "not readable")
            else:
                self._offer(answer, answer.row)
        if self.masking:
            _mask_together(self.group.aws[before:], masked_json)
        self.result.notes += [note for note in reading.notes if note not in self.result.notes]
        for row in reading.coverage:
            head = {"source_id": self.source.id, "provider": self.source.provider, **self._head()}
            self.group.other.setdefault("ai_coverage", []).append(
                {**head, **row, "file_sha256": self.received.file_sha256}
            )

    def _head(self) -> dict[str, Any]:
        provenance = self.received.provenance
        return {
            "owner": provenance.owner,
            "organisation": provenance.organisation,
            "received_at": provenance.received_at,
        }

    def _offer(self, answer: RowOrDefect, row: dict[str, Any]) -> None:
        record, provenance = answer.record, self.received.provenance
        record_sha = sha256(
            record.text.encode("utf-8", "surrogateescape" if not record.pointer else "surrogatepass")
        ).hexdigest()
        native, table = answer.native_id, answer.table or self.source.table
        if self.masking:
            native, row = native if IS_HEX(native) else mask_text(native), _masked(row, table)
        if table != "aws_event":
            native = owned_id(native, provenance.owner, provenance.organisation)
        if answer.content is not None:
            record = replace(record, value=answer.content)
        given, fidelity = _projected(record, row) if table == "aws_event" else (record, "full")
        # What is less than the full record is never the same content as a full one.
        inner = given.value if fidelity == "full" else {"fidelity": fidelity, "record": given.value}
        canonical = canonical_sha256(inner)
        key = event_key(self.source.id, native, record_sha)
        native = mend(native)
        place = Place(
            own_key=key,
            native_id=native,
            canonical_sha256=canonical,
            table=table,
            file_sha256=self.received.file_sha256,
            content_sha256=self.received.content.sha256,
            receipt_id=self.received.receipt_id,
            record_no=record.number,
            byte_offset=record.offset,
            byte_length=record.length,
            json_pointer=record.pointer,
            member_path=self.received.member_path,
            record_sha256=record_sha,
        )
        self.group.places.append(place)
        self.result.offered += 1
        common = {
            "source_id": self.source.id,
            "native_id": native,
            "canonical_sha256": canonical,
            "owner": provenance.owner,
            "file_sha256": place.file_sha256,
        }
        if table == "aws_event":
            raw, repaired = readable(given)
            flags = {"text_repaired": repaired, "duplicate_names": "duplicate_names" in record.flags}
            known = clean({"unmapped": row.get("unmapped"), "fidelity": fidelity})
            at = {"evidence_sha256": place.content_sha256, "evidence_record": place.record_no}
            self.group.aws.append({**common, **flags, **known, **at, "own_key": key, "raw": raw})
        else:
            pointer = evidence_pointer(place.content_sha256, place.record_no)
            head = {"event_key": key, "evidence": pointer, **self._head()}
            self.group.rows.setdefault(table, []).append(
                clean({"provider": self.source.provider, **row, **common, **head})
            )


def _mask_together(rows: list[dict[str, Any]], mask: Callable[[str], str]) -> None:
    """Mask the texts of CloudTrail records: of many, a closer look goes to those alone that may hold something."""
    texts: Mapping[int, str] = {number: row["raw"] for number, row in enumerate(rows)}
    if len(rows) >= _TOGETHER and sum(map(len, texts.values())) <= _LONG:
        written = [mend(text) for text in texts.values()]
        texts = {number: texts[number] for number in suspects_of(pa.array(written, pa.string()))}
    for number, text in texts.items():
        rows[number]["raw"] = mask(text)


def _masked(row: dict[str, Any], table: str) -> dict[str, Any]:
    done = "raw" if table == "aws_event" else ""
    return {n: mask_text(v) if isinstance(v, str) and n != done and len(v) > TOO_SHORT else v for n, v in row.items()}


def _projected(record: RawRecord, row: dict[str, Any]) -> tuple[RawRecord, str]:
    """Return the record that a CloudTrail row is projected from, and its fidelity: `raw` of the row, else the record."""
    raw, fidelity = row.get("raw"), row.get("fidelity") or "full"
    if raw is None:
        return record, fidelity
    value, _, _, flags = parse(raw, 0)
    return replace(record, text=raw, value=value, flags=record.flags | flags), fidelity
