"""Public keys of CloudTrail, as `aws cloudtrail list-public-keys` gives them, checked against their own fingerprint.

The fingerprint is the MD5 of the key's DER form; it names a key and proves nothing of where it is from.
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PublicKey.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import md5
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from forensics.integrity.pieces import Piece
from forensics.model.times import parse_time

#: Keys beyond this size are no keys of CloudTrail, and verifying with them costs for nothing.
_MOST_BITS = 8192


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key by its fingerprint. `problem` says why it cannot be used; `origin` is `evidence` or `pinned`."""

    fingerprint: str
    der: bytes
    key: rsa.RSAPublicKey | None
    valid_from: str
    valid_until: str
    origin: str
    file: str
    file_sha256: str
    problem: str = ""

    def verifies(self, signature: str, text: bytes) -> bool:
        """Return whether a hex signature (RSA PKCS#1 v1.5, SHA-256) over `text` is this key's."""
        if self.key is None:
            return False
        try:
            self.key.verify(bytes.fromhex(signature), text, padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, ValueError):
            return False
        return True

    def within(self, moment: str) -> bool | None:
        """Return whether an ISO time lies in the stated validity; None when that cannot be told. Information only."""
        at, start, end = parse_time(moment), parse_time(self.valid_from), parse_time(self.valid_until)
        return None if at is None or start is None or end is None else start <= at <= end


class KeyRing:
    """Keys by fingerprint. Of one fingerprint a pinned key goes before one of the evidence."""

    def __init__(self, evidence: Iterable[Piece], pinned: Iterable[Piece] = ()) -> None:
        self.keys: dict[str, PublicKey] = {}
        self.problems: list[tuple[str, str]] = []
        for origin, pieces in (("pinned", pinned), ("evidence", evidence)):
            for piece in sorted(pieces, key=lambda p: (p.content_sha256, p.name)):
                self._add(piece, origin)

    def _add(self, piece: Piece, origin: str) -> None:
        for entry in _entries(piece.body):
            key = _read(entry, piece, origin)
            if key is None:
                continue
            if key.problem:
                self.problems.append((piece.exhibit or piece.name, f"key {key.fingerprint}: {key.problem}"))
            there = self.keys.get(key.fingerprint)
            if there is None or (there.problem and not key.problem and there.origin == origin):
                self.keys[key.fingerprint] = key

    def get(self, fingerprint: str) -> PublicKey | None:
        """Return the key that a digest names."""
        return self.keys.get(fingerprint.lower())


def _entries(body: bytes) -> list[Mapping[str, Any]]:
    values: list[Any] = []
    try:
        values = [orjson.loads(body)]
    except orjson.JSONDecodeError:
        for line in body.splitlines():
            try:
                values.append(orjson.loads(line))
            except orjson.JSONDecodeError:
                continue
    found: list[Mapping[str, Any]] = []
    for value in values:
        listed = value
        if isinstance(value, Mapping):
            listed = next((value[n] for n in ("PublicKeyList", "publicKeyList") if n in value), [value])
        found += [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
    return found


def _read(entry: Mapping[str, Any], piece: Piece, origin: str) -> PublicKey | None:
    named = {str(name).lower(): value for name, value in entry.items()}
    fingerprint, value = named.get("fingerprint"), named.get("value")
    if not isinstance(fingerprint, str) or not isinstance(value, str):
        return None
    der, key, problem = b"", None, ""
    try:
        der = base64.b64decode("".join(value.split()), validate=True)
        loaded = load_der_public_key(der)
        if not isinstance(loaded, rsa.RSAPublicKey) or loaded.key_size > _MOST_BITS:
            problem = "not an RSA key of a usual size"
        elif md5(der, usedforsecurity=False).hexdigest() != fingerprint.lower():
            problem = "its fingerprint is not that of the key"
        else:
            key = loaded
    except (binascii.Error, ValueError, UnsupportedAlgorithm, TypeError):
        problem = "it cannot be read"
    return PublicKey(
        fingerprint=fingerprint.lower(),
        der=der,
        key=key,
        valid_from=_text(named.get("validitystarttime")),
        valid_until=_text(named.get("validityendtime")),
        origin=origin,
        file=piece.exhibit or piece.base,
        file_sha256=piece.file_sha256 or piece.received_sha256,
        problem=problem,
    )


def _text(value: object) -> str:
    return "" if value is None else str(value)
