"""Compare values with indicators: whole values by kind, and text with all values at once (Aho-Corasick)."""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ahocorasick_rs import AhoCorasick, BytesAhoCorasick

from forensics.model.address import key_of, read_address
from forensics.model.indicator import EXACT, PART


@dataclass(frozen=True, slots=True)
class Sought:
    """An indicator to look for."""

    identity: str
    kind: str
    value: str
    match: str


def bounds_of(network: str) -> tuple[str, str]:
    """Return first and last address of a network or range as 32 hex digits."""
    low, dash, high = network.partition("-")
    if dash:
        return key_of(ipaddress.ip_address(low)), key_of(ipaddress.ip_address(high))
    whole = ipaddress.ip_network(network)
    return key_of(whole[0]), key_of(whole[-1])


class Matcher:
    """Compares whole values. Values of principals may hold `*`; domains match the hosts below them."""

    def __init__(self, sought: Iterable[Sought]) -> None:
        self._exact: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        self._globs: list[Sought] = []
        self._networks: list[tuple[str, str, str]] = []
        self._parts: list[Sought] = []
        for each in sought:
            if each.kind == "network":
                self._networks.append((*bounds_of(each.value), each.identity))
            elif each.match == PART:
                self._parts.append(each)
            elif (
                each.match == EXACT
                and "*" in each.value
                and each.kind in {"principal", "role", "session_name", "bucket"}
            ):
                self._globs.append(each)
            elif each.match == EXACT:
                self._exact[each.kind, _folded(each.kind, each.value)].append(each.identity)
        self._networks.sort()
        self._starts = [low for low, _, _ in self._networks]
        self._farthest: list[str] = []
        for _, high, _ in self._networks:
            self._farthest.append(max(high, self._farthest[-1]) if self._farthest else high)
        self._finder = AhoCorasick([p.value.lower() for p in self._parts]) if self._parts else None

    def found(self, kinds: tuple[str, ...], value: str) -> Iterator[str]:
        """Yield the ids of the indicators of `kinds` that a whole value is."""
        for kind in kinds:
            for form in _forms(kind, value):
                yield from self._exact.get((kind, form), ())
        if "network" in kinds and self._networks:
            yield from self._in_networks(value)
        if "user_agent" in kinds and self._finder is not None:
            hits = self._finder.find_matches_as_indexes(value.lower(), overlapping=True)
            yield from {self._parts[number].identity for number, _, _ in hits}
        for each in self._globs:
            if each.kind in kinds and fnmatchcase(value, each.value.replace("[", "[[]").replace("?", "[?]")):
                yield each.identity

    def _in_networks(self, value: str) -> Iterator[str]:
        key = read_address(value).key
        place = bisect_right(self._starts, key) - 1 if key else -1
        while place >= 0 and key is not None and self._farthest[place] >= key:
            if self._networks[place][1] >= key:
                yield self._networks[place][2]
            place -= 1


def _folded(kind: str, value: str) -> str:
    return value.lower() if kind in {"email", "domain", "user_agent", "hash", "request_id", "model"} else value


def _forms(kind: str, value: str) -> Iterator[str]:
    """Yield the forms under which a value of a log may be named."""
    whole = _folded(kind, value)
    yield whole
    if kind == "domain":
        host = whole.rpartition("@")[2]
        while "." in host:
            if host != whole:
                yield host
            host = host.partition(".")[2]
    elif kind == "account" and whole.count(":") >= 5:
        yield whole.split(":")[4]
    elif kind in {"principal", "role", "session_name"} and whole.startswith("arn:"):
        tail = whole.split(":", 5)[5].split("/")
        if len(tail) > 1:
            yield from {tail[-1], tail[1]} if kind != "session_name" else {tail[-1]}
    elif kind == "secret" and ":secret:" in whole:
        name = whole.rpartition(":secret:")[2]
        yield name
        yield name[:-7] if len(name) > 7 and name[-7] == "-" else name


#: Kinds that may stand anywhere in a text, and those that only count as a whole JSON string there.
ANYWHERE = frozenset(
    {"address", "domain", "url", "email", "access_key", "principal", "account", "hash", "provider_key", "request_id"}
)
QUOTED = frozenset({"session_name", "role", "bucket", "secret", "key_hint", "model"})
_WORD = frozenset(bytes([letter]) for letter in b"abcdefghijklmnopqrstuvwxyz0123456789_")
_DOTS = frozenset({b".", b":"})


class TextFinder:
    """Finds all indicators in many texts at once. Texts are UTF-8 bytes of lower-case letters."""

    def __init__(self, sought: Iterable[Sought]) -> None:
        self._sought: list[Sought] = []
        patterns: list[bytes] = []
        for each in sought:
            if each.match != EXACT or "*" in each.value:
                continue
            if each.kind in ANYWHERE:
                patterns.append(each.value.lower().encode("utf-8", "replace"))
            elif each.kind in QUOTED:
                patterns.append(f'"{each.value.lower()}"'.encode("utf-8", "replace"))
            else:
                continue
            self._sought.append(each)
        self._finder = BytesAhoCorasick(patterns) if patterns else None

    def __bool__(self) -> bool:
        return self._finder is not None

    def found(self, joined: bytes | memoryview, bounds: Sequence[int]) -> set[tuple[int, str]]:
        """Return (number of the text, id of the indicator) of each that stands in a text as a word of its own.

        `joined` holds all texts one after the other: going through it once is what makes many short texts quick.
        `bounds` are the n + 1 places where one begins and the last ends.
        """
        if self._finder is None:
            return set()
        found = set()
        for number, start, end in self._finder.find_matches_as_indexes(joined, overlapping=True):
            place = bisect_right(bounds, start) - 1
            low, high = bounds[place], bounds[place + 1]
            one = self._sought[number]
            if end <= high and self._stands_alone(one.kind, bytes(joined[low:high]), start - low, end - low):
                found.add((place, one.identity))
        return found

    @staticmethod
    def _stands_alone(kind: str, text: bytes, start: int, end: int) -> bool:
        if kind in QUOTED:
            return True
        before, after = text[max(start - 1, 0) : start], text[end : end + 1]
        if before in _WORD or after in _WORD:
            return False
        if kind == "address":  # not inside a longer dotted number, nor of a longer IPv6 address
            return not (before in _DOTS and text[max(start - 2, 0) : start - 1] in _WORD) and not (
                after in _DOTS and text[end + 1 : end + 2] in _WORD
            )
        if kind == "domain":  # hosts below it count, longer names do not
            return before != b"-" and after != b"-" and not (after == b"." and text[end + 1 : end + 2] in _WORD)
        return kind == "url" or (before != b"-" and after != b"-")
