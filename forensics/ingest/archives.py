"""Members of archives, one after the other, without writing any of them to disk or using a name as a path.

zip (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT) and tar (POSIX ustar, pax, GNU), each in any of gz,
bz2, xz and zst, nested. A name is only a label. What cannot be opened is a member with a problem; its neighbours follow.
"""

from __future__ import annotations

import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import IO

from forensics.ingest.unpack import COMPRESSED, LIMITS, Content, Limits, OverLimit, archive_kind, is_header, unpack
from forensics.ingest.unpacking import LOCKED
from forensics.ingest.zip_aes import NotOpened, is_aes, plain_member
from forensics.ingest.zip_rest import disagrees, in_sequence, unnamed
from forensics.model.masking import mask_keys
from forensics.model.text import term_safe

SEPARATOR = "!"
_NAME = 1_000
_PIECE = 4096
_BLOCK, _PADDING = tarfile.BLOCKSIZE, re.compile(b"\\0*")
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
    tally: Counter[str] = field(default_factory=Counter)

    def room(self) -> int:
        """Return how many bytes may still come out of this file, at the most the limit of one content."""
        by_ratio = max(self.limits.ratio * self.received, self.limits.ratio_from) - self.produced
        return max(0, min(self.limits.content, by_ratio))


def members(
    received: bytes, limits: Limits = LIMITS, password: str | None = None, tally: Counter[str] | None = None
) -> Iterator[Member]:
    """Yield the members of a received archive in its order. Raises nothing for what an archive may hold.

    `tally` counts `unlocked`: members that the password opened.
    """
    walk = _Walk(limits, password.encode() if password else None, len(received))
    walk.tally = walk.tally if tally is None else tally
    content = unpack(received, limits)
    if content.problem:
        yield Member("", None, problem=content.problem)
    yield from _inside(content.data, "", 1, walk)


def opens(received: bytes, limits: Limits, password: str) -> bool:
    """Return whether the password opens a member of the archive."""
    tally: Counter[str] = Counter()
    return any(tally["unlocked"] for _ in members(received, limits, password, tally))


def member(received: bytes, path: str, limits: Limits = LIMITS, password: str | None = None) -> bytes | None:
    """Return the bytes of the member at `path`, None when it is not there or cannot be read."""
    return next((m.data for m in members(received, limits, password) if m.path == path), None)


def _inside(data: bytes, above: str, depth: int, walk: _Walk) -> Iterator[Member]:
    kind = archive_kind(data)
    if depth > walk.limits.depth:
        yield Member(above, None, problem=f"archives nested deeper than {walk.limits.depth}")
        return
    seen: dict[str, int] = {}
    used: set[str] = set()
    try:
        for name, inner, problem, aside in _zip(data, walk) if kind == "zip archive" else _tar(data, walk):
            walk.members += 1
            if walk.members > walk.limits.members:
                yield Member(above, None, problem=f"more than {walk.limits.members} members: the rest is not read")
                return
            label = _own(name, seen, used)
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
    """Return a member's name as it may be shown and stored, without the mark that stands between names."""
    return mask_keys(term_safe(name[:_NAME])).replace(SEPARATOR, r"\x21")[:_NAME] or "(no name)"


def _own(name: str, seen: dict[str, int], used: set[str]) -> str:
    """Return a name that no member before has: a place in the evidence leads to one member."""
    label = name
    while label in used:
        seen[name] = seen.get(name, 1) + 1
        label = f"{name}#{seen[name]}"
    used.add(label)
    return label


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
    try:
        opened = zipfile.ZipFile(io.BytesIO(data))
    except zipfile.BadZipFile:
        for name, inner, problem in in_sequence(data, walk.room):
            yield _label(name), inner, problem, ""
        raise  # which says that there may be more
    with opened as archive:
        for name, remark in unnamed(data, archive):
            yield name, None, "", remark
        for entry in archive.infolist():
            if not entry.is_dir() or entry.file_size:
                yield _of_zip(archive, data, entry, walk)


def _of_zip(archive: zipfile.ZipFile, data: bytes, entry: zipfile.ZipInfo, walk: _Walk) -> _Entry:
    name, locked = _label(entry.filename), bool(entry.flag_bits & 1)
    if locked and walk.password is None:
        return name, None, LOCKED, ""
    try:
        with _stream(archive, data, entry, walk.password) as stream:
            inner, problem = _so_far(stream, walk.room())
    except OverLimit as error:
        return name, None, str(error), ""
    except NotImplementedError:
        how = f"method {entry.compress_type}, flags {entry.flag_bits:#x}"
        return name, None, f"compressed or encrypted in a way that is not supported ({how})", ""
    except (RuntimeError, NotOpened):
        return name, None, LOCKED, ""
    except _BROKEN as error:
        return name, None, f"the member is damaged ({type(error).__name__})", ""
    if not problem and disagrees(data, entry):
        problem = "the directory of the archive and the member's own header state another size or checksum"
    elif locked and problem:  # a wrong password passes the check of one byte now and then, and gives nonsense
        return name, None, LOCKED, ""
    walk.tally["unlocked"] += locked
    return name, inner if inner or not problem else None, problem, ""


def _stream(archive: zipfile.ZipFile, data: bytes, entry: zipfile.ZipInfo, password: bytes | None) -> IO[bytes]:
    if password and is_aes(entry):
        return plain_member(data, entry, password)
    return archive.open(entry, pwd=password)


def _tar(data: bytes, walk: _Walk) -> Iterator[_Entry]:
    """Yield the members; behind a header that is damaged it goes on with the next sound one."""
    whole, start = io.BytesIO(data), 0
    while True:
        whole.seek(start)
        with tarfile.open(fileobj=whole, mode="r:") as archive:
            for entry in archive:
                yield from _of_tar(archive, entry, walk)
            start = archive.offset
        padded = _PADDING.match(data, start).end() - start  # type: ignore[union-attr]  # it matches nothing too
        if start + padded >= len(data):
            return
        if padded >= _BLOCK:
            yield "(after the end)", None, "bytes after the end of the archive are not read", ""
            return
        found = _next_header(data, start + _BLOCK)
        yield "(damaged header)", None, f"the header of a member is damaged: {found - start} bytes are not read", ""
        if found == len(data):
            return
        start = found


def _next_header(data: bytes, start: int) -> int:
    """Return where the next header of a member seems to begin, the end of the data when there is none."""
    places = range(start, len(data), _BLOCK)
    return next((n for n in places if data.startswith(b"ustar", n + 257) or is_header(data[n : n + _BLOCK])), len(data))


def _of_tar(archive: tarfile.TarFile, entry: tarfile.TarInfo, walk: _Walk) -> Iterator[_Entry]:
    name = _label(entry.name)
    if entry.isdir():
        return
    # A kind that nobody defined is a file, as the standard has it.
    stream = archive.extractfile(entry) if not (entry.issym() or entry.islnk()) else None
    if stream is None:
        yield name, None, "", "a link or device in an archive: not followed"
        return
    try:
        inner, problem = _so_far(stream, walk.room())
    except OverLimit as error:
        yield name, None, str(error), ""
        return
    problem = "the member is cut off" if len(inner) < entry.size else problem
    yield name, inner if inner or not problem else None, problem, ""
