"""The careful reader: slices records out of JSON text without re-serialising, and loses none.

What is broken is one defect with its place; its neighbours are read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from forensics.sources.protocol import WHOLE

MAX_DEPTH = 64
_BLANK = re.compile(r"[\s\x00\x1a\ufeff]*")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\]]', re.DOTALL)
_LINE = re.compile(r"[^\n]*")
_NEXT_LINE = re.compile(r"(?<=\n)[{\[]")


class _DuplicateFlag:
    """Remembers that a name occurred twice in an object while decoding (readers of logs disagree on which counts)."""

    seen = False

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            self.seen = True
        return made


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


_DUPLICATES = _DuplicateFlag()
_STRICT = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant, object_pairs_hook=_DUPLICATES)
_LENIENT = json.JSONDecoder(
    parse_float=Decimal, parse_constant=_refuse_constant, object_pairs_hook=_DUPLICATES, strict=False
)


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch of text that is one record: `value` parsed, or `fault` why it could not be.

    Positions are characters. `inner` is the text inside when the record is a string of another record.
    """

    start: int
    end: int
    value: Any = None
    fault: str = ""
    contexts: tuple[dict[str, Any], ...] = ()
    inner: str | None = None
    pointer: str = ""
    flags: frozenset[str] = frozenset()


@dataclass(slots=True)
class Outline:
    """What surrounds the records: scalar members of top-level objects, enclosing elements, and the end of reading."""

    envelopes: list[dict[str, Any]] = field(default_factory=list)
    contexts: list[dict[str, Any]] = field(default_factory=list)
    values: int = 0


class _Broken(Exception):
    """The structure around the records broke at `position`; nothing behind it can be told apart."""

    def __init__(self, position: int, fault: str) -> None:
        super().__init__(fault)
        self.position = position
        self.fault = fault


def skip_blank(text: str, position: int) -> int:
    """Return the position of the next character that is not blank, NUL padding or a byte-order mark."""
    match = _BLANK.match(text, position)
    return match.end() if match else position


def end_of_value(text: str, start: int) -> int | None:
    """Return the end of the object or list at `start` by its brackets alone, or None when it does not end.

    A closing bracket also closes what was left open inside it, so that one broken list does not swallow the rest.
    """
    open_marks: list[str] = []
    for token in _TOKEN.finditer(text, start):
        mark = token.group()
        if mark in "{[":
            open_marks.append(mark)
        elif mark in "}]":
            wanted = "{" if mark == "}" else "["
            while open_marks and open_marks[-1] != wanted and wanted in open_marks:
                open_marks.pop()
            if open_marks and open_marks[-1] == wanted:
                open_marks.pop()
            if not open_marks:
                return token.end()
    return None


def depth_of(value: Any) -> int:
    """Return how deep objects and lists nest in a parsed value."""
    deepest, stack = 0, [(value, 1)]
    while stack:
        item, depth = stack.pop()
        if isinstance(item, dict | list):
            deepest = max(deepest, depth)
            stack.extend((child, depth + 1) for child in (item.values() if isinstance(item, dict) else item))
    return deepest


def parse(text: str, start: int) -> tuple[Any, int, str, frozenset[str]]:
    """Parse the value at `start`. Returns (value, end, fault, flags); `end` is 0 when it cannot be told."""
    flags: set[str] = set()
    _DUPLICATES.seen = False
    try:
        value, end = _STRICT.raw_decode(text, start)
    except (ValueError, RecursionError) as first:
        try:
            value, end = _LENIENT.raw_decode(text, start)
            flags.add("text_repaired")
        except (ValueError, RecursionError):
            stop = end_of_value(text, start) if text[start : start + 1] in ("{", "[") else None
            return None, stop or 0, _reason(first, stop is not None), frozenset()
    if _DUPLICATES.seen:
        flags.add("duplicate_names")
    if text.count("{", start, end) + text.count("[", start, end) > MAX_DEPTH and depth_of(value) > MAX_DEPTH:
        return None, end, f"nested deeper than {MAX_DEPTH} levels", frozenset()
    return value, end, "", frozenset(flags)


def _reason(error: Exception, ended: bool) -> str:
    if isinstance(error, RecursionError):
        return f"nested deeper than {MAX_DEPTH} levels"
    if not ended:
        return "broken or cut off: the JSON value does not end"
    return f"not valid JSON: {error.msg}" if isinstance(error, json.JSONDecodeError) else f"not valid JSON: {error}"


_ELEMENT = (WHOLE, WHOLE)
_MOST_LABELS = 16


def _are_labels(values: list[Any]) -> bool:
    """Return whether a list beside records is a few plain values, such as the names of a series."""
    return len(values) <= _MOST_LABELS and not any(isinstance(value, dict | list) for value in values)


