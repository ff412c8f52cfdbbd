"""Take values out of parsed records that an attacker may have written: any JSON type may stand anywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal

from forensics.model.masking import SECRET_FIELDS, mask_keys, mask_secret
from forensics.model.times import parse_time

_SURROGATE = re.compile("[\ud800-\udfff]")
_DEEPEST = 40  # far beyond any provider's record; deeper ones are cut so that nothing overflows
_EXPONENT = 40
#: Fields that carry what people asked and models answered. They are never stored.
CONTENT_FIELDS = frozenset(
    {
        *("messages", "prompt", "prompts", "completion", "completions", "response", "choices", "content"),
        *("inputbodyjson", "outputbodyjson", "request_body", "response_body", "proxy_server_request"),
        *("input_text", "output_text"),
    }
)

Path = tuple[str, ...]


def inside(value: object, *names: str) -> object:
    """Return the member reached by `names` through objects, None when a step is missing or no object."""
    for name in names:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def _number_text(value: int | float | Decimal) -> str:
    if isinstance(value, Decimal) and value.is_finite():
        exponent = value.as_tuple().exponent
        return f"{value:f}" if isinstance(exponent, int) and abs(exponent) <= _EXPONENT else str(value)
    if isinstance(value, int) and abs(value) >= 10**60:
        return f"[integer of {value.bit_length()} bits]"
    return str(value)


def plain(value: object) -> str | None:
    """Return text for a string, number or boolean; None for null, blank text, objects and lists.

    Key material is masked; lone surrogates, which no store takes, are written as their code point.
    """
    if value is None or isinstance(value, Mapping | list | tuple):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return _number_text(value)
    text = _SURROGATE.sub(lambda m: f"\\u{ord(m[0]):04x}", str(value))
    return mask_keys(text) if text.strip() else None


def moment(value: object) -> datetime | None:
    """Return naive UTC for a time in any form that `parse_time` knows, else None."""
    text = plain(value) if not isinstance(value, bool) else None
    return parse_time(text) if text and len(text) <= 64 else None


def count(value: object) -> int | None:
    """Return a whole number that fits BIGINT from a JSON number or text (`3`, `3.0`, `3E2`), else None."""
    if isinstance(value, bool) or value is None:
        return None
    text = (_number_text(value) if isinstance(value, int | float | Decimal) else str(value)).strip()
    match = re.fullmatch(r"(-?[0-9]{1,19})(?:\.0*)?", text)
    number = int(match[1]) if match else 2**63
    return number if abs(number) < 2**63 else None


def flag(value: object) -> bool | None:
    """Return a boolean from `true`, `"true"`, `"False"`, else None."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else None


def _kept(value: object, drop: Collection[Path], at: Path, depth: int) -> object:
    if depth > _DEEPEST:
        return "[nested deeper]"
    if isinstance(value, Mapping):
        out: dict[str, object] = {}
        for name, member in value.items():
            path = (*at, str(name))
            if path in drop or str(name).lower() in CONTENT_FIELDS:
                continue
            if str(name).lower() in SECRET_FIELDS and isinstance(member, str):
                out[plain(name) or ""] = mask_secret(plain(member) or "")
                continue
            kept = _kept(member, drop, path, depth + 1)
            if kept is not None and kept != "" and not (kept == {} and member):
                out[plain(name) or ""] = kept
        return out
    if isinstance(value, list | tuple):
        return [_kept(member, drop, (*at, "[]"), depth + 1) for member in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < 10**60:
        return value
    return plain(value) or ""


def compact(value: object, drop: Collection[Path] = ()) -> str:
    """Return compact JSON text with sorted names, without the paths `drop`, content fields and empty members.

    Numbers with a fraction become text, key material is masked. `"{}"` when nothing is left of an object.
    """
    return json.dumps(_kept(value, drop, (), 0), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
