"""Read an archive as one received file: every member is read by itself, and their accounts are added."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from forensics.ingest.archives import Member, members
from forensics.ingest.fast_windows import WINDOW, is_small
from forensics.ingest.reading import DEFECTIVE, READ, REGISTERED, SKIPPED, FileReading, Received
from forensics.ingest.unpack import LIMITS, Limits, unpack

_SHOWN = 20
_ORDER = (DEFECTIVE, READ, REGISTERED, SKIPPED)

#: Reads contents; small plain ones come together, any other alone.
Reader = Callable[[Sequence[Received]], Sequence[FileReading]]


def read_archive(
    received: Received, data: bytes, read: Reader, limits: Limits = LIMITS, password: str | None = None
) -> FileReading:
    """Read the members of the archive `data` with `read` and return the account of them all.

    Reasons, remarks and defects name their member; the place of each record carries its path.
    """
    total = FileReading(why="archive")
    states: set[str] = set()
    kinds: dict[str, str] = {}
    unread: list[str] = []
    tally: Counter[str] = Counter()
    for path, reading in _readings(received, members(data, limits, password, tally), read, limits):
        states.add(reading.state)
        if reading.source_id:
            kinds[reading.source_id] = reading.reader_version or ""
        elif reading.state == SKIPPED:
            unread.append(f"{path}: {reading.reason}")
        _add(total, reading, path)
    total.unlocked = tally["unlocked"]
    total.state = next((state for state in _ORDER if state in states), SKIPPED)
    total.source_id = next(iter(kinds)) if len(kinds) == 1 else "archive" if kinds else None
    total.reader_version = ", ".join(f"{k} {v}" for k, v in sorted(kinds.items())) or None
    total.notes += [f"not read: {each}" for each in unread[:_SHOWN]]
    if len(unread) > _SHOWN:
        total.notes.append(f"not read: {len(unread) - _SHOWN} further members")
    total.reason = _reason(total, len(unread), bool(states))
    return total


def _readings(
    received: Received, found: Iterable[Member], read: Reader, limits: Limits
) -> Iterator[tuple[str, FileReading]]:
    """Yield the readings of members in their order, with their paths; small ones wait for others."""
    waiting: list[Received] = []
    for member in found:
        opened = _opened(member, received, limits)
        if isinstance(opened, Received) and is_small(opened):
            waiting.append(opened)
            if sum(len(item.content.data) for item in waiting) < WINDOW:
                continue
            opened = None
        yield from zip([item.member_path for item in waiting], read(waiting), strict=True)
        waiting = []
        if isinstance(opened, Received):
            yield member.path, read([opened])[0]
        elif opened is not None:
            yield member.path, opened
    yield from zip([item.member_path for item in waiting], read(waiting), strict=True)


def _opened(found: Member, received: Received, limits: Limits) -> Received | FileReading | None:
    """Return what a member holds, or why it is not read."""
    if found.aside:
        return FileReading(SKIPPED, found.aside)
    if found.data is None:
        defect = {"file_sha256": received.file_sha256, "receipt_id": received.receipt_id, "is_record": False}
        return FileReading(DEFECTIVE, found.problem, defects=[{**defect, "reason": found.problem}])
    if not found.data:
        return FileReading(SKIPPED, "empty file")
    content = found.content or unpack(found.data, limits)
    if found.problem:
        content = replace(content, complete=False, problem=found.problem)
    return replace(received, content=content, member_path=found.path)


def _add(total: FileReading, reading: FileReading, path: str) -> None:
    total.seen += reading.seen
    total.offered += reading.offered
    total.out_of_scope += reading.out_of_scope
    named: list[dict[str, Any]] = [
        {**d, "reason": f"{path}: {d['reason']}" if path else d["reason"]} for d in reading.defects
    ]
    total.defects += named
    total.notes += [f"{path}: {text}" for text in dict.fromkeys(reading.notes)]
    total.material += [{**row, "member_path": path} for row in reading.material]


def _reason(total: FileReading, unread: int, has_members: bool) -> str:
    if total.defects:
        first = total.defects[0]["reason"]
        return str(first) if len(total.defects) == 1 else f"{len(total.defects)} defects, first: {first}"
    if not has_members:
        return "an archive without members"
    return f"an archive with {unread} members that are not read" if unread and not total.source_id else ""
