"""Indicators of OpenIOC 1.0 and 1.1: https://github.com/fireeye/OpenIOC_1.1

Read with a parser that refuses document types, so that no entity can be defined. AND and OR become single indicators.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

from forensics.indicators.kinds import kind_named
from forensics.model.errors import UsageFault
from forensics.model.indicator import PART, Entry

_ENDINGS = {
    "remoteip": "address",
    "localip": "address",
    "host": "domain",
    "dns": "domain",
    "url": "url",
    "useragent": "user_agent",
    "from": "email",
    "to": "email",
    "md5sum": "hash",
    "sha1sum": "hash",
    "sha256sum": "hash",
}


class _Handler:
    """Collects (search, condition, content) of each item."""

    def __init__(self) -> None:
        self.items: list[tuple[str, str, str]] = []
        self._search = self._condition = ""
        self._text: list[str] | None = None
        self.depth = 0

    def start(self, name: str, attributes: dict[str, Any]) -> None:
        self.depth += 1
        if self.depth > 200:
            raise UsageFault("is nested more than 200 deep")
        local = name.rpartition(":")[2].lower()
        if local == "indicatoritem":
            negated = str(attributes.get("negate", "")).lower() == "true"
            self._condition = "not" if negated else str(attributes.get("condition", "is")).lower()
        elif local == "context":
            self._search = str(attributes.get("search", ""))
        elif local == "content":
            self._text = []

    def text(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def end(self, name: str) -> None:
        self.depth -= 1
        if name.rpartition(":")[2].lower() == "content" and self._text is not None:
            self.items.append((self._search, self._condition, "".join(self._text)))
            self._text = None


def _refuse(*_: Any) -> None:
    raise UsageFault("declares a document type, which is not read", hint="take the DOCTYPE out")


def openioc_entries(data: bytes) -> Iterator[Entry]:
    """Yield the entries of all items. Raises UsageFault for XML that is broken or declares a document type."""
    handler, parser = _Handler(), expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler, parser.EndElementHandler = handler.start, handler.end
    parser.CharacterDataHandler = handler.text
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise UsageFault("is no XML that can be read", hint=str(error)) from None
    for number, (search, condition, content) in enumerate(handler.items, 1):
        last = search.rpartition("/")[2].lower()
        kind = _ENDINGS.get(last) or kind_named(last)
        if not kind or condition not in {"is", "contains"}:
            yield Entry(content[:500], f"item {number}", f"!{search[:60]} {condition} is not one that is matched")
            continue
        yield Entry(content, f"item {number}", kind, PART if condition == "contains" else "")
