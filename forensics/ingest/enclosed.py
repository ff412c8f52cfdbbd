"""Records inside a text of another record: JSON or a CSV table in JSON, found and found again by a JSON pointer.

A pointer (RFC 6901, https://www.rfc-editor.org/rfc/rfc6901) leads into the record; where it meets a text on its way, it
goes on in the JSON of that text, or, by the number of a row from 0, in the table that it is, also as base64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from json.decoder import scanstring  # type: ignore[attr-defined]

from forensics.ingest.careful import Slice, parse, skip_blank
from forensics.ingest.rows import csv_records
from forensics.model.wrapping import from_base64


def text_at(outer: str, pointer: str) -> str:
    """Return the text of the value at a pointer, exactly as written; of a text what it says.

    Of names that occur twice the last one counts, as everywhere. Raises LookupError when nothing is there.
    """
    text = outer
    for part in pointer.strip("/").split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        held = _table_of(text)
        found = [piece for own, piece in _children(held) if own == name and not piece.fault]
        if not found:
            raise LookupError(pointer)
        value = found[-1].value
        text = value if isinstance(value, str) else held[found[-1].start : found[-1].end]
    return text


def _table_of(text: str) -> str:
    """Return what a text in base64 holds; JSON and every other text as it is."""
    start = skip_blank(text, 0)
    return text if text[start : start + 1] in ("{", "[") else from_base64(text) or text


def _children(text: str) -> Iterator[tuple[str, Slice]]:
    """Yield the members of the object or list that a text holds, by name or number, as far as they can be told apart.

    Of a text that is neither the rows of a table.
    """
    start = skip_blank(text, 0)
    mark = text[start : start + 1]
    if mark not in ("{", "["):
        yield from ((str(number), piece) for number, piece in enumerate(csv_records(text)))
        return
    position, number = skip_blank(text, start + 1), 0
    while text[position : position + 1] not in ("}", "]", ""):
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
            held = _table_of(text_at(text[piece.start : piece.end], pointer))
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
