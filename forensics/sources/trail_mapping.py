"""From names that a log platform gave back to a CloudTrail record. No format of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from forensics.sources.protocol import RawRecord, RowOrDefect
from forensics.sources.trail_record import answer

_DEEPEST = 40
_LONGEST = 256 * 1024
_NAME = re.compile(r"[A-Za-z_@$][\w.:/@$-]*=")
_JSON = json.JSONDecoder(parse_float=str)


def at(value: object, path: str) -> Any:
    """Return the member at a dotted path through objects, None when a step is missing; blank text is None too."""
    for name in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return None if isinstance(value, str) and not value.strip() else value


def put(event: dict[str, Any], path: Sequence[str], value: object) -> None:
    """Set a member through objects that are made on the way. What is there already stays; no value sets nothing."""
    if value is None or value == "":
        return
    for name in path[:-1]:
        inner = event.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        event = inner
    event.setdefault(path[-1], value)


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return objects for dotted names: `a.b` is b inside a, `a{}.b` is b of each element of the list a."""
    made: dict[str, Any] = {}
    for name, value in flat.items():
        steps = str(name).split(".")
        if len(steps) > _DEEPEST or not all(step.removesuffix("{}") for step in steps):
            made.setdefault(str(name), value)
            continue
        place = next((n for n, step in enumerate(steps) if step.endswith("{}")), None)
        path = [step.removesuffix("{}") for step in steps]
        values = value if isinstance(value, list) else [value]
        if place is None:
            put(made, path, value)
        elif place == len(steps) - 1:
            put(made, path, values)
        else:
            _put_each(made, path[: place + 1], path[place + 1 :], values)
    return made


def _put_each(made: dict[str, Any], path: list[str], rest: list[str], values: list[Any]) -> None:
    put(made, path, [])
    listed: Any = made
    for name in path:
        listed = listed.get(name) if isinstance(listed, dict) else None
    if not isinstance(listed, list):
        return
    for number, value in enumerate(values):
        if number == len(listed):
            listed.append({})
        if isinstance(listed[number], dict):
            put(listed[number], rest, value)


def leaves(value: object, at_path: str = "", depth: int = 0) -> Iterable[str]:
    """Yield the dotted names of all members that hold something; lists count as one member."""
    if isinstance(value, Mapping) and depth < _DEEPEST:
        for name, member in value.items():
            yield from leaves(member, f"{at_path}.{name}" if at_path else str(name), depth + 1)
    elif value is not None and value not in ("", [], {}):
        yield at_path


def mapped(
    record: RawRecord, event: dict[str, Any], unread: Iterable[str] = (), fidelity: str = "mapped"
) -> RowOrDefect:
    """Answer a record that was put together again; `unread` are the platform's names that found no place in it."""
    given = answer(record, event, fidelity)
    names = sorted(set(unread))
    if given.row is None or not names:
        return given
    known = json.loads(given.row["unmapped"] or "[]")
    return replace(given, row={**given.row, "unmapped": json.dumps(sorted({*known, *names}), ensure_ascii=False)})


class _Odd(Exception):
    """The text is no map, or not one that can be read in one way."""


def java_map(text: str) -> Any:
    """Return objects and lists of a text as Java prints them, `{k=v, l=[a, b]}`; every scalar is text.

    The form is ambiguous: a value may itself hold `, k=`. None when it cannot be read at all.
    """
    if not text.startswith(("{", "[")) or len(text) > _LONGEST:
        return None
    try:
        value, end = _java_value(text, 0, "", 0)
    except _Odd:
        return None
    return value if end == len(text) else None


def _java_value(text: str, start: int, inside: str, depth: int) -> tuple[Any, int]:
    if depth > _DEEPEST:
        raise _Odd
    mark = text[start : start + 1]
    if mark in ("{", "["):
        if inside and text[start + 1 : start + 2] in ('"', "{", "["):  # JSON text in the request stays that text
            try:
                _, end = _JSON.raw_decode(text, start)
            except (ValueError, RecursionError):
                pass
            else:
                return text[start:end], end
        return _java_members(text, start, mark, depth)
    position = start
    while position < len(text):
        if text[position] == ("}" if inside == "{" else "]"):
            return text[start:position], position
        if text.startswith(", ", position) and (inside == "[" or _NAME.match(text, position + 2)):
            return text[start:position], position
        position += 1
    raise _Odd


def _java_members(text: str, start: int, mark: str, depth: int) -> tuple[Any, int]:
    close = "}" if mark == "{" else "]"
    members: dict[str, Any] = {}
    listed: list[Any] = []
    position = start + 1
    while text[position : position + 1] != close:
        if mark == "{":
            name = _NAME.match(text, position)
            if name is None:
                raise _Odd
            value, position = _java_value(text, name.end(), mark, depth + 1)
            members[name.group()[:-1]] = None if value == "null" else value
        else:
            value, position = _java_value(text, position, mark, depth + 1)
            listed.append(None if value == "null" else value)
        if text.startswith(", ", position):
            position += 2
        elif text[position : position + 1] != close:
            raise _Odd
    return (members if mark == "{" else listed), position + 1