class Walker:
    """Walks the values of a text and yields the records at `path`."""

    def __init__(self, text: str, path: tuple[str, ...]) -> None:
        self.text = text
        self.path = path
        self.outline = Outline()

    def records(self) -> Iterator[Slice]:
        """Yield every record in order; broken stretches come as slices with a fault."""
        position = skip_blank(self.text, 0)
        while position < len(self.text):
            if self.text[position] not in "{[":
                position = yield from self._stray(position)
                continue
            start = position
            try:
                position = yield from self._value(start, self.path, (), top=True)
                self.outline.values += 1
            except _Broken as broken:
                # A line of its own that does not end must not swallow the lines behind it.
                following = _NEXT_LINE.search(self.text, start + 1) if broken.position == start else None
                end = following.start() if following else len(self.text)
                yield Slice(broken.position, end, fault=broken.fault)
                position = end
            position = skip_blank(self.text, position)

    def _stray(self, position: int) -> Generator[Slice, None, int]:
        match = _LINE.match(self.text, position)
        end = match.end() if match else len(self.text)
        yield Slice(position, end, fault="not JSON: text between or after the records")
        return skip_blank(self.text, end)

    def _value(
        self, start: int, path: tuple[str, ...], contexts: tuple[dict[str, Any], ...], *, top: bool = False
    ) -> Generator[Slice, None, int]:
        if self.text[start] == "[" and path != _ELEMENT:
            inner = _ELEMENT if path == (WHOLE,) else path
            return (yield from self._list(start, inner, contexts, top=top))
        if self.text[start] == "{" and path and path != _ELEMENT:
            return (yield from self._object(start, path, contexts, top=top))
        value, end, fault, flags = parse(self.text, start)
        if not end:
            raise _Broken(start, fault)
        if value is not None or fault:
            yield Slice(start, end, value, fault, contexts, flags=flags)
        return end

    def _list(
        self, start: int, path: tuple[str, ...], contexts: tuple[dict[str, Any], ...], *, top: bool
    ) -> Generator[Slice, None, int]:
        position = skip_blank(self.text, start + 1)
        while True:
            mark = self.text[position : position + 1]
            if mark == "]":
                return position + 1
            if not mark:
                raise _Broken(start if position == start + 1 else len(self.text), "cut off: the list does not end")
            position = yield from self._value(position, path, contexts, top=top)
            position = skip_blank(self.text, position)
            if self.text[position : position + 1] == ",":
                position = skip_blank(self.text, position + 1)
            elif self.text[position : position + 1] not in ("]", ""):
                raise _Broken(position, "broken: neither a comma nor the end of the list follows a record")

    def _object(
        self, start: int, path: tuple[str, ...], contexts: tuple[dict[str, Any], ...], *, top: bool
    ) -> Generator[Slice, None, int]:
        """Walk an object on the way to the records; without the looked-for name it is itself a record."""
        own: dict[str, Any] = {}
        inside = (*contexts, own)
        found = False
        position = skip_blank(self.text, start + 1)
        held: list[str] = []
        while self.text[position : position + 1] != "}":
            name, position = self._name(position)
            mark = self.text[position : position + 1]
            if name == path[0] and mark in ("[", "{"):
                found = True
                position = yield from self._value(position, path[1:], inside)
            else:
                value, position = self._scalar(position)
                if name != path[0]:
                    own.update({name: value} if not isinstance(value, list) or (not top and _are_labels(value)) else {})
                else:
                    found = True
                    held += [value] if isinstance(value, str) and len(path) == 1 else []
                    if value is not None and not held:
                        yield Slice(start, position, fault=f"{name} is neither a list nor an object", contexts=inside)
            position = skip_blank(self.text, position)
            if self.text[position : position + 1] == ",":
                position = skip_blank(self.text, position + 1)
            elif self.text[position : position + 1] != "}":
                raise _Broken(position, "broken or cut off: the object does not end")
        end = position + 1
        for text in held:
            yield self._inner(start, end, text, path[0], inside)
        if not found:
            value, _, fault, flags = parse(self.text, start)
            yield Slice(start, end, value, fault, contexts, flags=flags)
        elif len(path) == 1 and not held:
            self.outline.contexts.append(own)
        if top:
            self.outline.envelopes.append(own)
        return end

    def _inner(self, start: int, end: int, text: str, name: str, contexts: tuple[dict[str, Any], ...]) -> Slice:
        value, stop, fault, flags = (
            parse(text, skip_blank(text, 0)) if text.strip() else (None, 0, "empty text", frozenset())
        )
        if not fault and skip_blank(text, stop) != len(text):
            fault = "text after the end of the record"
        pointer = "/" + name.replace("~", "~0").replace("/", "~1")
        return Slice(start, end, value, fault, contexts, inner=text, pointer=pointer, flags=flags)

    def _name(self, position: int) -> tuple[str, int]:
        if self.text[position : position + 1] != '"':
            raise _Broken(position, "broken or cut off: a name was expected")
        try:
            name, position = scanstring(self.text, position + 1, False)
        except ValueError as error:
            raise _Broken(position, "broken or cut off: a name does not end") from error
        position = skip_blank(self.text, position)
        if self.text[position : position + 1] != ":":
            raise _Broken(position, "broken or cut off: a colon was expected")
        return name, skip_blank(self.text, position + 1)

    def _scalar(self, position: int) -> tuple[Any, int]:
        value, end, fault, _ = (
            parse(self.text, position) if position < len(self.text) else (None, 0, "cut off", frozenset())
        )
        if not end:
            raise _Broken(position, fault)
        return value, end
