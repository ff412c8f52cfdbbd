"""The audit log of an OpenAI organisation: keys, members, limits, logins.

Details stand under the key named like the type (`api_key.created`), by some collectors with underscores.
Times are unix seconds. Events of an API key carry no address.
https://platform.openai.com/docs/api-reference/audit-logs
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.model.address import read_address
from forensics.model.buckets import covered_events, says_more
from forensics.model.fields import compact, inside, moment, plain
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_OBJECT = "organization.audit_log"
_SESSION = ("actor", "session")
_KEY = ("actor", "api_key")


def _is_event(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and {"id", "type", "effective_at"} <= value.keys()
        and isinstance(value["type"], str)
        and value.get("object", _OBJECT) == _OBJECT
        and ("actor" in value or "object" in value)
    )


def _details(record: Mapping[str, Any], action: str) -> tuple[str, object]:
    """Return the name under which the details stand, and the details; ("", None) without any."""
    for name in (action, action.replace(".", "_")):
        if record.get(name) is not None:
            return name, record[name]
    return "", None


class OpenAIAudit:
    """Events of the audit log, from pages, lists and lines."""

    id = "openai_audit"
    title = "OpenAI audit log"
    provider = "openai"
    reference = "https://platform.openai.com/docs/api-reference/audit-logs"
    reader_version = "1"
    table = "ai_audit_event"
    by_record = True

    def recognise(self, probe: Probe) -> str:
        """Recognise by id, type, effective_at and actor of the first event."""
        if probe.form not in {"json", "ndjson"}:
            return ""
        if _is_event(probe.sample) or _is_event(_first_of_page(probe.sample)):
            return "audit events with type, effective_at and actor"
        empty = probe.sample is None and probe.container == "data" and "has_more" in probe.keys
        return f"a page of {_OBJECT}" if empty and f'"{_OBJECT}"' in probe.text_head else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the data of a page, else the value itself."""
        return ("data",) if "data" in probe.keys or _first_of_page(probe.sample) is not None else ()

    def read(self, document: Document) -> Reading:
        """Turn events into rows of `ai_audit_event`; one answer a record, defects with their reason."""
        reading = Reading(answers=[self._answer(record) for record in document.records])
        times = [answer.row["event_time"] for answer in reading.answers if answer.row is not None]
        truncated = says_more(document.envelopes)
        if truncated:
            reading.notes.append("truncated: the last page says that more follows")
        reading.coverage = covered_events(self.provider, "audit", times, truncated=truncated)
        return reading

    def _answer(self, record: RawRecord) -> RowOrDefect:
        value = record.value
        if not isinstance(value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        action, when = plain(value.get("type")), moment(value.get("effective_at"))
        if action is None:
            return RowOrDefect(record, defect="no type of the event")
        if when is None:
            return RowOrDefect(record, defect="no readable effective_at")
        name, details = _details(value, action)
        target = plain(inside(details, "id"))
        event_id = plain(value.get("id"))
        row: Row = {
            "provider": self.provider,
            "event_time": when,
            "event_id": event_id,
            "action": action,
            "outcome": "failure" if action.endswith(".failed") else "success",
            **_actor(value),
            "target_id": target,
            "target_key_id": target if _acts_on_key(action) else None,
            "project_id": plain(inside(value, "project", "id")),
            "details": compact(details) if details is not None else None,
        }
        used = {(each,) for each in ("object", "id", "type", "effective_at", name)} | {("project", "id")}
        row["raw"] = compact(value, used | _used_of_actor(value, row))
        return RowOrDefect(record, row, event_id or "")


def _first_of_page(value: object) -> object:
    data = inside(value, "data")
    return data[0] if isinstance(data, list) and data else None


def _acts_on_key(action: str) -> bool:
    """Tell whether the thing acted on is a key: api_key.created, tenant.admin_api_key.created, ..."""
    parts = action.split(".")
    return len(parts) > 1 and parts[-2].endswith("api_key")


def _actor(record: Mapping[str, Any]) -> Row:
    """Return who acted: a session has an address and an agent, a key has its id and its owner."""
    session, key = inside(record, *_SESSION), inside(record, *_KEY)
    owner = inside(session, "user") or inside(key, "user") or inside(key, "service_account")
    address = read_address(plain(inside(session, "ip_address")))
    return {
        "actor_type": plain(inside(record, "actor", "type")),
        "actor_id": plain(inside(owner, "id")),
        "actor_email": plain(inside(owner, "email")),
        "actor_key_id": plain(inside(key, "id")),
        "source_ip": address.text,
        "source_ip_key": address.key,
        "user_agent": plain(inside(session, "user_agent")),
    }


def _used_of_actor(record: Mapping[str, Any], row: Row) -> set[tuple[str, ...]]:
    """Return paths of the actor that have a column; an address that could not be read stays in `raw`."""
    used = {("actor", "type"), (*_SESSION, "user_agent"), (*_KEY, "id")}
    if row["source_ip"] is not None:
        used.add((*_SESSION, "ip_address"))
    for path in ((*_SESSION, "user"), (*_KEY, "user"), (*_KEY, "service_account")):
        if inside(record, *path):
            return used | {(*path, "id"), (*path, "email")}
    return used


SOURCE = OpenAIAudit()
