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
from dataclasses import dataclass
from typing import IO

from forensics.ingest.unpack import GZIP, LIMITS, Limits, OverLimit, archive_kind, bounded, unpack
from forensics.model.text import term_safe

SEPARATOR = "!"
_NAME = 1_000
#: What the readers of archives raise for bytes that are none of theirs.
_BROKEN = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError),
    *(NotImplementedError, RuntimeError, OverflowError, IndexError, KeyError, MemoryError),
)


@dataclass(frozen=True, slots=True)
class Member:
    """A member that holds no further archive. `path`: names of the containers' members joined by `!`.

    `data` is None with a `problem` when it cannot be read, or with `aside` when there is nothing to read (links).
    """

    path: str
    data: bytes | None
    problem: str = ""
    aside: str = ""


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
    if data is None or problem:
        yield Member(path, None, problem=problem, aside=aside)
        return
    walk.produced += len(data)
    within = data
    if not archive_kind(data) and data.startswith((GZIP, b"BZh", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\x00")):
        within = unpack(data, walk.limits).data
    if archive_kind(within):
        yield from _inside(within, path, depth + 1, walk)
    else:
        yield Member(path, data)


def _label(name: str) -> str:
    return term_safe(name)[:_NAME] or "(no name)"


_Entry = tuple[str, bytes | None, str, str]


def _zip(data: bytes, walk: _Walk) -> Iterator[_Entry]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            name = _label(entry.filename)
            if entry.flag_bits & 1 and walk.password is None:
                yield name, None, "encrypted: ingest with --ask-password", ""
                continue
            try:
                with archive.open(entry, pwd=walk.password) as stream:
                    yield name, bounded(stream, walk.room()), "", ""
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
                inner = bounded(stream, walk.room())
            except OverLimit as error:
                yield name, None, str(error), ""
                continue
            short = len(inner) < entry.size
            yield name, None if short else inner, "the member is cut off" if short else "", ""
        end = archive.offset
    if data[end:].strip(b"\x00"):
        yield "(after the end)", None, "bytes after the end of the archive are not read", ""
