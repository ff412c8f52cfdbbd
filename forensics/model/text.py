"""Make text that an attacker may have written safe to show."""

from __future__ import annotations

import unicodedata

#: Characters that reorder or hide text: bidirectional controls, zero-width and other invisible marks.
INVISIBLE = frozenset(
    [
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
        *range(0x200B, 0x2010),
        0x061C,
        0x2028,
        0x2029,
        0xFEFF,
        0x00AD,
    ]
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def _is_unsafe(character: str) -> bool:
    code = ord(character)
    return code < 0x20 or 0x7F <= code <= 0x9F or code in INVISIBLE or 0xD800 <= code <= 0xDFFF


def visible(text: str) -> str:
    """Return `text` with control, invisible and surrogate characters written as `[U+202E]`."""
    # No printable character is unsafe, and most texts hold no other.
    if text.isprintable() or not any(_is_unsafe(c) for c in text):
        return text
    return "".join(f"[U+{ord(c):04X}]" if _is_unsafe(c) else c for c in text)


def term_safe(text: str) -> str:
    r"""Return `text` safe for a terminal: no escape sequences, no bidirectional or invisible marks.

    Tabs and line ends become spaces; every other control character is shown as `\x1b` or `\u202e`.
    """
    if text.isprintable():
        return text
    out = []
    for character in text:
        code = ord(character)
        if character in "\t\r\n":
            out.append(" ")
        elif _is_unsafe(character) or unicodedata.category(character) == "Cf":
            out.append(f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
        else:
            out.append(character)
    return "".join(out)


def sheet_safe(text: str) -> str:
    """Return `text` guarded against spreadsheet formulas: a leading `'` where a cell would be evaluated.

    The first character is judged after blanks, NUL and byte-order marks, which spreadsheets skip.
    """
    bare = text.lstrip(" \x00\ufeff\u00a0")
    return "'" + text if bare.startswith(_FORMULA) or text.startswith(("\t", "\r", "\n")) else text
