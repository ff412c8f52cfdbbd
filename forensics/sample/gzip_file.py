"""Streaming gzip with a header that says nothing about time, system or file name (RFC 1952)."""

from __future__ import annotations

import hashlib
import struct
import zlib
from pathlib import Path
from types import TracebackType

_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # deflate, no flags, mtime 0, unknown system


class GzipFile:
    """Write one gzip member; `digest` is the SHA-256 of what was signed, which `write` may be told apart."""

    def __init__(self, path: Path, level: int = 9) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._stream = path.open("wb")
        self._stream.write(_HEADER)
        self._deflate = zlib.compressobj(level, zlib.DEFLATED, -15)
        self._sum, self._size = 0, 0
        self._hash = hashlib.sha256()

    def __enter__(self) -> GzipFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        if kind is None:
            self._stream.write(self._deflate.flush())
            self._stream.write(struct.pack("<II", self._sum, self._size & 0xFFFFFFFF))
        self._stream.close()

    def write(self, content: bytes, signed: bytes | None = None) -> None:
        """Add content; `signed` is what the digest saw instead, where the file was altered afterwards."""
        self._hash.update(content if signed is None else signed)
        self._sum = zlib.crc32(content, self._sum)
        self._size += len(content)
        self._stream.write(self._deflate.compress(content))

    @property
    def digest(self) -> str:
        """SHA-256 of the signed content so far, in hex."""
        return self._hash.hexdigest()


def write_gzip(path: Path, content: bytes) -> None:
    """Write a whole small file."""
    with GzipFile(path) as target:
        target.write(content)
