"""Read one file's content: recognise it, slice its records, ask the format for rows, account for each."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from forensics.ingest.collecting import Collector, Offsets, Part
from forensics.ingest.identifying import identify
from forensics.ingest.material import Material, find_material, mask_text
from forensics.ingest.mending import clean, mend
from forensics.ingest.unpack import Content
from forensics.sources.protocol import Probe, Provenance, Source
from forensics.store.eventstore import Group

#: Characters that are searched for key material at once: the search takes several times their memory.
_BLOCK = 16 * 1024**2
_SEAMS = ("}\n", "},")
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


def read_file(received: Received, group: Group, part: Part | None = None) -> FileReading:
    """Read a file into `group`. Raises nothing for what a file may contain.

    `part` takes what a group of many records holds so far, when each record stands by itself: that bounds the memory.
    """
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
    material = _material_of(text)
    _read(received, text, probe, source, group, result, material, part)
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
    part: Part | None,
) -> None:
    """Read what was recognised into `group` and `result`; what was not gets its reason."""
    content = received.content
    if source is None:
        result.material = _material_rows(text, material)
        why = result.why
        result.reason = why
        if content.problem:
            result.state, result.reason = DEFECTIVE, f"{content.problem}; {why}"
            result.defects.append(_file_defect(received, content.problem))
        elif _broken_json(probe):
            result.state, result.reason = DEFECTIVE, "broken JSON: nothing in it can be recognised"
            result.defects.append(_file_defect(received, result.reason))
        return
    result.source_id, result.reader_version = source.id, source.reader_version
    collector = Collector(received, source, text, group, result, part, masking=bool(material))
    collector.run(probe)
    result.material = _material_rows(text, material, collector.spans) + result.material
    if content.problem:
        result.defects.append(_file_defect(received, content.problem))
    result.state = DEFECTIVE if result.defects else REGISTERED if not source.table else READ
    if result.defects:
        first = result.defects[0]["reason"]
        result.reason = first if len(result.defects) == 1 else f"{len(result.defects)} defects, first: {first}"


def _material_of(text: str) -> list[Material]:
    """Return the material of a text as `find_material` does, of a long one some megabytes at a time.

    It is cut behind an object, where no value stands.
    """
    found, at = list[Material](), 0
    while len(text) - at > 2 * _BLOCK:
        cut = _behind_object(text, at)
        found += _moved(find_material(text[at:cut]), at)
        at = cut
    return found + _moved(find_material(text[at:] if at else text), at)


def _behind_object(text: str, at: int) -> int:
    """Return the last place behind an object in the block from `at` on; where there is none the next one, or the end."""
    last = max(text.rfind(mark, at, at + _BLOCK) for mark in _SEAMS)
    if last >= 0:
        return last + 1
    later = [place for mark in _SEAMS if (place := text.find(mark, at + _BLOCK)) >= 0]
    return min(later) + 1 if later else len(text)


def _moved(found: list[Material], by: int) -> list[Material]:
    return [replace(m, start=m.start + by, end=m.end + by) if m.start >= 0 else m for m in found]


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


def _material_rows(
    text: str, material: list[Material], spans: tuple[Sequence[int], Sequence[int], Sequence[int]] = ((), (), ())
) -> list[dict[str, Any]]:
    """Return rows of key_material; `spans` are starts, ends and numbers of the records, in order."""
    offsets, (starts, ends, numbers) = Offsets(text), spans
    rows = []
    for item in sorted(material, key=lambda m: m.start):
        place = bisect_right(starts, item.start) - 1
        inside = item.start >= 0 and place >= 0 and item.end <= ends[place]
        rows.append(
            {
                "record_no": numbers[place] if inside else None,
                "byte_offset": offsets.at(item.start) if item.start >= 0 else None,
                "kind": item.kind,
                "masked": item.masked,
                "digest": item.digest or None,
                "places": 1,
            }
        )
    return rows


def _broken_json(probe: Probe) -> bool:
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
