"""Read one file's content: recognise it, slice its records, ask the format for rows, account for each."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import islice
from typing import Any

from forensics.ingest.careful import Slice, Walker, parse
from forensics.ingest.enclosed import opened
from forensics.ingest.identifying import identify
from forensics.ingest.material import Material, contents_of, find_material, mask_text, masked_json
from forensics.ingest.mending import clean, mend, readable
from forensics.ingest.rows import csv_records, line_records
from forensics.ingest.unpack import Content, byte_length
from forensics.model.buckets import says_more
from forensics.model.fields import inside, plain
from forensics.sources.protocol import Document, Enclosing, Probe, Provenance, RawRecord, Reading, RowOrDefect, Source
from forensics.store.eventstore import Group, Place, evidence_pointer
from forensics.store.identity import canonical_sha256, event_key, owned_id

_CHUNK = 2_000
#: Tables of formats whose records may hold prompts and answers.
_WITH_CONTENT = frozenset({"ai_request", "ai_usage", "ai_audit_event"})
BROKEN = "broken JSON: nothing in it can be recognised"
_MORE = "truncated: the last page says that more follows"
SKIPPED, READ, DEFECTIVE, REGISTERED = "skipped", "read", "defective", "registered"


@dataclass(slots=True)
class FileReading:
    """What one file gave. seen = rows offered + defects of records + out of scope, always.

    `unlocked`: members of an archive that the password opened.
    """

    state: str = SKIPPED
    reason: str = ""
    source_id: str | None = None
    reader_version: str | None = None
    seen: int = 0
    offered: int = 0
    out_of_scope: int = 0
    defects: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    why: str = ""
    material: list[dict[str, Any]] = field(default_factory=list)
    unlocked: int = 0


@dataclass(frozen=True, slots=True)
class Received:
    """A received file on its way into the store."""

    file_sha256: str
    content: Content
    receipt_id: int
    provenance: Provenance
    member_path: str = ""
    maps: tuple[Source, ...] = ()


class _Offsets:
    """Turns increasing character positions into byte offsets without counting from the start each time."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.ascii = text.isascii()
        self.position = 0
        self.offset = 0

    def at(self, position: int) -> int:
        if self.ascii:
            return position
        if position < self.position:
            self.position = self.offset = 0
        self.offset += byte_length(self.text[self.position : position])
        self.position = position
        return self.offset


def read_file(received: Received, group: Group) -> FileReading:
    """Read a file into `group`. Raises nothing for what a file may contain."""
    content = received.content
    if content.problem and not content.data:
        return FileReading(DEFECTIVE, content.problem, defects=[_file_defect(received, content.problem)])
    try:
        text, probe, source, why = identify(content, received.maps)
    except RecursionError:
        return FileReading(
            DEFECTIVE, "nested too deep to be recognised", defects=[_file_defect(received, "nested too deep")]
        )
    result = FileReading(notes=list(content.notes), why=why)
    material = find_material(text)
    _read(received, text, probe, source, group, result, material)
    if material:
        _mask_talk(result)
    _mend_talk(result)
    return result


def _read(
    received: Received,
    text: str,
    probe: Probe,
    source: Source | None,
    group: Group,
    result: FileReading,
    material: list[Material],
) -> None:
    """Read what was recognised into `group` and `result`; what was not gets its reason."""
    content = received.content
    if source is None:
        result.material = _material_rows(text, material, [])
        why = result.why
        result.reason = why
        if content.problem:
            result.state, result.reason = DEFECTIVE, f"{content.problem}; {why}"
            result.defects.append(_file_defect(received, content.problem))
        elif is_broken(probe):
            result.state, result.reason = DEFECTIVE, BROKEN
            result.defects.append(_file_defect(received, result.reason))
        return
    result.source_id, result.reader_version = source.id, source.reader_version
    collector = _Collector(received, source, text, group, result, masking=bool(material))
    collector.run(probe)
    result.material = _material_rows(text, material, collector.spans) + result.material
    if content.problem:
        result.defects.append(_file_defect(received, content.problem))
    result.state = DEFECTIVE if result.defects else REGISTERED if not source.table else READ
    if result.defects:
        first = result.defects[0]["reason"]
        result.reason = first if len(result.defects) == 1 else f"{len(result.defects)} defects, first: {first}"


def _mask_talk(result: FileReading) -> None:
    """Mask what is told of a file that holds key material: names and texts of it may stand in reasons."""
    result.reason, result.why = mask_text(result.reason), mask_text(result.why)
    result.notes = [mask_text(note) for note in result.notes]
    for defect in result.defects:
        defect["reason"] = mask_text(defect["reason"])


def _mend_talk(result: FileReading) -> None:
    """Make what is told of a file storable: names of it that no UTF-8 text can hold may stand in reasons."""
    result.reason, result.why = mend(result.reason), mend(result.why)
    result.notes = mend(result.notes)
    result.defects = [clean(defect) for defect in result.defects]


def _material_rows(text: str, material: list[Material], spans: list[tuple[int, int, int]]) -> list[dict[str, Any]]:
    """Return rows of key_material; `spans` are start, end and number of the records, in order."""
    offsets, starts = _Offsets(text), [span[0] for span in spans]
    rows = []
    for item in sorted(material, key=lambda m: m.start):
        place = bisect_right(starts, item.start) - 1
        inside = item.start >= 0 and place >= 0 and item.end <= spans[place][1]
        rows.append(
            {
                "record_no": spans[place][2] if inside else None,
                "byte_offset": offsets.at(item.start) if item.start >= 0 else None,
                "kind": item.kind,
                "masked": item.masked,
                "digest": item.digest or None,
                "places": 1,
            }
        )
    return rows


def is_broken(probe: Probe) -> bool:
    """Return whether a text begins like JSON and nothing of it can be read."""
    return (
        probe.form == "json"
        and probe.sample is None
        and not probe.keys
        and probe.text_head[:2].strip() not in ("[]", "{}", "[")
    )


def _file_defect(received: Received, reason: str) -> dict[str, Any]:
    return {
        "file_sha256": received.file_sha256,
        "receipt_id": received.receipt_id,
        "reason": reason,
        "is_record": False,
    }


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


class _Collector:
    """Carries a file's records from the text to the group."""

    def __init__(
        self, received: Received, source: Source, text: str, group: Group, result: FileReading, *, masking: bool
    ) -> None:
        self.received = received
        self.masking = masking
        self.spans: list[tuple[int, int, int]] = []
        self.source = source
        self.text = text
        self.group = group
        self.result = result
        self.offsets = _Offsets(text)

    def run(self, probe: Probe) -> None:
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
            self.spans.append((piece.start, piece.end, number))
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
            native, row = mask_text(native), _masked(row)
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
            if self.masking:
                raw = masked_json(raw)
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


def _masked(row: dict[str, Any]) -> dict[str, Any]:
    return {name: mask_text(value) if isinstance(value, str) else value for name, value in row.items()}


def _projected(record: RawRecord, row: dict[str, Any]) -> tuple[RawRecord, str]:
    """Return the record that a CloudTrail row is projected from, and its fidelity: `raw` of the row, else the record."""
    raw, fidelity = row.get("raw"), row.get("fidelity") or "full"
    if raw is None:
        return record, fidelity
    value, _, _, flags = parse(raw, 0)
    return replace(record, text=raw, value=value, flags=record.flags | flags), fidelity
