"""From bytes as received to text: one bounded member of a compressed stream, then the encoding by its mark."""

from __future__ import annotations

import bz2
import codecs
import io
import lzma
import re
import zlib
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pyarrow as pa
from isal import isal_zlib

GZIP = b"\x1f\x8b"
_BZIP2, _XZ, _ZSTD = b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"
#: Frames that hold nothing to uncompress, with which some writers of zstd begin a file: their size follows.
_SKIPPED = tuple(bytes((first,)) + b"\x2a\x4d\x18" for first in range(0x50, 0x60))
COMPRESSED = (GZIP, _BZIP2, _XZ, _ZSTD, *_SKIPPED)
_STEP = 1 << 20
_NULS = re.compile(b"\\0*")
_Damaged: type[Exception] = isal_zlib.error  # type: ignore[assignment]  # its stub says it is one
#: A call of a decompressor that fails gives nothing of its piece: small pieces lose little.
_SMALL = 4096
#: How every message of a CloudWatch Logs subscription begins.
_SUBSCRIPTION = b'{"messageType":'


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of what a received file may become: bytes of one content, ratio to the received size, members, nesting.

    The ratio counts only from `ratio_from` bytes on: small files compress as they like.
    """

    content: int = 4 * 1024**3
    ratio: int = 200
    members: int = 100_000
    depth: int = 5
    ratio_from: int = 64 * 1024**2


LIMITS = Limits()


class OverLimit(Exception):
    """More came out of a stream than its limit."""


#: Containers and binaries that are named as such when met.
_MAGIC = (
    (b"PK\x03\x04", "zip archive"),
    (b"PK\x05\x06", "zip archive"),
    (b"PAR1", "Parquet file"),
    (_BZIP2, "bzip2 file"),
    (_ZSTD, "zstd file"),
    *((mark, "zstd file") for mark in _SKIPPED),
    (_XZ, "xz file"),
    (b"7z\xbc\xaf\x27\x1c", "7z archive"),
    (b"Rar!\x1a\x07", "RAR archive"),
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG picture"),
    (b"SQLite format 3\x00", "SQLite database"),
)


@dataclass(slots=True)
class Content:
    """Uncompressed content with what was odd about it, and the limits it was opened with. `complete` is False when the stream is cut or damaged."""

    data: bytes
    sha256: str
    complete: bool = True
    problem: str = ""
    notes: list[str] = field(default_factory=list)
    limits: Limits = LIMITS


def unpack(received: bytes, limits: Limits = LIMITS) -> Content:
    """Return the content of a file as received: as it is, or what the gzip, bzip2, xz or zstd stream holds.

    A stream that breaks gives the part before the break, marked incomplete; a stream within a stream is opened too, to
    the limit of nesting. Bytes after the first member of gzip are not read and are noted: AWS's own validator was
    fooled by appended members until 2026 (https://github.com/aws/aws-cli/pull/10324). Only a CloudWatch Logs
    subscription, whose objects are joined from many deliveries, is read to its last member.
    """
    most = _most(received, limits)
    content = _opened(received, most)
    depth = 1
    while content.data.startswith(COMPRESSED):
        if depth == limits.depth:
            problem = content.problem or f"compressed more than {limits.depth} times"
            return Content(b"", sha256(b"").hexdigest(), complete=False, problem=problem, notes=content.notes)
        inner = _opened(content.data, most)
        problem = content.problem or inner.problem
        content = Content(inner.data, inner.sha256, not problem, problem, [*content.notes, *inner.notes])
        depth += 1
    if depth > 1:
        content.notes.append(f"compressed {depth} times, one within the other")
    content.limits = limits
    return content


def _opened(received: bytes, most: int) -> Content:
    if received.startswith(GZIP):
        return _gunzip(received, most)
    if received.startswith(COMPRESSED):
        return _other(received, most)
    return Content(received, sha256(received).hexdigest())


def _most(received: bytes, limits: Limits) -> int:
    return min(limits.content, max(limits.ratio_from, limits.ratio * len(received)))


def _gunzip(received: bytes, most: int) -> Content:
    out = io.BytesIO()  # hands its bytes over without a copy
    start, count = 0, 0
    while True:
        end, problem = _gunzip_member(received, start, out, most)
        count += 1
        more = not problem and received.startswith(GZIP, end)
        if not more or not out.getbuffer()[:64].tobytes().lstrip().startswith(_SUBSCRIPTION):
            break
        start = end
    data = out.getvalue()
    content = Content(data, sha256(data).hexdigest(), complete=not problem, problem=problem)
    if count > 1:
        content.notes.append(
            f"{count} gzip members were read: a CloudWatch Logs subscription delivers many in one object"
        )
    if not problem and end < len(received):
        content.notes.append(
            f"{len(received) - end} bytes after the end of the gzip member were not read: they may be an appended member"
        )
    return content


def _gunzip_member(received: bytes, start: int, out: io.BytesIO, most: int) -> tuple[int, str]:
    """Write one member that begins at `start` to `out`; return where it ends and what is wrong with it."""
    end = _sound_member(received, start, out, most)
    if end:
        return end, ""
    stream = zlib.decompressobj(wbits=31)
    position = start
    while position < len(received):
        before, written = stream.copy(), out.tell()
        try:
            _feed(stream, received[position : position + _STEP], out, most)
        except zlib.error as error:
            out.seek(written)
            out.truncate()
            _to_the_break(before, received[position : position + _STEP], out, most)
            text = str(error)
            if "incorrect data check" in text or "incorrect length check" in text:
                return len(received), "the checksum of the gzip stream does not agree with its content"
            return len(received), f"the gzip stream is damaged ({text})"
        position += _STEP
        if out.tell() > most:
            return len(received), "uncompressed size is over the limit"
        if stream.eof:
            return min(position, len(received)) - len(stream.unused_data), ""
    return len(received), "the gzip stream is cut off"


def _sound_member(received: bytes, start: int, out: io.BytesIO, most: int) -> int:
    """Write a member that is whole and within the limit, and return where it ends; else write nothing and return 0.

    ISA-L is twice as fast as zlib, but cannot go back to the byte at which a stream breaks.
    """
    stream = isal_zlib.decompressobj(wbits=31)
    begun, view = out.tell(), memoryview(received)
    try:
        for position in range(start, len(received), _STEP):
            _feed(stream, view[position : position + _STEP], out, most)
            if stream.eof and out.tell() <= most:
                return min(position + _STEP, len(received)) - len(stream.unused_data)
            if out.tell() > most:
                break
    except _Damaged:
        pass
    out.seek(begun)
    out.truncate()
    return 0


def _feed(stream: Any, piece: bytes | memoryview, out: io.BytesIO, most: int) -> None:
    out.write(stream.decompress(piece, most + 1 - out.tell()))
    while stream.unconsumed_tail and out.tell() <= most:
        out.write(stream.decompress(stream.unconsumed_tail, most + 1 - out.tell()))


def _to_the_break(stream: Any, piece: bytes, out: io.BytesIO, most: int) -> None:
    """Write what comes before the byte at which a stream breaks: a call that fails gives nothing of its piece."""
    for step in (1024, 1):
        for at in range(0, len(piece), step):
            before, written = stream.copy(), out.tell()
            try:
                _feed(stream, piece[at : at + step], out, most)
            except zlib.error:
                out.seek(written)
                out.truncate()
                stream, piece = before, piece[at : at + step]
                break


def _other(received: bytes, most: int) -> Content:
    """Uncompress bzip2, xz or zstd, up to the place where the stream breaks."""
    out = io.BytesIO()
    notes: list[str] = []
    kind = binary_kind(received)
    problem = ""
    try:
        if received.startswith((_ZSTD, *_SKIPPED)):
            _unzstd(received, out, most)
        else:
            rest = _streams(received, out, most)
            if rest and out.tell() <= most:
                notes.append(f"{rest} bytes after the end of the {kind} were not read")
    except (EOFError, OSError, ValueError, lzma.LZMAError, pa.ArrowException):
        problem = f"the {kind} is cut off or damaged"
    if out.tell() > most:
        problem = "uncompressed size is over the limit"
        out = io.BytesIO()
    data = out.getvalue()
    return Content(data, sha256(data).hexdigest(), complete=not problem, problem=problem, notes=notes)


def _unzstd(received: bytes, out: io.BytesIO, most: int) -> None:
    """Write what the frames of zstd hold to `out`. Raises OSError for damage, after what stands before it is written."""
    stream = pa.CompressedInputStream(io.BytesIO(received), "zstd")
    try:
        while out.tell() <= most and (piece := stream.read(_SMALL)):
            out.write(piece)
    except OSError:
        # A read that fails gives nothing of its piece, so the last one is read again byte by byte.
        again, known = pa.CompressedInputStream(io.BytesIO(received), "zstd"), out.tell()
        for _ in range(known // _SMALL):
            again.read(_SMALL)
        while byte := again.read(1):  # until it raises too
            out.write(byte)


def _streams(received: bytes, out: io.BytesIO, most: int) -> int:
    """Write the bzip2 or xz streams of a file to `out`; return how many bytes after them are none.

    Raises EOFError for a stream that is cut off, OSError or LZMAError for one that is damaged.
    """
    magic = _BZIP2 if received.startswith(_BZIP2) else _XZ
    position = 0
    while received.startswith(magic, position):
        stream: Any = bz2.BZ2Decompressor() if magic == _BZIP2 else lzma.LZMADecompressor()
        while not stream.eof:
            if out.tell() > most:
                return 0
            piece = b""
            if stream.needs_input:
                piece = received[position : position + _SMALL]
                position += len(piece)
                if not piece:
                    raise EOFError
            out.write(stream.decompress(piece, _STEP))
        position -= len(stream.unused_data)
        if magic == _XZ:  # streams of xz may have NULs between them, four at a time
            position += (_NULS.match(received, position).end() - position) // 4 * 4  # type: ignore[union-attr]
    return len(received[position:].lstrip(b"\x00"))


def archive_kind(data: bytes) -> str:
    """Return "zip archive" or "tar archive" for content that has members, else ""."""
    kind = binary_kind(data)
    is_log = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n\x00").startswith((b"{", b"["))
    if kind == "binary file" and not is_log and b"PK\x03\x04" in data and b"PK\x05\x06" in data[-65_557:]:
        return "zip archive"  # behind a program that unpacks it
    return kind if kind in ("zip archive", "tar archive") else ""


def binary_kind(data: bytes) -> str:
    """Return what a binary file is, by its first bytes, or "" for text."""
    for magic, name in _MAGIC:
        if data.startswith(magic):
            return name
    if data[257:262] == b"ustar" or is_header(data[:512]):
        return "tar archive"
    head = data[:4096]
    if head and not _wide(head) and b"\x00" in head.rstrip(b"\x00"):
        return "binary file"
    return ""


def is_header(header: bytes) -> bool:
    """Return whether 512 bytes are the header of a member of tar: its checksum tells, also in one from before POSIX."""
    stated = header[148:156].strip(b" \x00")
    if len(header) < 512 or b"\x00" not in header[:100] or not stated or stated.strip(b"01234567"):
        return False
    return sum(header[:148]) + sum(header[156:]) + 8 * 32 == int(stated, 8)


def _wide(head: bytes) -> str:
    """Return the UTF-16 form of a text by its mark, or by the zero bytes that its first characters have."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    start = head[:64]
    if len(start) >= 4 and len(start) % 2 == 0 and start[:1] in b'{["' and not any(start[1::2]) and all(start[::2]):
        return "utf-16-le"
    if len(start) >= 4 and len(start) % 2 == 0 and start[1:2] in b'{["' and not any(start[::2]) and all(start[1::2]):
        return "utf-16-be"
    return ""


_WIDE_OFFSETS = "UTF-16: offsets count bytes of its UTF-8 form"
_UNDECODABLE = re.compile("[\udc80-\udcff]")


def decode(data: bytes) -> tuple[str, list[str]]:
    """Return the text of the content and remarks. Bytes that are no UTF-8 become surrogate escapes, so lengths hold."""
    wide = _wide(data[:4096])
    try:
        # A mark of UTF-8 stays part of the text as U+FEFF so that offsets hold; readers skip it as a blank.
        return data.decode(wide or "utf-8"), [_WIDE_OFFSETS] if wide else []
    except UnicodeDecodeError as error:
        first = error.start
    if wide:
        return data.decode(wide, "replace"), [
            _WIDE_OFFSETS,
            f"not UTF-16 from byte {first} on in places: U+FFFD in the rows",
        ]
    text = data.decode("utf-8", "surrogateescape")
    held = len(_UNDECODABLE.findall(text))
    return text, [
        (
            f"{held} byte{'s' if held != 1 else ''} not UTF-8, the first 0x{data[first]:02X} at byte {first}: in the rows each stands"
            f" as U+FFFD or as its code (\\udc{data[first]:02x}), so names with it match no others; the evidence keeps it"
        )
    ]


def byte_length(text: str) -> int:
    """Return the number of bytes a slice of decoded text had."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))
