"""Members of archives, one after the other, without writing any of them to disk or using a name as a path.

zip (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT) and tar (POSIX ustar, pax, GNU), each in any of gz,
bz2, xz and zst, nested. A name is only a label. What cannot be opened is a member with a problem; its neighbours follow.
"""

from __future__ import annotations

import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import IO

from forensics.ingest.unpack import COMPRESSED, LIMITS, Content, Limits, OverLimit, archive_kind, unpack
from forensics.model.text import term_safe

SEPARATOR = "!"
_NAME = 1_000
_PIECE = 4096
#: What the readers of archives raise for bytes that are none of theirs.
_BROKEN = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError),
    *(NotImplementedError, RuntimeError, OverflowError, IndexError, KeyError, MemoryError),
)


@dataclass(frozen=True, slots=True)
class Member:
    """A member that holds no further archive. `path`: names of the containers' members joined by `!`.

    `data` is None with a `problem` when it cannot be read, or with `aside` when there is nothing to read (links). With
    both it is the part before the damage. `content` is what `data` holds, where that was uncompressed already.
    """

    path: str
    data: bytes | None
    problem: str = ""
    aside: str = ""
    content: Content | None = None


@dataclass(slots=True)
class _Walk:
    """What is used up on the way through one received file."""

    limits: Limits
    password: bytes | None
    received: int
    members: int = 0
    produced: int = 0

    def room(self) -> int:
        """Return how many bytes may still come out of this file, at the most the limit of one content."""
        by_ratio = max(self.limits.ratio * self.received, self.limits.ratio_from) - self.produced
        return max(0, min(self.limits.content, by_ratio))


def members(received: bytes, limits: Limits = LIMITS, password: str | None = None) -> Iterator[Member]:
    """Yield the members of a received archive in its order. Raises nothing for what an archive may hold."""
    walk = _Walk(limits, password.encode() if password else None, len(received))
    content = unpack(received, limits)
    if content.problem:
        yield Member("", None, problem=content.problem)
    yield from _inside(content.data, "", 1, walk)


def member(received: bytes, path: str, limits: Limits = LIMITS, password: str | None = None) -> bytes | None:
    """Return the bytes of the member at `path`, None when it is not there or cannot be read."""
    return next((m.data for m in members(received, limits, password) if m.path == path), None)


def _inside(data: bytes, above: str, depth: int, walk: _Walk) -> Iterator[Member]:
    kind = archive_kind(data)
    if depth > walk.limits.depth:
        yield Member(above, None, problem=f"archives nested deeper than {walk.limits.depth}")
        return
    seen: dict[str, int] = {}
    try:
        for name, inner, problem, aside in _zip(data, walk) if kind == "zip archive" else _tar(data, walk):
            walk.members += 1
            if walk.members > walk.limits.members:
                yield Member(above, None, problem=f"more than {walk.limits.members} members: the rest is not read")
                return
            seen[name] = seen.get(name, 0) + 1
            label = name if seen[name] == 1 else f"{name}#{seen[name]}"
            yield from _one(f"{above}{SEPARATOR if above else ''}{label}", inner, problem, aside, depth, walk)
    except OverLimit as error:
        yield Member(above, None, problem=str(error))
    except _BROKEN as error:
        yield Member(above, None, problem=f"the archive is damaged ({type(error).__name__}): the rest is not read")


def _one(path: str, data: bytes | None, problem: str, aside: str, depth: int, walk: _Walk) -> Iterator[Member]:
    if data is None:
        yield Member(path, None, problem=problem, aside=aside)
        return
    walk.produced += len(data)
    within, content = data, None
    if not archive_kind(data) and data.startswith(COMPRESSED):
        content = unpack(data, replace(walk.limits, content=walk.room()))
        within = content.data
        walk.produced += len(within)
    if not archive_kind(within):
        yield Member(path, data, problem=problem, content=content)
        return
    said = problem or (content.problem if content else "")
    if said:
        yield Member(path, None, problem=said)
    yield from _inside(within, path, depth + 1, walk)


def _label(name: str) -> str:
    return term_safe(name)[:_NAME] or "(no name)"


_Entry = tuple[str, bytes | None, str, str]


def _so_far(stream: IO[bytes], most: int) -> tuple[bytes, str]:
    """Return what comes out of a stream, and what ended it before its end. Raises OverLimit."""
    out = bytearray()
    while len(out) <= most:
        try:
            piece = stream.read(_PIECE)
        except _BROKEN as error:
            return bytes(out), f"the member is damaged ({type(error).__name__})"
        if not piece:
            return bytes(out), ""
        out += piece
    raise OverLimit("uncompressed size is over the limit")


def _zip(data: bytes, walk: _Walk) -> Iterator[_Entry]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        before = min((entry.header_offset for entry in archive.infolist()), default=0)
        if before:
            yield "(before the start)", None, "", f"{before} bytes before the first member of the archive"
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            name = _label(entry.filename)
            if entry.flag_bits & 1 and walk.password is None:
                yield name, None, "encrypted: ingest with --ask-password", ""
                continue
            try:
                with archive.open(entry, pwd=walk.password) as stream:
                    inner, problem = _so_far(stream, walk.room())
                yield name, inner if inner or not problem else None, problem, ""
            except OverLimit as error:
                yield name, None, str(error), ""
            except RuntimeError:
                yield name, None, "encrypted: the password does not open it", ""
            except _BROKEN as error:
                yield name, None, f"the member is damaged ({type(error).__name__})", ""


def _tar(data: bytes, walk: _Walk) -> Iterator[_Entry]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for entry in archive:
            name = _label(entry.name)
            if entry.isdir():
                continue
            if not entry.isreg():
                yield name, None, "", "a link or device in an archive: not followed"
                continue
            stream: IO[bytes] | None = archive.extractfile(entry)
            if stream is None:
                yield name, None, "the member has no content", ""
                continue
            try:
                inner, problem = _so_far(stream, walk.room())
            except OverLimit as error:
                yield name, None, str(error), ""
                continue
            problem = "the member is cut off" if len(inner) < entry.size else problem
            yield name, inner if inner or not problem else None, problem, ""
        end = archive.offset
    if data[end:].strip(b"\x00"):
        yield "(after the end)", None, "bytes after the end of the archive are not read", ""
