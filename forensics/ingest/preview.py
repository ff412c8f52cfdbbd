"""What each file would be taken for, and why, before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from forensics.ingest.archives import Member, members
from forensics.ingest.discover import bytes_of, discover
from forensics.ingest.identifying import identify
from forensics.ingest.maps import Maps, found_maps
from forensics.ingest.material import mask_text
from forensics.ingest.reading import BROKEN, Received, is_broken, read_file
from forensics.ingest.unpack import LIMITS, Content, Limits, archive_kind, unpack
from forensics.sources.column_map import MappedSource
from forensics.sources.protocol import Provenance
from forensics.store.eventstore import Group

#: Columns of the register, which say nothing of the map.
_HIDDEN = frozenset({"event_key", "canonical_sha256", "evidence", "file_sha256", "native_id", "received_at", "owner"})
_FAULTS = 5


def preview(
    paths: Sequence[Path],
    limits: Limits = LIMITS,
    password: str | None = None,
    maps: Sequence[Path] = (),
    progress: Callable[[int, int, int], None] = lambda *_: None,
) -> list[dict[str, Any]]:
    """Return for each file, and each member of an archive, what it would be taken for and why; writes nothing.

    For a file that a column map claims, `mapping` says in words what becomes of its columns, and `first_row` shows its
    first row. `progress` gets files and bytes that were looked at, and 0: records are not counted. Raises UsageFault that
    names every fault of a map.
    """
    out: list[dict[str, Any]] = []
    given = Maps()
    for found in found_maps(maps):
        reading = given.add(found.path.read_bytes(), found.name)
        out.append(
            {"path": found.name, "source": reading.source_id or "", "why": reading.why, "mapping": reading.notes}
        )
    size = 0
    for done, found in enumerate(discover(paths)):
        progress(done, size, 0)
        if found.problem:
            out.append({"path": found.name, "source": "", "why": found.problem})
            continue
        data, problem = bytes_of(found.path, limits.content)
        if problem:
            out.append({"path": found.name, "source": "", "why": problem})
            continue
        size += len(data)
        content = unpack(data, limits)
        if archive_kind(content.data):
            parts = members(data, limits, password)
            out += [_of_member(f"{found.name}!{part.path}", part, limits, given) for part in parts]
        else:
            out.append(_taken_for(found.name, content, given))
    return out


def _of_member(name: str, part: Member, limits: Limits, given: Maps) -> dict[str, Any]:
    if part.aside or part.data is None:
        return {"path": name, "source": "", "why": part.aside or part.problem}
    content = part.content or unpack(part.data, limits)
    return _taken_for(name, replace(content, problem=part.problem or content.problem), given)


def _taken_for(name: str, content: Content, given: Maps) -> dict[str, Any]:
    """Return what a content would be taken for, and why, with what is wrong with it as ingest would say."""
    if content.problem and not content.data:
        return {"path": name, "source": "", "why": content.problem}
    try:
        _, probe, source, why = identify(content, given.sources)
    except RecursionError:
        return {"path": name, "source": "", "why": "nested too deep to be recognised"}
    why = BROKEN if source is None and not content.problem and is_broken(probe) else why
    why = f"{content.problem}; {why}" if content.problem else why
    facts: dict[str, Any] = {"path": name, "source": source.id if source else "", "why": mask_text(why)}
    if isinstance(source, MappedSource):
        facts |= {"mapping": source.map.explained(), **_first_row(content, source)}
    return facts


def _first_row(content: Content, source: MappedSource) -> dict[str, Any]:
    """Return the first row that the map makes, and how many records become rows or defects."""
    group = Group()
    received = Received(content.sha256, content, 1, Provenance(), maps=(source,))
    reading = read_file(received, group)
    rows = group.rows.get(source.table, [])
    kept = {n: v for n, v in (rows[0] if rows else {}).items() if v is not None and n in source.map.fills.names}
    shown = {n: str(v) for n, v in kept.items() if n not in _HIDDEN}
    faults = sorted({str(defect["reason"]) for defect in reading.defects})[:_FAULTS]
    counts = {"records": reading.seen, "rows": len(rows), "defects": len(reading.defects)}
    return {"first_row": shown, "counts": counts, "faults": faults, "notes": reading.notes}
