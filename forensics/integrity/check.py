"""All of it together: pieces of evidence in, verdicts on digests, log files and Lake results out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from forensics.integrity.chains import Chain, judge
from forensics.integrity.digest import read_digest
from forensics.integrity.lake_signature import LakeVerdict, judge_lake
from forensics.integrity.log_states import LogVerdict, judge_logs
from forensics.integrity.pieces import DIGEST, KEYS, LAKE_SIGNATURE, METADATA, Piece
from forensics.integrity.public_keys import KeyRing
from forensics.integrity.saved_signatures import SavedSignatures


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found. `keys` holds every public key with its origin and stated validity."""

    chains: list[Chain]
    logs: list[LogVerdict]
    lake: list[LakeVerdict]
    keys: KeyRing


def check(pieces: Iterable[Piece], pinned: Iterable[Piece] = ()) -> Checked:
    """Check all pieces against each other. Nothing is raised for what evidence may hold."""
    held = list(pieces)
    keys = KeyRing([p for p in held if p.kind == KEYS], pinned)
    saved = SavedSignatures(p for p in held if p.kind == METADATA)
    chains = judge([read_digest(p) for p in held if p.kind == DIGEST], keys, saved)
    signatures = [p for p in held if p.kind == LAKE_SIGNATURE]
    lake = judge_lake(signatures, [p for p in held if p.kind not in (DIGEST, KEYS, METADATA, LAKE_SIGNATURE)], keys)
    in_lake = {id(v.piece) for v in lake if v.piece is not None}
    logs = judge_logs([p for p in held if id(p) not in in_lake], chains)
    return Checked(chains, logs, lake, keys)
