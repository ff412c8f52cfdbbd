"""Identity of records: the same on every machine, split and order of files."""

from __future__ import annotations

import json
from decimal import Decimal
from hashlib import sha256
from typing import Any

import orjson

#: What orjson would write in a form of its own is left to `_plain`.
_SORTED = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
#: Numbers of up to this many digits before or behind the point are written out for the hash.
_WRITTEN_OUT = 1_000


def event_key(source_id: str, native_id: str, record_sha256: str) -> str:
    """Return the identity of a record: 32 hex digits over source, provider's id and the hash of its bytes."""
    return sha256(f"{source_id}\n{native_id}\n{record_sha256}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def owned_id(native_id: str, owner: str, organisation: str) -> str:
    """Return a provider's id made unique to its owner: equal pages of two customers are two things."""
    return f"{owner}|{organisation}|{native_id}"


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        # Written out, 1e999999999 alone would be a gigabyte.
        return f"{value:f}" if abs(value.adjusted()) <= _WRITTEN_OUT else str(value)
    raise TypeError(type(value).__name__)


_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain)


def canonical_sha256(value: Any) -> str:
    """Return the SHA-256 of a parsed record written with sorted names and without blanks.

    Two serialisations of one record share it. Decimals are written as text, so 1.50 and 1.5 differ.
    """
    try:
        return canonical_of_bytes(orjson.dumps(value, _plain, _SORTED))
    except (TypeError, RecursionError):  # lone surrogates, larger numbers, deeper values: written alike, only slower
        return canonical_of_bytes(_CANONICAL.encode(value).encode("utf-8", "surrogatepass"))


def canonical_of_bytes(text: bytes) -> str:
    """Return the same for UTF-8 text that is already written with sorted names, without blanks and needless escapes."""
    return sha256(text).hexdigest()
