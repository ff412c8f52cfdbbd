"""Results of CloudTrail Lake queries: `result_sign.json` against the result files and the public key.

The signature is over the hashes of the result files, joined by one blank. It does not cover file names, the query,
region or time. https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-lake-file-validation.html
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import orjson

from forensics.integrity.digest import ALGORITHM
from forensics.integrity.pieces import Piece
from forensics.integrity.public_keys import KeyRing

_HEX = re.compile(r"[0-9A-Fa-f]{64}")
_RESULT = re.compile(r"result_\d+\.csv(?:\.gz)?")


@dataclass(frozen=True, slots=True)
class LakeVerdict:
    """A signature file or a result file with its state.

    Signature: valid, invalid_signature, invalid_format, unverified_no_key, bad_key, algorithm_unsupported. Result:
    valid, hash_mismatch, missing, listed_by_invalid_digest, listed_by_unverified_digest, not_covered.
    """

    name: str
    state: str
    reason: str
    piece: Piece | None = None


def judge_lake(signatures: Iterable[Piece], pieces: Iterable[Piece], keys: KeyRing) -> list[LakeVerdict]:
    """Return a verdict for each signature file, each result it lists, and each result that none lists."""
    by_hash: defaultdict[str, list[Piece]] = defaultdict(list)
    by_name: defaultdict[str, list[Piece]] = defaultdict(list)
    results = []
    given = sorted(signatures, key=lambda p: (p.name, p.exhibit))
    for piece in pieces:
        if not given and not piece.name.endswith((".csv", ".csv.gz")):
            continue  # of many log files none can be a result
        by_hash[piece.received_sha256].append(piece)
        if _RESULT.fullmatch(piece.base):
            by_name[piece.base.removesuffix(".gz")].append(piece)
            results.append(piece)
    out: list[LakeVerdict] = []
    covered: set[int] = set()
    for signature in given:
        state, reason, listed = _signature(signature, keys)
        out.append(LakeVerdict(signature.name, state, reason, signature))
        beside = signature.name.rpartition("/")[0]
        for name, sha256 in listed:
            for piece in by_hash.get(sha256, []):
                covered.add(id(piece))
                out.append(LakeVerdict(piece.name, *_covered(state), piece))
            if sha256 not in by_hash:
                same = by_name.get(name.rpartition("/")[2].removesuffix(".gz"), [])
                near = [p for p in same if p.name.rpartition("/")[0] == beside] or (same if len(same) == 1 else [])
                covered |= {id(p) for p in near}
                out += [
                    LakeVerdict(p.name, "hash_mismatch", "its bytes are not the ones that were signed", p) for p in near
                ] or [LakeVerdict(name, "missing", f"listed in {signature.name}, and not in the evidence")]
    out += [
        LakeVerdict(p.name, "not_covered", "no signature file of the evidence lists it", p)
        for p in results
        if id(p) not in covered
    ]
    return sorted(out, key=lambda v: (v.name, v.state, v.reason))


def _covered(state: str) -> tuple[str, str]:
    if state == "valid":
        return "valid", "its bytes are the ones that were signed"
    if state in ("unverified_no_key", "bad_key"):
        return "listed_by_unverified_digest", f"its bytes are the ones that are listed; the signature: {state}"
    return "listed_by_invalid_digest", f"the signature that lists it is no proof: {state}"


def _signature(piece: Piece, keys: KeyRing) -> tuple[str, str, list[tuple[str, str]]]:
    """Return state, reason and the listed (name, hash of the compressed file)."""
    try:
        value = orjson.loads(piece.body)
    except orjson.JSONDecodeError:
        return "invalid_format", "it is not JSON", []
    files = value.get("files") if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or not isinstance(files, list) or not files:
        return "invalid_format", "it lists no files", []
    listed = []
    for each in files:
        sha256 = each.get("fileHashValue") if isinstance(each, Mapping) else None
        if not isinstance(sha256, str) or not _HEX.fullmatch(sha256):
            return "invalid_format", "a file in it has no SHA-256", []
        listed.append((str(each.get("fileName") or ""), sha256))
    lower = [(name, sha256.lower()) for name, sha256 in listed]
    if value.get("signatureAlgorithm") not in (ALGORITHM, None) or value.get("hashAlgorithm") not in ("SHA-256", None):
        return "algorithm_unsupported", f"signed with {value.get('signatureAlgorithm')}", lower
    key = keys.get(str(value.get("publicKeyFingerprint") or ""))
    if key is None:
        return "unverified_no_key", f"the public key {value.get('publicKeyFingerprint')} was not supplied", lower
    if key.problem:
        return "bad_key", f"the public key {key.fingerprint}: {key.problem}", lower
    text = " ".join(sha256 for _, sha256 in listed).encode()
    if not key.verifies(str(value.get("hashSignature") or ""), text):
        return "invalid_signature", "the signature is not one of the hashes that it lists", lower
    trust = "a pinned key" if key.origin == "pinned" else "this key, not authenticated offline"
    return "valid", f"signature valid under key {key.fingerprint} from {key.file}: {trust}; names are not signed", lower
