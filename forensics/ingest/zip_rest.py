"""What a zip archive holds beside what its directory says: members of an archive that lost it, bytes that it does not name.

https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3.6 to 4.3.16
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator

from forensics.ingest.unpacking import LOCKED

_LOCAL, _END = b"PK\x03\x04", b"PK\x05\x06"
_HEADER = struct.Struct("<4xHHHHHIIIHH")
_SIZE = 30
_END_SIZE = 22
_PIECE = 65_536
_STORED, _DEFLATED = 0, 8
#: Flags of a member: encrypted, sizes only behind its content, name in UTF-8.
_ENCRYPTED, _SIZES_BEHIND, _UTF8 = 1, 8, 0x800
_IN_EXTRA = 0xFFFFFFFF
#: The checksum and sizes that may stand behind a member.
_DESCRIPTOR = 24


def in_sequence(data: bytes, room: Callable[[], int]) -> Iterator[tuple[str, bytes | None, str]]:
    """Yield name, content and problem of the members by their own headers, one after the other.

    `room`: how many bytes may still come out. Meant for an archive whose directory is cut off or damaged.
    """
    at = data.find(_LOCAL)
    while 0 <= at <= len(data) - _SIZE:
        _, flags, method, _, _, crc, packed, _, names, extras = _HEADER.unpack_from(data, at)
        start = at + _SIZE + names + extras
        name = data[at + _SIZE : at + _SIZE + names].decode("utf-8" if flags & _UTF8 else "cp437", "replace")
        sized = not flags & _SIZES_BEHIND and packed != _IN_EXTRA
        stop = min(len(data), start + packed) if sized else len(data)
        inner, end, problem = _content(data, (start, stop), flags, method if sized or method else -1, room())
        if inner is not None and not problem and not flags & _SIZES_BEHIND and zlib.crc32(inner) != crc:
            problem = "the member is damaged (checksum)"
        if sized and start + packed > len(data) and not problem:
            problem = "the member is cut off"
        if inner or problem or not name.endswith("/"):
            yield name, inner if inner or not problem else None, problem
        at = data.find(_LOCAL, max(end, at + 4))


def _content(data: bytes, span: tuple[int, int], flags: int, method: int, most: int) -> tuple[bytes | None, int, str]:
    """Return the content of a member, where it ends, and what is wrong with it."""
    start, stop = span
    if flags & _ENCRYPTED:
        return None, start, LOCKED
    if method == _DEFLATED:
        return _inflated(data, start, stop, most)
    if method != _STORED:
        return None, start, "without the directory of the archive it cannot be told how or how far to read it"
    if stop - start > most:
        return None, stop, "uncompressed size is over the limit"
    return data[start:stop], stop, ""


def _inflated(data: bytes, start: int, stop: int, most: int) -> tuple[bytes | None, int, str]:
    stream, out, at = zlib.decompressobj(-zlib.MAX_WBITS), bytearray(), start
    while not stream.eof and at < stop:
        piece = data[at : min(at + _PIECE, stop)]
        try:
            out += stream.decompress(piece, most + 1 - len(out))
        except zlib.error:
            return bytes(out), at, "the member is damaged"
        if len(out) > most:
            return None, at, "uncompressed size is over the limit"
        at += len(piece) - len(stream.unconsumed_tail)
    return bytes(out), at - len(stream.unused_data), "" if stream.eof else "the member is cut off"


def unnamed(data: bytes, archive: zipfile.ZipFile) -> list[tuple[str, str]]:
    """Return the places (a name, a remark) where an archive has bytes that its directory does not name."""
    entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
    found = []
    first = at = entries[0].header_offset if entries else archive.start_dir
    if first:
        found.append(("(before the start)", f"{first} bytes before the first member of the archive"))
    gaps = 0
    for start, end in [*((e.header_offset, _end_of(data, e)) for e in entries), (archive.start_dir, len(data))]:
        if start - at > _DESCRIPTOR and data[at:start].strip(b"\x00"):
            gaps += start - at
        at = max(at, end)
    if gaps:
        found.append(
            ("(between members)", f"{gaps} bytes that the directory of the archive does not name are not read")
        )
    behind = data.rfind(_END, archive.start_dir) + _END_SIZE + len(archive.comment)
    if data[behind:].strip(b"\x00"):
        found.append(("(after the end)", f"{len(data) - behind} bytes after the end of the archive are not read"))
    return found


def _header(data: bytes, entry: zipfile.ZipInfo) -> tuple[int, ...] | None:
    at = entry.header_offset
    return _HEADER.unpack_from(data, at) if 0 <= at <= len(data) - _SIZE else None


def _end_of(data: bytes, entry: zipfile.ZipInfo) -> int:
    header = _header(data, entry)
    return entry.header_offset + _SIZE + header[-2] + header[-1] + entry.compress_size if header else 0


def disagrees(data: bytes, entry: zipfile.ZipInfo) -> bool:
    """Return whether a member's own header states another checksum or other sizes than the directory."""
    header = _header(data, entry)
    if header is None:
        return False
    _, flags, _, _, _, *own, _, _ = header
    if flags & _SIZES_BEHIND or not any(own) or _IN_EXTRA in own:
        return False
    return own != [entry.CRC, entry.compress_size, entry.file_size]
