"""From bytes as received to text: one bounded member of a compressed stream, then the encoding by its mark."""

from __future__ import annotations

import bz2
import codecs
import io
import lzma
import zlib
from dataclasses import dataclass, field
from hashlib import sha256
from typing import IO, Any

import pyarrow as pa

GZIP = b"\x1f\x8b"
_BZIP2, _XZ, _ZSTD = b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"
_STEP = 1 << 20


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
    (_XZ, "xz file"),
    (b"7z\xbc\xaf\x27\x1c", "7z archive"),
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG picture"),
    (b"SQLite format 3\x00", "SQLite database"),
)


@dataclass(slots=True)
class Content:
    """Uncompressed content with what was odd about it. `complete` is False when the stream is cut or damaged."""

    data: bytes
    sha256: str
    complete: bool = True
    problem: str = ""
    notes: list[str] = field(default_factory=list)


def bounded(stream: IO[bytes] | Any, most: int) -> bytes:
    """Return all that comes out of a stream. Raises OverLimit when it is more than `most` bytes."""
    out = bytearray()
    while piece := stream.read(_STEP):
        out += piece
        if len(out) > most:
            raise OverLimit("uncompressed size is over the limit")
    return bytes(out)


def unpack(received: bytes, limits: Limits = LIMITS) -> Content:
    """Return the content of a file as received: as it is, or the one member of the gzip, bzip2, xz or zstd stream.

    A gzip stream that breaks gives the part before the break, marked incomplete. Bytes after its first member are not
    read and are noted: AWS's own validator was fooled by appended members until 2026
    (https://github.com/aws/aws-cli/pull/10324).
    """
    if received.startswith(GZIP):
        return _gunzip(received, limits)
    if received.startswith((_BZIP2, _XZ, _ZSTD)):
        return _other(received, limits)
    return Content(received, sha256(received).hexdigest())


def _most(received: bytes, limits: Limits) -> int:
    return min(limits.content, max(limits.ratio_from, limits.ratio * len(received)))


def _gunzip(received: bytes, limits: Limits) -> Content:
    out = io.BytesIO()  # hands its bytes over without a copy
    most = _most(received, limits)
    stream = zlib.decompressobj(wbits=31)
    problem = ""
    position = 0
    try:
        while position < len(received) and not stream.eof:
            out.write(stream.decompress(received[position : position + _STEP], most + 1 - out.tell()))
            position += _STEP
            while stream.unconsumed_tail and out.tell() <= most:
                out.write(stream.decompress(stream.unconsumed_tail, most + 1 - out.tell()))
            if out.tell() > most:
                problem = "uncompressed size is over the limit"
                break
        else:
            if not stream.eof:
                problem = "the gzip stream is cut off"
    except zlib.error as error:
        problem = f"the gzip stream is damaged ({error})"
    data = out.getvalue()
    content = Content(data, sha256(data).hexdigest(), complete=not problem, problem=problem)
    trailing = len(stream.unused_data) + max(0, len(received) - position)
    if stream.eof and trailing:
        content.notes.append(
            f"{trailing} bytes after the end of the gzip member were not read: they may be an appended member"
        )
    return content


def _other(received: bytes, limits: Limits) -> Content:
    """Uncompress bzip2, xz or zstd; what cannot be uncompressed stays as it is, with the problem."""
    buffer = io.BytesIO(received)
    try:
        if received.startswith(_BZIP2):
            stream: Any = bz2.BZ2File(buffer)
        elif received.startswith(_XZ):
            stream = lzma.LZMAFile(buffer)  # noqa: SIM115 - over a buffer in memory
        else:
            stream = pa.CompressedInputStream(buffer, "zstd")
        data = bounded(stream, _most(received, limits))
    except OverLimit as error:
        return Content(b"", sha256(b"").hexdigest(), complete=False, problem=str(error))
    except (EOFError, OSError, ValueError, lzma.LZMAError, pa.ArrowException):
        kind = binary_kind(received)
        return Content(b"", sha256(b"").hexdigest(), complete=False, problem=f"the {kind} is cut off or damaged")
    return Content(data, sha256(data).hexdigest())


def archive_kind(data: bytes) -> str:
    """Return "zip archive" or "tar archive" for content that has members, else ""."""
    kind = binary_kind(data)
    return kind if kind in ("zip archive", "tar archive") else ""


def binary_kind(data: bytes) -> str:
    """Return what a binary file is, by its first bytes, or "" for text."""
    for magic, name in _MAGIC:
        if data.startswith(magic):
            return name
    if data[257:262] == b"ustar":
        return "tar archive"
    head = data[:4096]
    if head and not _wide(head) and b"\x00" in head.rstrip(b"\x00"):
        return "binary file"
    return ""


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


def decode(data: bytes) -> tuple[str, list[str]]:
    """Return the text of the content and remarks. Bytes that are no UTF-8 become surrogate escapes, so lengths hold."""
    wide = _wide(data[:4096])
    if wide:
        return data.decode(wide, "replace"), ["UTF-16: offsets count bytes of its UTF-8 form"]
    # A mark of UTF-8 stays part of the text as U+FEFF so that offsets hold; readers skip it as a blank.
    return data.decode("utf-8", "surrogateescape"), []


def byte_length(text: str) -> int:
    """Return the number of bytes a slice of decoded text had."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))
