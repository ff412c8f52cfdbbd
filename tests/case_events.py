"""Evidence for the queries' cases: patches over a base event become files in the provider's own form.

A base file in `tests/base_events` is a whole export with exactly one record. Events of one base, owner,
organisation and time of receipt become one export; every event gets its own ids unless the patch names them.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from forensics.model.column_map import read_map
from forensics.sources.column_map import MappedSource

BASES = Path(__file__).parent / "base_events"
ABSENT = "<absent>"
#: Keys of a patch that steer it and are no fields of the event.
STEERING = frozenset({"base", "owner", "organisation", "received_at", "repeat", "every"})
_COUNTER = re.compile(r"\{n(?::0(\d)d?)?\}")
_EPOCH_FIELDS = frozenset({"start_time", "end_time", "effective_at"})


@dataclass(frozen=True)
class Form:
    """How an export of this form is taken apart and put together. `times`: fields that `every` steps."""

    times: tuple[str, ...]
    ids: tuple[str, ...]
    take: Callable[[Any], dict[str, Any]]
    make: Callable[[Any, list[dict[str, Any]]], bytes]


@dataclass(frozen=True)
class Export:
    """One file of a case, ready for the reader."""

    name: str
    base: str
    data: bytes
    owner: str
    organisation: str
    received_at: datetime | None
    events: int


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _lines(_: Any, events: list[dict[str, Any]]) -> bytes:
    return b"".join(_json(event) + b"\n" for event in events)


def _records(_: Any, events: list[dict[str, Any]]) -> bytes:
    # Without spaces, as CloudTrail delivers.
    return json.dumps({"Records": events}, ensure_ascii=False, separators=(",", ":")).encode()


def _list_page(page: Any, events: list[dict[str, Any]]) -> bytes:
    return _json({**page, "data": events, "first_id": events[0]["id"], "last_id": events[-1]["id"]})


def _bucket_page(start: str, end: str) -> tuple[Callable[[Any], dict[str, Any]], Callable[[Any, list[Any]], bytes]]:
    """A page of buckets with one result each. In patches its bounds stand beside the result's fields."""

    def take(page: Any) -> dict[str, Any]:
        bucket = page["data"][0]
        return {**bucket["results"][0], start: bucket[start], end: bucket[end]}

    def make(page: Any, events: list[dict[str, Any]]) -> bytes:
        buckets = []
        for event in events:
            result = {k: v for k, v in event.items() if k not in (start, end)}
            buckets.append({**page["data"][0], start: event[start], end: event[end], "results": [result]})
        return _json({**page, "data": buckets})

    return take, make


