"""Make text storable that no UTF-8 column can hold; the evidence keeps it as it came."""

from __future__ import annotations

import re
from typing import Any

from forensics.sources.protocol import RawRecord
from forensics.store.eventstore import text_json

#: What no UTF-8 text can hold: lone surrogates (undecodable bytes too), and NUL.
_UNSTORABLE = re.compile("[\ud800-\udfff\x00]")


def readable(record: RawRecord) -> tuple[str, bool]:
    """Return JSON text that every JSON reader accepts, and whether it had to be repaired."""
    text = record.text
    clean = "text_repaired" not in record.flags and "duplicate_names" not in record.flags
    if (
        clean
        and "\\ud" not in text
        and "\\uD" not in text
        and "\\u0000" not in text
        and "\x00" not in text
        and (text.isascii() or _UNSTORABLE.search(text) is None)
    ):
        return text, False
    # Written anew only for the projection; the evidence keeps the text. Decimals become text in it.
    return text_json(mend(record.value)), "duplicate_names" not in record.flags or "text_repaired" in record.flags


def mend(value: Any) -> Any:
    """Replace what no UTF-8 text can hold (lone surrogates, undecodable bytes, NUL) by U+FFFD, everywhere in a value."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {mend(k): mend(v) for k, v in value.items()}
    if isinstance(value, list):
        return [mend(v) for v in value]
    return value if value is None or isinstance(value, bool | int) else str(value)


def clean(row: dict[str, Any]) -> dict[str, Any]:
    """Make every text of a row storable: lone surrogates and NUL become U+FFFD."""
    return {name: mend(value) if isinstance(value, str) else value for name, value in row.items()}
