"""Members of zip archives that are encrypted with AES, as WinZip and 7-Zip write them; the library knows only the old way.

https://www.winzip.com/en/support/aes-encryption/
"""

from __future__ import annotations

import hmac
import io
import struct
import zipfile
from hashlib import pbkdf2_hmac, sha1
from typing import IO

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

METHOD = 99
_EXTRA = 0x9901
_LOCAL = struct.Struct("<4s22xHH")
_ROUNDS = 1000
_TAIL = 10
_BLOCK = 16
#: Blocks that are decrypted at once.
_STEP = 65_536
#: Length of the salt and of the key by the strength that the archive states.
_STRENGTHS = {1: (8, 16), 2: (12, 24), 3: (16, 32)}


class NotOpened(Exception):
    """The password is not the one, or the bytes are not those that were encrypted."""


def is_aes(entry: zipfile.ZipInfo) -> bool:
    """Return whether a member is encrypted with AES."""
    return entry.compress_type == METHOD and _facts(entry) is not None


def _facts(entry: zipfile.ZipInfo) -> tuple[int, int] | None:
    """Return the strength and the method of compression under the encryption; None when they are not stated."""
    extra, at = entry.extra, 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == _EXTRA and size >= 7 and at + 11 <= len(extra):
            return int(extra[at + 8]), int(struct.unpack_from("<H", extra, at + 9)[0])
        at += 4 + size
    return None


def plain_member(data: bytes, entry: zipfile.ZipInfo, password: bytes) -> IO[bytes]:
    """Return a stream of a member's uncompressed content.

    Its seal over the encrypted bytes is checked first; the checksum of the content, which newer writers leave out, is not.
    Raises NotOpened when the password or the bytes are wrong, NotImplementedError for a strength that nobody defined.
    """
    strength, method = _facts(entry) or (0, 0)
    if strength not in _STRENGTHS:
        raise NotImplementedError("strength of AES")
    salt_size, key_size = _STRENGTHS[strength]
    body = _body(data, entry)
    if len(body) < salt_size + 2 + _TAIL:
        raise NotOpened("cut off")
    keys = pbkdf2_hmac("sha1", password, body[:salt_size], _ROUNDS, 2 * key_size + 2)
    if keys[-2:] != body[salt_size : salt_size + 2]:
        raise NotOpened("wrong password")
    encrypted = body[salt_size + 2 : -_TAIL]
    seal = hmac.new(keys[key_size : 2 * key_size], encrypted, sha1).digest()[:_TAIL]
    if not hmac.compare_digest(seal, body[-_TAIL:]):
        raise NotOpened("wrong password or damaged")
    compressed = _decrypted(encrypted, keys[:key_size])
    plain = zipfile.ZipInfo("member")
    plain.compress_type, plain.compress_size, plain.file_size = method, len(compressed), entry.file_size
    return zipfile.ZipExtFile(io.BytesIO(compressed), "r", plain)  # type: ignore[return-value]


def _body(data: bytes, entry: zipfile.ZipInfo) -> bytes:
    """Return the bytes of a member behind its local header: salt, check of the password, encrypted bytes, seal."""
    try:
        mark, names, extras = _LOCAL.unpack_from(data, entry.header_offset)
    except struct.error as error:
        raise NotOpened("cut off") from error
    if mark != b"PK\x03\x04":
        raise NotOpened("no member is where the archive says")
    start = entry.header_offset + _LOCAL.size + names + extras
    return data[start : start + entry.compress_size]


def _decrypted(encrypted: bytes, key: bytes) -> bytes:
    """Undo AES in counter mode with a counter from 1, lowest byte first."""
    mask = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - blocks are counters, none comes twice
    out = bytearray()
    for at in range(0, len(encrypted), _STEP * _BLOCK):
        piece = encrypted[at : at + _STEP * _BLOCK]
        first, blocks = at // _BLOCK + 1, -(-len(piece) // _BLOCK)
        counters = b"".join(n.to_bytes(_BLOCK, "little") for n in range(first, first + blocks))
        stream = mask.update(counters)[: len(piece)]
        out += (int.from_bytes(piece, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(piece), "big")
    return bytes(out)
