"""Chains of digests made with a throw-away key, to be broken in one place at a time."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from hashlib import md5, sha256
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from forensics.integrity.check import Checked, check
from forensics.integrity.pieces import Piece, examine

ACCOUNT, BUCKET, REGION = "111122223333", "trail-bucket", "eu-west-1"
START = datetime(2026, 5, 5, 10)


@cache
def private_key(number: int = 0) -> rsa.RSAPrivateKey:
    """Return the throw-away key of that number."""
    assert number >= 0
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def der(number: int = 0, form: PublicFormat = PublicFormat.PKCS1) -> bytes:
    return private_key(number).public_key().public_bytes(Encoding.DER, form)


def fingerprint(number: int = 0, form: PublicFormat = PublicFormat.PKCS1) -> str:
    return md5(der(number, form), usedforsecurity=False).hexdigest()


def key_list(*numbers: int, form: PublicFormat = PublicFormat.PKCS1, name: str = "PublicKeyList") -> bytes:
    return json.dumps(
        {
            name: [
                {
                    "Value": base64.b64encode(der(n, form)).decode(),
                    "ValidityStartTime": "2026-05-01T00:00:00Z",
                    "ValidityEndTime": "2026-06-01T00:00:00Z",
                    "Fingerprint": fingerprint(n, form),
                }
                for n in numbers
            ]
        }
    ).encode()


def sign(text: bytes, number: int = 0) -> str:
    return private_key(number).sign(text, padding.PKCS1v15(), hashes.SHA256()).hex()


def log_key(hour: int, number: int = 0, region: str = REGION) -> str:
    at = START + timedelta(hours=hour, minutes=5 * number)
    return (
        f"AWSLogs/{ACCOUNT}/CloudTrail/{region}/{at:%Y/%m/%d}/"
        f"{ACCOUNT}_CloudTrail_{region}_{at:%Y%m%dT%H%MZ}_{hour:08d}{number:08d}.json.gz"
    )


def log_content(hour: int, number: int = 0) -> bytes:
    return json.dumps({"Records": [{"eventVersion": "1.11", "eventID": f"{hour}-{number}"}]}).encode()


@dataclass
class Kit:
    """Files of a bucket by key, uncompressed; `metadata` the saved signatures; `sidecar` whether they are supplied."""

    hours: int = 4
    per_hour: int = 2
    trail: str = "main"
    region: str = REGION
    key: int = 0
    prefix: str = ""
    backfill: bool = False
    first: int = 0
    spki: bool = False
    logs: dict[str, bytes] = field(default_factory=dict)
    digests: dict[str, bytes] = field(default_factory=dict)
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        before: dict[str, Any] | None = None
        for hour in range(self.first, self.first + self.hours):
            before = self.add(hour, before)

    def digest_key(self, hour: int) -> str:
        end = START + timedelta(hours=hour + 1)
        tail = "_backfill" if self.backfill else ""
        return (
            f"{self.prefix}AWSLogs/{ACCOUNT}/CloudTrail-Digest/{self.region}/{end:%Y/%m/%d}/"
            f"{ACCOUNT}_CloudTrail-Digest_{self.region}_{self.trail}_{self.region}_{end:%Y%m%dT%H%M%SZ}{tail}.json.gz"
        )

    def add(self, hour: int, before: dict[str, Any] | None, **changes: Any) -> dict[str, Any]:
        """Write and sign the digest of an hour; returns what the next one says of it."""
        listed = []
        for number in range(self.per_hour if hour % 3 != 2 else 0):
            key, content = log_key(hour, number, self.region), log_content(hour, number)
            self.logs.setdefault(key, content)
            listed.append(
                {
                    "s3Bucket": BUCKET,
                    "s3Object": key,
                    "hashValue": sha256(content).hexdigest(),
                    "hashAlgorithm": "SHA-256",
                }
            )
        start = START + timedelta(hours=hour)
        last = before or dict.fromkeys(("key", "sha256", "signature"))
        form = PublicFormat.SubjectPublicKeyInfo if self.spki else PublicFormat.PKCS1
        value = {
            "awsAccountId": ACCOUNT,
            "digestStartTime": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "digestEndTime": f"{start + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
            "digestS3Bucket": BUCKET,
            "digestS3Object": self.digest_key(hour),
            "digestPublicKeyFingerprint": fingerprint(self.key, form),
            "digestSignatureAlgorithm": "SHA256withRSA",
            "previousDigestS3Bucket": BUCKET if before else None,
            "previousDigestS3Object": last["key"],
            "previousDigestHashValue": last["sha256"],
            "previousDigestHashAlgorithm": "SHA-256" if before else None,
            "previousDigestSignature": last["signature"],
            "logFiles": listed,
        } | changes
        raw = json.dumps(value).encode()
        name = value["digestS3Object"]
        text = f"{value['digestEndTime']}\n{value['digestS3Bucket']}/{name}\n{sha256(raw).hexdigest()}\n{value['previousDigestSignature'] or 'null'}"
        signature = sign(text.encode(), self.key)
        self.digests[name] = raw
        self.metadata[name] = {"signature": signature, "signature-algorithm": "SHA256withRSA"}
        if name not in self.names:
            self.names.append(name)
        return {"key": name, "sha256": sha256(raw).hexdigest(), "signature": signature}

    def said_of(self, index: int) -> dict[str, Any]:
        """Return what a next digest says of the one at `index`."""
        name = self.names[index]
        return {
            "key": name,
            "sha256": sha256(self.digests[name]).hexdigest(),
            "signature": self.metadata[name]["signature"],
        }

    def edit(self, index: int, **changes: Any) -> None:
        """Change a digest's text without signing it again."""
        name = self.names[index]
        self.digests[name] = json.dumps(json.loads(self.digests[name]) | changes).encode()

    def pieces(self, *, sidecar: bool = True, keys: bytes | None = None) -> list[Piece]:
        """Return all files as they would lie in a copy of the bucket."""
        found = [examine(name, gzip.compress(raw, mtime=0)) for name, raw in {**self.logs, **self.digests}.items()]
        form = PublicFormat.SubjectPublicKeyInfo if self.spki else PublicFormat.PKCS1
        found.append(examine("public_keys.json", key_list(self.key, form=form) if keys is None else keys))
        if sidecar:
            found.append(examine("metadata.json", json.dumps(self.metadata).encode()))
        return found

    def check(self, *more: Piece, sidecar: bool = True, keys: bytes | None = None) -> Checked:
        """Check the files, and more beside them."""
        return check([*self.pieces(sidecar=sidecar, keys=keys), *more])


def digest_states(checked: Checked) -> list[str]:
    return [v.state for chain in checked.chains for v in chain.verdicts]


def log_states(checked: Checked) -> list[str]:
    return [v.state for v in checked.logs]