def _csv(_: Any, events: list[dict[str, Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(dict.fromkeys(k for e in events for k in e)), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(events)
    return out.getvalue().encode()


_OPENAI_BUCKETS = Form(("start_time", "end_time"), (), *_bucket_page("start_time", "end_time"))
_ANTHROPIC_BUCKETS = Form(("starting_at", "ending_at"), (), *_bucket_page("starting_at", "ending_at"))
_CLOUDTRAIL = Form(("eventTime",), ("eventID", "requestID"), lambda f: f["Records"][0], _records)
FORMS: dict[str, Form] = {
    "openai_usage_page": _OPENAI_BUCKETS,
    "openai_costs_page": _OPENAI_BUCKETS,
    "anthropic_usage_page": _ANTHROPIC_BUCKETS,
    "anthropic_cost_page": _ANTHROPIC_BUCKETS,
    "openai_audit": Form(("effective_at",), ("id",), lambda f: f["data"][0], _list_page),
    "anthropic_activity": Form(("created_at",), ("id",), lambda f: f["data"][0], _list_page),
    "bedrock_invocation": Form(("timestamp",), ("requestId",), lambda f: f, _lines),
    "litellm_spend": Form(("startTime", "endTime"), ("request_id",), lambda f: f, _lines),
    "key_inventory": Form((), (), lambda f: f, _csv),
    "azure_openai_audit": Form(("time",), ("correlationId",), lambda f: f, _lines),
    "litellm_audit": Form(("updated_at",), ("id",), lambda f: f, _lines),
    "openai_costs_by_name": Form(("day",), (), lambda f: f, _lines),
    "application_log": Form(("at",), ("trace",), lambda f: f, _lines),
    "vault_audit": Form(("time",), (), lambda f: f, _lines),
    "portkey_audit": Form(("timestamp",), ("request_id",), lambda f: f, _lines),
}


@cache
def _base_text(base: str) -> str:
    path = BASES / f"{base}.json"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in BASES.glob("*.json")))
        raise ValueError(f"no base event {base!r}; there are: {known}")
    return path.read_text(encoding="utf-8")


def base_file(base: str) -> Any:
    """Return a fresh copy of a base export. Raises ValueError when there is none of that name."""
    return json.loads(_base_text(base))


@cache
def maps_of(base: str) -> tuple[MappedSource, ...]:
    """Return the column map that stands beside a base event, for a form that no reader knows by itself."""
    path = BASES / f"{base}.map.toml"
    return (MappedSource(read_map(path.read_bytes(), path.name)),) if path.is_file() else ()


@cache
def _original(base: str) -> dict[str, Any]:
    """Return the one record of a base export. Nobody changes it: `merge` copies what it changes."""
    return form_of(base).take(base_file(base))


def form_of(base: str) -> Form:
    """Return the form of a base event; whatever is not named is CloudTrail."""
    return FORMS.get(base, _CLOUDTRAIL)


def merge(target: Any, patch: Any) -> Any:
    """Return `target` with `patch` laid over it: tables merge, list places go by number."""
    if not isinstance(patch, dict):
        return patch
    if isinstance(target, list) and patch and all(key.isdigit() for key in patch):
        merged = list(target)
        for key, value in patch.items():
            merged[int(key)] = merge(merged[int(key)], value)
        return merged
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value == ABSENT:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def _counted(value: Any, n: int) -> Any:
    """Return `value` with `{n}` and `{n:02}` written out."""
    if isinstance(value, str):
        if "{n" not in value:
            return value
        return _COUNTER.sub(lambda m: f"{n:0{m[1]}d}" if m[1] else str(n), value)
    if isinstance(value, dict):
        return {_counted(k, n): _counted(v, n) for k, v in value.items()}
    return [_counted(v, n) for v in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    """Return TOML's times as the text providers write."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if value.tzinfo else value.isoformat() + "Z"
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list) else value


def _to_moment(value: Any) -> datetime:
    if isinstance(value, int):
        return datetime.fromtimestamp(value, tz=UTC)
    return datetime.fromisoformat(str(value).replace("Z", "+00:00"))


def _stepped(value: Any, seconds: int) -> Any:
    if isinstance(value, int):
        return value + seconds
    moment = _to_moment(value) + timedelta(seconds=seconds)
    text = moment.astimezone(UTC).isoformat(timespec="microseconds" if moment.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def _event(base: str, patch: dict[str, Any], n: int, every: int, number: int) -> dict[str, Any]:
    form = form_of(base)
    original = _original(base)
    fields = _plain(_counted(patch, n))
    event = merge(original, fields)
    # OpenAI puts details under the name of the event's type: those of the base's type go with it.
    if base == "openai_audit" and "type" in fields and original["type"] not in (fields["type"], *fields):
        event.pop(original["type"], None)
    for field in _EPOCH_FIELDS & event.keys():
        if isinstance(event[field], str):
            event[field] = int(_to_moment(event[field]).timestamp())
    if len(form.times) == 2 and form.times[0] in fields and form.times[1] not in fields:
        width = _to_moment(original[form.times[1]]) - _to_moment(original[form.times[0]])
        event[form.times[1]] = _stepped(event[form.times[0]], int(width.total_seconds()))
    for field in form.times:
        if every and field in event:
            event[field] = _stepped(event[field], every * n)
    for field in form.ids:
        if field not in fields and field in original:
            event[field] = f"{original[field][:-6]}{number:06d}" if len(original[field]) > 12 else f"id-{number}"
    return event


def exports(base: str, events: list[dict[str, Any]]) -> list[Export]:
    """Return the files that the events of a case make, in the order of their names."""
    grouped: dict[tuple[str, str, str, str], list[dict[str, Any]]] = {}
    number = 0
    for patch in events:
        steering = {k: patch[k] for k in STEERING & patch.keys()}
        fields = {k: v for k, v in patch.items() if k not in STEERING}
        own_base = steering.get("base", base)
        received = _plain(steering.get("received_at", ""))
        key = (own_base, steering.get("owner", ""), steering.get("organisation", ""), received)
        for n in range(steering.get("repeat", 1)):
            number += 1
            grouped.setdefault(key, []).append(_event(own_base, fields, n, steering.get("every", 0), number))
    made = []
    for place, ((own_base, owner, organisation, received), found) in enumerate(sorted(grouped.items())):
        data = form_of(own_base).make(base_file(own_base), found)
        moment = _to_moment(received).replace(tzinfo=None) if received else None
        made.append(Export(f"{place:02d}-{own_base}", own_base, data, owner, organisation, moment, len(found)))
    return made
