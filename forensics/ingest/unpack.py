"""From bytes as received to text: one bounded gzip member, then the encoding by its mark."""

from __future__ import annotations

import codecs
import zlib
from dataclasses import dataclass, field
from hashlib import sha256

GZIP = b"\x1f\x8b"
#: Bound of the uncompressed size of one file, and of its ratio to the received size.
MAX_CONTENT = 4 * 1024**3
MAX_RATIO = 200
_RATIO_FROM = 64 * 1024**2
_STEP = 1 << 20

#: Containers and binaries that are named as such when met; reading them comes with the archive readers.
_MAGIC = (
    (b"PK\x03\x04", "zip archive"),
    (b"PAR1", "Parquet file"),
    (b"BZh", "bzip2 file"),
    (b"\x28\xb5\x2f\xfd", "zstd file"),
    (b"\xfd7zXZ\x00", "xz file"),
    (b"7z\xbc\xaf\x27\x1c", "7z archive"),
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG picture"),
    (b"SQLite format 3\x00", "SQLite database"),
)


@dataclass(slots=True)
class Content:
    """Uncompressed content with what was odd about it. `complete` is False when the gzip stream is cut or damaged."""

    data: bytes
    sha256: str
    complete: bool = True
    problem: str = ""
    notes: list[str] = field(default_factory=list)


def unpack(received: bytes) -> Content:
    """Return the content of a file as received: as it is, or the one gzip member it starts with.

    A gzip stream that breaks gives the part before the break, marked incomplete. Bytes after the member are not
    read and are noted: AWS's own validator was fooled by appended members until 2026
    (https://github.com/aws/aws-cli/pull/10324).
    """
    if not received.startswith(GZIP):
        return Content(received, sha256(received).hexdigest())
    out = bytearray()
    stream = zlib.decompressobj(wbits=31)
    problem = ""
    position = 0
    try:
        while position < len(received) and not stream.eof:
            out += stream.decompress(received[position : position + _STEP], MAX_CONTENT)
            position += _STEP
            while stream.unconsumed_tail:
                out += stream.decompress(stream.unconsumed_tail, MAX_CONTENT)
            if len(out) > MAX_CONTENT or (len(out) > _RATIO_FROM and len(out) > MAX_RATIO * len(received)):
                problem = "uncompressed size is over the limit"
                break
        else:
            if not stream.eof:
                problem = "the gzip stream is cut off"
    except zlib.error as error:
        problem = f"the gzip stream is damaged ({error})"
    data = bytes(out)
    content = Content(data, sha256(data).hexdigest(), complete=not problem, problem=problem)
    trailing = len(stream.unused_data) + max(0, len(received) - position)
    if stream.eof and trailing:
        content.notes.append(
            f"{trailing} bytes after the end of the gzip member were not read: they may be an appended member"
        )
    return content


def binary_kind(data: bytes) -> str:
    """Return what a binary file is, by its first bytes, or "" for text."""
    for magic, name in _MAGIC:
        if data.startswith(magic):
            return name
    if data[257:262] == b"ustar":
        return "tar archive"
    head = data[:4096]
    if head and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and b"\x00" in head.rstrip(b"\x00"):
        return "binary file"
    return ""


def decode(data: bytes) -> tuple[str, list[str]]:
    """Return the text of the content and remarks. Bytes that are no UTF-8 become surrogate escapes, so lengths hold."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace"), ["UTF-16: offsets count bytes of its UTF-8 form"]
    if data.startswith(codecs.BOM_UTF8):
        # The mark stays part of the text as U+FEFF so that offsets hold; readers skip it as a blank.
        return data.decode("utf-8", "surrogateescape"), []
    return data.decode("utf-8", "surrogateescape"), []


def byte_length(text: str) -> int:
    """Return the number of bytes a slice of decoded text had."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))
