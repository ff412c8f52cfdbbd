"""Records inside a text of another record: JSON in JSON, found and found again by a JSON pointer.

A pointer (RFC 6901, https://www.rfc-editor.org/rfc/rfc6901) leads into the record; where it meets a text on its way, it
goes on in the JSON of that text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from json.decoder import scanstring  # type: ignore[attr-defined]

from forensics.ingest.careful import Slice, parse, skip_blank


def text_at(outer: str, pointer: str) -> str:
    """Return the text of the value at a pointer, exactly as written; of a text what it says.

    Of names that occur twice the last one counts, as everywhere. Raises LookupError when nothing is there.
    """
    text = outer
    for part in pointer.strip("/").split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        found = [piece for own, piece in _children(text) if own == name and not piece.fault]
        if not found:
            raise LookupError(pointer)
        value = found[-1].value
        text = value if isinstance(value, str) else text[found[-1].start : found[-1].end]
    return text


def _children(text: str) -> Iterator[tuple[str, Slice]]:
    """Yield the members of the object or list that a text holds, by name or number, as far as they can be told apart."""
    start = skip_blank(text, 0)
    mark = text[start : start + 1]
    position, number = skip_blank(text, start + 1), 0
    while mark in ("{", "[") and text[position : position + 1] not in ("}", "]", ""):
        name = str(number)
        if mark == "{":
            try:
                name, position = scanstring(text, position + 1, False)
            except ValueError:
                return
            position = skip_blank(text, skip_blank(text, position) + 1)
        if position >= len(text):
            return
        value, end, fault, flags = parse(text, position)
        yield name, Slice(position, end or len(text), value, fault, flags=flags)
        if not end:
            return
        position, number = skip_blank(text, end), number + 1
        if text[position : position + 1] == ",":
            position = skip_blank(text, position + 1)


def opened(slices: Iterable[Slice], text: str, inside: Callable[[object], str]) -> Iterator[Slice]:
    """Yield the slices, and in place of one that holds several records each of these.

    `inside` returns the pointer to the list of records in a value, or "" when the value is the record itself.
    """
    for piece in slices:
        pointer = "" if piece.fault or piece.pointer else inside(piece.value)
        if not pointer:
            yield piece
            continue
        try:
            held = text_at(text[piece.start : piece.end], pointer)
        except LookupError:
            yield replace(piece, fault="the records inside it cannot be told apart")
            continue
        for number, inner in _children(held):
            yield replace(
                piece,
                value=inner.value,
                fault=inner.fault,
                inner=held[inner.start : inner.end],
                pointer=f"{pointer}/{number}",
                flags=piece.flags | inner.flags,
            )
