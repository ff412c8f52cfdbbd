"""Look at the beginning of a text: enough for a format to recognise itself."""

from __future__ import annotations

import csv
import re
from typing import Any

from forensics.ingest.careful import Walker, parse, skip_blank
from forensics.ingest.rows import TIMED_LINE, delimiter_of
from forensics.sources.cloudtrail_digest import DIGEST_NAMES
from forensics.sources.protocol import WHOLE, Probe
from forensics.sources.trail_record import outside

_CONTAINERS = (
    "Records",
    "Events",
    "records",
    "data",
    "results",
    "result",
    "events",
    "logEvents",
    "Messages",
    "publicKeyList",
    "PublicKeyList",
    "logFiles",
    "timeSeries",
    "resourceSpans",
    "resourceLogs",
    "QueryResultRows",
)
#: Lists of interfaces whose names are also everyday members of records: they count where the object was read whole.
_EVERYDAY = ("entries", "value")
#: Lists whose elements are lists themselves, and records as a whole.
_OF_LISTS = frozenset({"QueryResultRows"})
_WHOLE = 4_000_000
_LINE = 1_000_000
#: `[table]` on a line of its own begins settings, not a JSON list.
_TOML = re.compile(r"\[\[?[A-Za-z_][\w.-]*\]\]?[ \t]*(#.*)?\r?\n")


def probe_text(text: str) -> Probe:
    """Return what the text begins with. Never raises; a broken beginning gives what could be told."""
    start = skip_blank(text, 0)
    head = text[start : start + 4096]
    if not head:
        return Probe("empty")
    timed = TIMED_LINE.match(head)
    if timed:
        logged = parse(text, start + timed.end())[0]
        return Probe(
            "lines", frozenset(logged) if isinstance(logged, dict) else frozenset(), "", logged, text_head=head
        )
    if head[0] not in "{[" or _TOML.match(head):
        return _probe_csv(text[start:], head)
    first = start
    in_list = head[0] == "["
    if in_list:
        first = skip_blank(text, start + 1)
        if text[first : first + 2] == '"{':
            return Probe("json", sample=parse(text, first)[0], text_head=head)
        if text[first : first + 1] not in ("{", "["):
            return Probe("json", text_head=head)
    end, value = 0, None
    if len(text) - first <= _WHOLE or _line_ends(text, first) or not _has_container(text[first : first + 2000]):
        value, end, _, _ = parse(text, first)
    if value is None:
        return _probe_container(text, first, head)
    more = not in_list and skip_blank(text, end) < len(text)
    return _of_value(_telling(text, value, end, in_list=in_list), "ndjson" if more else "json", head)


def _telling(text: str, first: Any, end: int, *, in_list: bool) -> Any:
    """Return the first value, or the first behind it that is not delivered beside events, where there is one."""
    value = first
    while _is_beside(value):
        start = skip_blank(text, end)
        if in_list and text[start : start + 1] == ",":
            start = skip_blank(text, start + 1)
        if text[start : start + 1] != "{":
            return first
        value, end, _, _ = parse(text, start)
        if end == 0:
            return first
    return first if value is None else value


def _is_beside(value: Any) -> bool:
    """Whether a value is a digest, an Insight or a count of CloudTrail, a list of these, or a control message alone.

    Buckets that were put together hold them first: digests and Insights have folders of their own, whose names come
    before the one of the events. A subscription of CloudWatch Logs has control messages before its data.
    """
    if not isinstance(value, dict):
        return False
    if value.get("messageType") == "CONTROL_MESSAGE":
        return True
    listed = value.get("Records")
    if isinstance(listed, list):
        return all(map(_is_beside, listed))
    return value.keys() >= DIGEST_NAMES or bool(outside(value))


def _line_ends(text: str, first: int) -> bool:
    """Whether the first line seems to hold a whole object: then a large file is one of many small values."""
    end = text.find("\n", first, first + _LINE)
    return end > 0 and text[max(first, end - 2) : end].rstrip().endswith("}")


def _has_container(head: str) -> bool:
    return any(f'"{name}"' in head for name in _CONTAINERS)


def _of_value(value: Any, form: str, head: str) -> Probe:
    if not isinstance(value, dict):
        return Probe(form, sample=value, text_head=head)
    keys = frozenset(value)
    for name in (*_CONTAINERS, *_EVERYDAY):
        inner = value.get(name)
        if isinstance(inner, list) and ("eventSource" not in keys or name == "Records"):
            told = next((each for each in inner if not _is_beside(each)), inner[0] if inner else None)
            return Probe(form, keys, name, told, text_head=head)
    return Probe(form, keys, "", value, text_head=head)


def _probe_container(text: str, first: int, head: str) -> Probe:
    """For a first object that is large or broken: its first named list and the first element of it."""
    best: tuple[int, str] | None = None
    for name in _CONTAINERS:
        found = text.find(f'"{name}"', first, first + 100_000)
        if found >= 0 and (best is None or found < best[0]):
            best = (found, name)
    if best is None:
        return Probe("json", text_head=head)
    name = best[1]
    path = (name, WHOLE) if name in _OF_LISTS else (name,)
    sample = None
    for piece in Walker(text[first:], path).records():
        value = piece.value if not piece.fault else None
        sample = value if sample is None else sample
        if not _is_beside(value):
            sample = value if _is_beside(sample) else sample
            break
    return Probe("json", frozenset({name}), name, sample, text_head=head)


def _probe_csv(text: str, head: str) -> Probe:
    line = head.splitlines()[0] if head.splitlines() else ""
    try:
        header = next(csv.reader([line], delimiter=delimiter_of(line)), [])
    except csv.Error:
        header = []
    names = tuple(name.strip() for name in header)
    if (len(names) > 1 or names == ("_raw",)) and all(names) and all(len(n) < 100 and n.isprintable() for n in names):
        return Probe("csv", header=names, text_head=head)
    return Probe("text", text_head=head)
