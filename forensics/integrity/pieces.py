"""Pieces of evidence that a check of digests needs: log files by their hash, and the small files that prove them.

A log file of S3 delivery is one gzip member: bytes after it are not covered by the hash in a digest, and AWS's own
validator read them as if they were until 2026 (https://github.com/aws/aws-cli/pull/10324).
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from hashlib import sha256

#: Larger content is not held in memory; the file is then named as not checked.
MOST_CONTENT = 2 * 1024**3
#: Larger files are logs or something else, never a digest, a list of keys, or saved metadata.
_SMALL = 64 * 1024**2
_GZIP = b"\x1f\x8b"
_STEP = 1024**2

LOG, DIGEST, KEYS, METADATA, LAKE_SIGNATURE, OTHER = "log", "digest", "keys", "metadata", "lake_signature", "other"
#: Containers. `gzip` is the one of S3 delivery: one whole member.
GZIP, PLAIN, TRAILING, DAMAGED, FOREIGN = "gzip", "plain", "trailing", "damaged", "foreign"

_DIGEST_NAME = "_CloudTrail-Digest_"
_HEADER = re.compile(rb"(?im)^x-amz-meta-signature\s*:")
_LOG_NAME = re.compile(r"\d{12}_CloudTrail_")


@dataclass(frozen=True, slots=True)
class Piece:
    """One file or archive member.

    `name`: its path as received, with `/`; of an archive's member that inside the archive. `received_sha256`: of its
    bytes as they lie there; `content_sha256`: uncompressed. `body`: the content of small files that may prove others.
    """

    name: str
    kind: str
    container: str
    content_sha256: str
    received_sha256: str
    body: bytes = b""
    exhibit: str = ""
    member_path: str = ""
    file_sha256: str = ""
    source_id: str = ""

    @property
    def base(self) -> str:
        """The last part of its name."""
        return self.name.rpartition("/")[2]


def examine(
    name: str, received: bytes, content: bytes | None = None, *, exhibit: str = "", member_path: str = "",
    file_sha256: str = "", source_id: str = "",
) -> Piece:  # fmt: skip
    """Say what a file is and hash it.

    `content` is given for containers other than gzip, which S3 delivery does not use, and makes the container `foreign`.
    """
    if content is not None:
        container = FOREIGN
    else:
        content, container = opened(received)
    return piece_of(
        name, received, content, container, exhibit=exhibit, member_path=member_path, file_sha256=file_sha256,
        source_id=source_id,
    )  # fmt: skip


def opened(received: bytes) -> tuple[bytes, str]:
    """Return the content of the first gzip member, or the bytes as they are, and what the container is."""
    return _gunzip(received) if received.startswith(_GZIP) else (received, PLAIN)


def piece_of(
    name: str, received: bytes, content: bytes, container: str, *, exhibit: str = "", member_path: str = "",
    file_sha256: str = "", source_id: str = "",
) -> Piece:  # fmt: skip
    """Say what opened content is, and hash it."""
    own = sha256(received).hexdigest()
    kind = _kind(name, content)
    return Piece(
        name=name,
        kind=kind,
        container=container,
        content_sha256=own if content is received else sha256(content).hexdigest(),
        received_sha256=own,
        body=b"" if kind in (LOG, OTHER) else content,
        exhibit=exhibit,
        member_path=member_path,
        file_sha256=file_sha256,
        source_id=source_id,
    )


def _gunzip(received: bytes) -> tuple[bytes, str]:
    """Return the first gzip member's content, and whether there is more behind it or it breaks."""
    stream = zlib.decompressobj(wbits=31)
    out, waiting, made = [], received, 0
    try:
        if len(received) < _STEP:  # as nearly all log files: one call, one piece
            whole = stream.decompress(received, _STEP)
            if stream.eof:
                return whole, TRAILING if stream.unused_data else GZIP
            out, waiting, made = [whole], stream.unconsumed_tail, len(whole)
        while waiting and not stream.eof and made <= MOST_CONTENT:
            piece = stream.decompress(waiting, _STEP if len(received) < _STEP else 16 * _STEP)
            out.append(piece)
            made += len(piece)
            waiting = stream.unconsumed_tail
    except zlib.error:
        return b"".join(out), DAMAGED
    if not stream.eof:
        return b"".join(out), DAMAGED
    return b"".join(out), TRAILING if stream.unused_data else GZIP


def _kind(name: str, content: bytes) -> str:
    base = name.rpartition("/")[2]
    if _DIGEST_NAME in base and not _is_metadata(content[:_SMALL]):
        return DIGEST
    head = content if content.startswith(b'{"Records"') else content[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b'{"Records"') or _LOG_NAME.match(base):
        return LOG
    if len(content) > _SMALL or (not head.startswith((b"{", b"[")) and not _HEADER.search(content)):
        return OTHER
    if b'"digestEndTime"' in content and b'"digestS3Object"' in content:
        return DIGEST
    if b'"hashSignature"' in content and b'"publicKeyFingerprint"' in content:
        return LAKE_SIGNATURE
    if b'"Fingerprint"' in content and b'"Value"' in content:
        return KEYS
    return METADATA if _is_metadata(content) else OTHER


def _is_metadata(content: bytes) -> bool:
    lower = content[:_SMALL].lower()
    return b'"signature"' in lower or b"x-amz-meta-signature" in lower
