"""Indicators of a MISP event: https://datatracker.ietf.org/doc/html/draft-dulaunoy-misp-core-format"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from forensics.indicators.kinds import kind_named
from forensics.indicators.lists import moment
from forensics.indicators.stix import DERIVED_LABEL
from forensics.model.indicator import Entry


def events_of(data: Any) -> list[dict[str, Any]]:
    """Return the events in parsed JSON: one, a list of them, or an answer of the API; none when it is no MISP JSON."""
    listed = data.get("response", [data]) if isinstance(data, dict) else data
    if not isinstance(listed, list):
        return []
    return [e["Event"] for e in listed if isinstance(e, dict) and isinstance(e.get("Event"), dict)]


def misp_entries(events: list[dict[str, Any]]) -> Iterator[Entry]:
    """Yield the entries of all attributes, those inside objects too; deleted ones are left out."""
    for number, event in enumerate(events, 1):
        tlp, derived = _tags(event.get("Tag"))
        groups = [
            event.get("Attribute"),
            *(o.get("Attribute") for o in event.get("Object") or [] if isinstance(o, dict)),
        ]
        attributes = [a for group in groups if isinstance(group, list) for a in group if isinstance(a, dict)]
        for place, attribute in enumerate(attributes, 1):
            if attribute.get("deleted") is True:
                continue
            own, own_derived = _tags(attribute.get("Tag"))
            yield from _entries(
                attribute,
                f"event {number} attribute {place}",
                str(event.get("info") or ""),
                own or tlp,
                derived or own_derived,
            )


def _entries(attribute: dict[str, Any], place: str, info: str, tlp: str, derived: bool) -> Iterator[Entry]:
    names, values = str(attribute.get("type") or "").split("|"), str(attribute.get("value") or "").split("|")
    comment = str(attribute.get("comment") or "")
    if len(names) > 1 and "port" in names[1]:
        names, values = names[:1], values[:1]
    for name, value in zip(names, values, strict=False):
        kind = kind_named(name) or (kind_named(comment.partition(":")[0]) if name in {"text", "other"} else "")
        if not kind:
            if attribute.get("to_ids") is not False:
                yield Entry(value[:500], place, f"!the attribute type {name[:40]} is not one that is matched")
            continue
        yield Entry(
            value,
            place,
            kind,
            note="; ".join(w for w in (info, comment) if w)[:2_000],
            tlp=tlp,
            dated=moment(_stamp(attribute.get("timestamp"))),
            valid_from=moment(attribute.get("first_seen")),
            context=attribute.get("to_ids") is False,
            derived=derived,
        )


def _stamp(value: Any) -> Any:
    from datetime import UTC, datetime

    text = str(value or "")
    return (
        datetime.fromtimestamp(int(text), UTC).isoformat()
        if text.isascii() and text.isdigit() and len(text) < 12
        else None
    )


def _tags(tags: Any) -> tuple[str, bool]:
    names = [str(t.get("name") or "") for t in tags or [] if isinstance(t, dict)] if isinstance(tags, list) else []
    return next((n for n in names if n.lower().startswith("tlp:")), ""), DERIVED_LABEL in names
