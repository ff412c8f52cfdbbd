"""One digest file: what it claims, and the text that its signature is over.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from forensics.integrity.pieces import DAMAGED, TRAILING, Piece
from forensics.model.times import parse_time

ALGORITHM = "SHA256withRSA"
_REQUIRED = ("digestPublicKeyFingerprint", "digestS3Bucket", "digestS3Object", "digestEndTime", "digestStartTime")
_HEX = re.compile(r"[0-9A-Fa-f]{64}")
_NAME = re.compile(
    r"(?P<account>\d{12})_CloudTrail-Digest_(?P<region>[a-z]+(?:-[a-z]+)+-\d+)_(?P<trail>.+)"
    r"_(?P<home>[a-z]+(?:-[a-z]+)+-\d+)_(?P<end>\d{8}T\d{6}Z)(?P<backfill>_backfill)?\.json(?:\.gz)?"
)
_ORGANISATION = re.compile(r"(?:^|/)AWSLogs/(o-[a-z0-9]{10,32})/")


@dataclass(frozen=True, slots=True, order=True)
class ChainName:
    """What one chain of digests is of. `backfill` chains are apart."""

    account: str
    region: str
    trail: str
    home_region: str
    organisation: str = ""
    backfill: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """A log file that a digest lists. `sha256` is empty when the digest states no usable hash."""

    bucket: str
    key: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest as it lies in the evidence. `problem` and `state` are set when it cannot be taken for one."""

    piece: Piece
    bucket: str = ""
    key: str = ""
    start: datetime | None = None
    end: datetime | None = None
    end_text: str = ""
    fingerprint: str = ""
    algorithm: str = ""
    previous: tuple[str, str] | None = None
    previous_sha256: str = ""
    previous_signature: str = ""
    has_previous_signature: bool = False
    logs: tuple[Listed, ...] = ()
    chain: ChainName = ChainName("", "", "", "")
    state: str = ""
    problem: str = ""

    @property
    def place(self) -> tuple[str, str]:
        """Bucket and key that it claims."""
        return self.bucket, self.key

    @property
    def sha256(self) -> str:
        """SHA-256 of its uncompressed bytes."""
        return self.piece.content_sha256

    def text_to_sign(self) -> bytes:
        """Return the exact text that is signed: end time, place, hash, and the signature before (or `null`)."""
        before = self.previous_signature if self.has_previous_signature else "null"
        return "\n".join((self.end_text, f"{self.bucket}/{self.key}", self.sha256, before)).encode("utf-8")


def read_digest(piece: Piece) -> Digest:
    """Read a digest; one that cannot be read has the state `trailing_data` or `invalid_format` and a problem."""
    if piece.container == TRAILING:
        return Digest(piece, key=piece.name, state="trailing_data", problem="bytes after the end of the gzip member")
    if piece.container == DAMAGED:
        return Digest(piece, key=piece.name, state="invalid_format", problem="the gzip stream is damaged")
    try:
        value = orjson.loads(piece.body)
    except orjson.JSONDecodeError:
        return Digest(piece, key=piece.name, state="invalid_format", problem="it is not JSON")
    if not isinstance(value, Mapping):
        return Digest(piece, key=piece.name, state="invalid_format", problem="it is not a JSON object")
    lacking = [name for name in _REQUIRED if not isinstance(value.get(name), str)]
    if "previousDigestSignature" not in value:
        lacking.append("previousDigestSignature")
    if lacking:
        return Digest(
            piece, key=_text(value, "digestS3Object") or piece.name, state="invalid_format",
            problem=f"it lacks {', '.join(lacking)}",
        )  # fmt: skip
    return _filled(piece, value)


def _filled(piece: Piece, value: Mapping[str, Any]) -> Digest:
    key, signature = value["digestS3Object"], value["previousDigestSignature"]
    chain, named_end = _chain(key, value)
    state, problem = "", ""
    start, end = parse_time(value["digestStartTime"]), parse_time(value["digestEndTime"])
    listed = value.get("logFiles")
    if start is None or end is None or not isinstance(listed, list):
        state, problem = "invalid_format", "its times or its list of log files cannot be read"
    elif signature is not None and not isinstance(signature, str):
        state, problem = "invalid_format", "previousDigestSignature is not text"
    elif chain.account and _text(value, "awsAccountId") not in ("", chain.account):
        state, problem = "moved", "the account in its name is not the one it states"
    elif named_end and named_end != end.strftime("%Y%m%dT%H%M%SZ"):
        state, problem = "moved", "the time in its name is not the end that it states"
    elif (own := _NAME.fullmatch(piece.base)) and own[0].removesuffix(".gz") != key.rpartition("/")[2].removesuffix(
        ".gz"
    ):
        state, problem = "moved", f"it lies under another name than the one it was written to, {key}"
    before = _text(value, "previousDigestS3Object")
    return Digest(
        piece=piece,
        bucket=value["digestS3Bucket"],
        key=key,
        start=start,
        end=end,
        end_text=value["digestEndTime"],
        fingerprint=value["digestPublicKeyFingerprint"].lower(),
        algorithm=_text(value, "digestSignatureAlgorithm"),
        previous=(_text(value, "previousDigestS3Bucket") or value["digestS3Bucket"], before) if before else None,
        previous_sha256=_text(value, "previousDigestHashValue").lower(),
        previous_signature=signature if isinstance(signature, str) else "",
        has_previous_signature=isinstance(signature, str),
        logs=tuple(_listed(each) for each in listed if isinstance(each, Mapping)) if isinstance(listed, list) else (),
        chain=chain,
        state=state,
        problem=problem,
    )


def _listed(entry: Mapping[str, Any]) -> Listed:
    value, algorithm = entry.get("hashValue"), entry.get("hashAlgorithm")
    usable = (
        isinstance(value, str)
        and _HEX.fullmatch(value)
        and (algorithm in ("SHA-256", "") or not isinstance(algorithm, str))
    )
    return Listed(_text(entry, "s3Bucket"), _text(entry, "s3Object"), str(value).lower() if usable else "")


def _chain(key: str, value: Mapping[str, Any]) -> tuple[ChainName, str]:
    """Return the chain a digest belongs to, by the name of its object, and the end time in that name."""
    match = _NAME.fullmatch(key.rpartition("/")[2])
    organisation = _ORGANISATION.search(key)
    owner = organisation[1] if organisation else ""
    if match is None:
        return ChainName(_text(value, "awsAccountId"), "", key.rpartition("/")[0], "", owner), ""
    name = ChainName(
        match["account"], match["region"], match["trail"], match["home"], owner, backfill=match["backfill"] is not None
    )
    return name, match["end"]


def _text(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""
