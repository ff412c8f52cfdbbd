"""Indicators of this case for others to look for: from what is held to be the intruder's."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from forensics.indicators.stix import DERIVED_LABEL, TLP_MARKINGS
from forensics.model.clock import iso
from forensics.model.indicator import defang, indicator_id
from forensics.model.text import sheet_safe
from forensics.store.duckdb_engine import rows_of

if TYPE_CHECKING:
    import duckdb

    from forensics.model.case import Settings

_TAINTED = "SELECT kind, value, min(since) AS since, min(method) AS method FROM tainted GROUP BY kind, value ORDER BY kind, value"
_KIND = {"credential": "access_key", "address": "address", "principal": "principal"}
_PATTERN = {
    "access_key": "[x-keytrail:access_key = '{}']",
    "principal": "[user-account:user_id = '{}']",
}
_MISP = {"address": ("ip-src", "Network activity"), "access_key": ("text", "Other"), "principal": ("text", "Other")}
#: Made for this tool: ids of objects are the same whenever the same thing is exported.
_NAMESPACE = uuid5(NAMESPACE_URL, "https://keytrail.invalid/indicator")


@dataclass(frozen=True, slots=True)
class Own:
    """An indicator of this case. `since`: first act, naive UTC; `note`: how it is known."""

    kind: str
    value: str
    since: datetime | None
    note: str


def own_indicators(connection: duckdb.DuckDBPyConnection) -> list[Own]:
    """Return what the last exposure run held to be the intruder's."""
    notes = {"known": "stated as known", "issued": "issued by the intruder", "created": "made by the intruder"}
    return [
        Own(_KIND[r["kind"]], r["value"], r["since"], notes.get(r["method"], "used by the intruder only"))
        for r in rows_of(connection, _TAINTED)
        if r["kind"] in _KIND
    ]


def _uuid(settings: Settings, name: str) -> str:
    return str(uuid5(_NAMESPACE, f"{settings.id}/{name}"))


def _text(found: list[Own], settings: Settings, now: datetime) -> str:
    head = [
        f"# Indicators of case {settings.id}, {settings.tlp}, {iso(now)}",
        "# Defanged: [.] stands for a dot, [:] for a colon.",
    ]
    return "\n".join([*head, *(f"{defang(o.kind, o.value)}  # {o.kind}: {o.note}" for o in found)]) + "\n"


def _csv(found: list[Own], settings: Settings, _: datetime) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["type", "value", "match", "first_seen", "tlp", "comment", "derived"])
    for o in found:
        row = (o.kind, o.value, "exact", iso(o.since) if o.since else "", settings.tlp, o.note, "true")
        writer.writerow([sheet_safe(cell) for cell in row])
    return out.getvalue()


def _stix(found: list[Own], settings: Settings, now: datetime) -> str:
    marking = next((m for m, level in reversed(TLP_MARKINGS.items()) if level == settings.tlp), None)
    refs = {"object_marking_refs": [f"marking-definition--{marking}"]} if marking else {}
    stamp = now.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    objects = [
        {
            "type": "indicator",
            "spec_version": "2.1",
            "id": f"indicator--{_uuid(settings, indicator_id(o.kind, 'exact', o.value))}",
            "created": stamp,
            "modified": stamp,
            "name": f"{o.kind} {o.value}",
            "description": o.note,
            "labels": [DERIVED_LABEL],
            "pattern": _pattern(o),
            "pattern_type": "stix",
            "valid_from": (o.since or now).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            **refs,
        }
        for o in found
    ]
    bundle = {"type": "bundle", "id": f"bundle--{_uuid(settings, stamp)}", "objects": objects}
    return json.dumps(bundle, indent=2) + "\n"


def _pattern(o: Own) -> str:
    value = o.value.replace("\\", "\\\\").replace("'", "\\'")
    if o.kind == "address":
        return f"[ipv{6 if ':' in value else 4}-addr:value = '{value}']"
    return _PATTERN[o.kind].format(value)


def _misp(found: list[Own], settings: Settings, now: datetime) -> str:
    attributes: list[dict[str, Any]] = [
        {
            "uuid": _uuid(settings, f"misp/{o.kind}/{o.value}"),
            "type": _MISP[o.kind][0],
            "category": _MISP[o.kind][1],
            "value": o.value,
            "comment": f"{o.kind}: {o.note}",
            "to_ids": True,
            **({"first_seen": iso(o.since)} if o.since else {}),
        }
        for o in found
    ]
    event = {
        "uuid": _uuid(settings, "misp"),
        "info": f"Indicators of case {settings.id}",
        "date": now.strftime("%Y-%m-%d"),
        "timestamp": str(int(now.replace(tzinfo=UTC).timestamp())),
        "threat_level_id": "2",
        "analysis": "1",
        "distribution": "0",
        "published": False,
        "Tag": [{"name": f"tlp:{settings.tlp.removeprefix('TLP:').lower()}"}, {"name": DERIVED_LABEL}],
        "Attribute": attributes,
    }
    return json.dumps({"Event": event}, indent=2) + "\n"


#: Writers by the end of the file's name.
FORMS: dict[str, Callable[[list[Own], Settings, datetime], str]] = {
    ".txt": _text,
    ".csv": _csv,
    ".stix.json": _stix,
    ".misp.json": _misp,
}
