"""Hourly CloudTrail digests, chained and signed with a throw-away RSA key made from the seed.

Digest files and how they are signed (SHA-256, RSA PKCS#1 v1.5, key named by the MD5 of its DER form):
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from random import Random

from forensics.sample.cloudtrail import encode
from forensics.sample.gzip_file import write_gzip
from forensics.sample.identities import Record
from forensics.sample.story import ACCOUNT, BUCKET, DIGEST_FROM, DIGEST_UNTIL, US, Settings
from forensics.sample.times import HOUR, compact, day_path, iso
from forensics.sample.trail_files import LogFile

_SMALL = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))]
# the ASN.1 head of a SHA-256 DigestInfo, RFC 8017 section 9.2 note 1
_SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


@dataclass(frozen=True)
class SigningKey:
    """A 2048-bit RSA key: whole numbers, and the DER form of its public half."""

    modulus: int
    private: int
    der: bytes

    @property
    def fingerprint(self) -> str:
        """MD5 of the DER form, in hex: the name digests call the key by."""
        return hashlib.md5(self.der, usedforsecurity=False).hexdigest()

    def sign(self, message: bytes) -> str:
        """Signature over a message, 512 hex digits."""
        info = _SHA256_INFO + hashlib.sha256(message).digest()
        padded = b"\x00\x01" + b"\xff" * (256 - 3 - len(info)) + b"\x00" + info
        return f"{pow(int.from_bytes(padded), self.private, self.modulus):0512x}"


def _probably_prime(rng: Random, number: int) -> bool:
    if any(number % small == 0 for small in _SMALL):
        return False
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(12):
        power = pow(rng.randrange(2, number - 1), odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


def _prime(rng: Random) -> int:
    while True:
        number = rng.getrandbits(1024) | (3 << 1022) | 1
        if number % 65537 != 1 and _probably_prime(rng, number):
            return number


def _der_integer(number: int) -> bytes:
    content = number.to_bytes(number.bit_length() // 8 + 1)
    return b"\x02" + _der_length(len(content)) + content


def _der_length(length: int) -> bytes:
    if length < 128:
        return bytes([length])
    text = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes([0x80 | len(text)]) + text


def signing_key(seed: int) -> SigningKey:
    """Give the key of the sample's trail; good for nothing else, since anybody can make it again."""
    rng = Random(f"{seed}/digest-key")
    one, two = _prime(rng), _prime(rng)
    modulus, private = one * two, pow(65537, -1, (one - 1) * (two - 1))
    body = _der_integer(modulus) + _der_integer(65537)
    return SigningKey(modulus, private, b"\x30" + _der_length(len(body)) + body)


def _object(end: int) -> str:
    return (
        f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/{US}/{day_path(end)}/"
        f"{ACCOUNT}_CloudTrail-Digest_{US}_vendor-us_{US}_{compact(end)}.json.gz"
    )


def _digest(start: int, key: SigningKey, logs: list[LogFile], before: Record | None) -> Record:
    last = before or {"object": None, "sha256": None, "signature": None}
    return {
        "awsAccountId": ACCOUNT,
        "digestStartTime": iso(start),
        "digestEndTime": iso(start + HOUR),
        "digestS3Bucket": BUCKET,
        "digestS3Object": _object(start + HOUR),
        "digestPublicKeyFingerprint": key.fingerprint,
        "digestSignatureAlgorithm": "SHA256withRSA",
        "newestEventTime": max((log.newest for log in logs), default=None),
        "oldestEventTime": min((log.oldest for log in logs), default=None),
        "previousDigestS3Bucket": BUCKET if before else None,
        "previousDigestS3Object": last["object"],
        "previousDigestHashValue": last["sha256"],
        "previousDigestHashAlgorithm": "SHA-256" if before else None,
        "previousDigestSignature": last["signature"],
        "logFiles": [
            {
                "s3Bucket": BUCKET,
                "s3Object": log.key,
                "hashValue": log.sha256,
                "hashAlgorithm": "SHA-256",
                "newestEventTime": log.newest,
                "oldestEventTime": log.oldest,
            }
            for log in logs
        ],
    }


def write_digests(folder: Path, settings: Settings, logs: list[LogFile]) -> None:
    """Write the chain, the public key and the saved signatures (S3 metadata) below `folder`."""
    key = signing_key(settings.seed)
    before: Record | None = None
    metadata: Record = {}
    for start in range(DIGEST_FROM, DIGEST_UNTIL, HOUR):
        covered = [log for log in logs if log.region == US and start < log.delivered <= start + HOUR]
        digest = _digest(start, key, sorted(covered, key=lambda log: log.key), before)
        raw = encode(digest).encode()
        sha256 = hashlib.sha256(raw).hexdigest()
        lines = (
            digest["digestEndTime"],
            f"{BUCKET}/{digest['digestS3Object']}",
            sha256,
            digest["previousDigestSignature"] or "null",
        )
        before = {
            "object": digest["digestS3Object"],
            "sha256": sha256,
            "signature": key.sign("\n".join(lines).encode()),
        }
        write_gzip(folder / before["object"], raw)
        metadata[before["object"]] = {
            "signature": before["signature"],
            "signature-algorithm": "SHA256withRSA",
        }
    public = {
        "PublicKeyList": [
            {
                "Value": base64.b64encode(key.der).decode(),
                "ValidityStartTime": iso(DIGEST_FROM - 24 * 10 * HOUR),
                "ValidityEndTime": iso(DIGEST_UNTIL + 24 * 20 * HOUR),
                "Fingerprint": key.fingerprint,
            }
        ]
    }
    for name, value in (("public_keys.json", public), ("digest_metadata.json", metadata)):
        (folder / name).write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8", newline="\n")
