"""Signatures of digests from saved S3 metadata: S3 keeps them beside the object, not in the file.

Read are: one JSON object keyed by S3 key; JSON lines with bucket, key and signature; the answer of `head-object`
(`Metadata.signature`), named like the digest it belongs to; saved response headers.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from forensics.integrity.pieces import Piece

_HEADER = re.compile(rb"(?im)^x-amz-meta-(signature|signature-algorithm|backfill-generation-timestamp)\s*:\s*(\S+)\s*$")
_PREFIX = "x-amz-meta-"
_DIGEST = re.compile(r"\d{12}_CloudTrail-Digest_[^/]*?\d{8}T\d{6}Z(?:_backfill)?")


@dataclass(frozen=True, slots=True)
class SavedSignature:
    """A signature as saved: hex text, algorithm, bucket (empty when not stated), and the file it is from.

    `generated`: when a backfill digest was made, as stated; else empty.
    """

    signature: str
    algorithm: str
    bucket: str
    key: str
    file: str
    generated: str = ""


class SavedSignatures:
    """Signatures by S3 key and, for files that state none, by the digest's own name."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._by_key: defaultdict[str, list[SavedSignature]] = defaultdict(list)
        self._by_base: defaultdict[str, list[SavedSignature]] = defaultdict(list)
        for piece in sorted(pieces, key=lambda p: (p.content_sha256, p.name)):
            for saved in _saved(piece):
                named = _DIGEST.search((saved.key or piece.base).rpartition("/")[2])
                if saved.key and not named:
                    self._by_key[saved.key].append(saved)
                elif named:
                    self._by_base[named[0]].append(saved)

    def of(self, bucket: str, key: str) -> list[SavedSignature]:
        """Return what was saved for an object: what names its bucket, or a part of its key, must name it rightly.

        A listing of a folder of the bucket, as rclone gives one, names keys from that folder on.
        """
        named = _DIGEST.search(key.rpartition("/")[2])
        saved = self._by_base.get(named[0], []) if named else self._by_key.get(key, [])
        return [s for s in saved if s.bucket in ("", bucket) and f"/{key}".endswith(f"/{s.key}" if s.key else "")]


def _saved(piece: Piece) -> list[SavedSignature]:
    values: list[Any] = []
    try:
        values = [orjson.loads(piece.body)]
    except orjson.JSONDecodeError:
        for line in piece.body.splitlines():
            try:
                values.append(orjson.loads(line))
            except orjson.JSONDecodeError:
                continue
    if not values:
        headers = {name.lower().decode(): text.decode("latin-1") for name, text in _HEADER.findall(piece.body)}
        values = [headers] if "signature" in headers else []
    found: list[SavedSignature] = []
    for value in values:
        for each in value if isinstance(value, list) else [value]:
            found += _of_object(each, piece)
    return found


def _of_object(value: object, piece: Piece) -> list[SavedSignature]:
    if not isinstance(value, Mapping):
        return []
    own = _fields(value)
    if "signature" in own:
        return [_signature(own, str(own.get("key") or own.get("s3key") or ""), piece)]
    inner = own.get("metadata")
    if isinstance(inner, Mapping) and "signature" in _fields(inner):
        key = str(own.get("key") or own.get("path") or own.get("name") or "")
        return [_signature({**own, **_fields(inner)}, key, piece)]
    found = []
    for key, member in value.items():
        if isinstance(member, Mapping):
            fields = _fields(member)
            nested = fields.get("metadata")
            fields |= _fields(nested) if isinstance(nested, Mapping) else {}
            if "signature" in fields:
                found.append(_signature(fields, str(key), piece))
    return found


def _fields(value: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name).lower().removeprefix(_PREFIX): member for name, member in value.items()}


def _signature(fields: Mapping[str, Any], key: str, piece: Piece) -> SavedSignature:
    bucket = str(fields.get("bucket") or "")
    for scheme in ("s3://", "https://"):
        if key.startswith(scheme):
            bucket, _, key = key.removeprefix(scheme).partition("/")
    return SavedSignature(
        signature=str(fields.get("signature") or "").strip(),
        algorithm=str(fields.get("signature-algorithm") or ""),
        bucket=bucket,
        key=key.lstrip("/"),
        file=piece.exhibit or piece.base,
        generated=str(fields.get("backfill-generation-timestamp") or ""),
    )
