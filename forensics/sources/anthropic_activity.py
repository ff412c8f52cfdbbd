"""The activity feed of an Anthropic organisation: keys, members, limits, logins. Model calls are not in it.

Fields that belong to a type stand flat beside the common ones.
https://platform.claude.com/docs/en/manage-claude/compliance-activity-feed
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.model.address import read_address
from forensics.model.buckets import covered_events, says_more
from forensics.model.fields import compact, inside, moment, plain
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_COMMON = frozenset({"id", "created_at", "organization_id", "organization_uuid", "type", "actor"})
_KEY_FIELDS = ("api_key_id", "admin_api_key_id")
_MAIL_FIELDS = ("email_address", "unauthenticated_email_address")


def _is_activity(value: object) -> bool:
    if not isinstance(value, Mapping) or not {"id", "created_at", "type", "actor"} <= value.keys():
        return False
    kind = inside(value, "actor", "type")
    return isinstance(value["type"], str) and isinstance(kind, str) and kind.endswith("_actor")


def _first_of_page(value: object) -> object:
    data = inside(value, "data")
    return data[0] if isinstance(data, list) and data else None


def _one_of(value: object, names: tuple[str, ...]) -> tuple[str, str | None]:
    """Return name and text of the first of these members that holds text."""
    found = ((name, plain(inside(value, name))) for name in names)
    return next(((name, text) for name, text in found if text), ("", None))


def _target(record: Mapping[str, Any]) -> str | None:
    """Return the id of the thing acted on where the type's own fields hold exactly one id, else nothing."""
    names = [n for n in record if n.endswith("_id") and n not in _COMMON]
    texts = [text for text in (plain(record[n]) for n in names if n != "workspace_id") if text]
    return texts[0] if len(texts) == 1 else None


def _outcome(action: str) -> str | None:
    if action.endswith(("_failed", "_failure", "_denied", "_rejected")):
        return "failure"
    return None if action.endswith("_attempted") else "success"


class AnthropicActivity:
    """Activities, from pages, lists and lines."""

    id = "anthropic_activity"
    title = "Anthropic activity feed"
    provider = "anthropic"
    reference = "https://platform.claude.com/docs/en/manage-claude/compliance-activity-feed"
    reader_version = "1"
    table = "ai_audit_event"
    by_record = True

    def recognise(self, probe: Probe) -> str:
        """Recognise by id, created_at, type and an actor whose type ends in `_actor`."""
        if probe.form not in {"json", "ndjson"}:
            return ""
        claimed = _is_activity(probe.sample) or _is_activity(_first_of_page(probe.sample))
        return "activities with created_at, type and actor" if claimed else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the data of a page, else the value itself."""
        return ("data",) if "data" in probe.keys or _first_of_page(probe.sample) is not None else ()

    def read(self, document: Document) -> Reading:
        """Turn activities into rows of `ai_audit_event`; one answer a record, defects with their reason."""
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
        action, when = plain(value.get("type")), moment(value.get("created_at"))
        if action is None:
            return RowOrDefect(record, defect="no type of the activity")
        if when is None:
            return RowOrDefect(record, defect="no readable created_at")
        actor = value.get("actor")
        key_field, actor_key = _one_of(actor, _KEY_FIELDS)
        mail_field, mail = _one_of(actor, _MAIL_FIELDS)
        address = read_address(plain(inside(actor, "ip_address")))
        target_key = _one_of(value, _KEY_FIELDS)[1] if "api_key" in action else None
        event_id = plain(value.get("id"))
        used: set[tuple[str, ...]] = {
            ("id",),
            ("created_at",),
            ("type",),
            *((n,) for n in value if n not in _COMMON),
        }
        used |= {("actor", name) for name in ("type", "user_id", "user_agent", key_field, mail_field)}
        if address.text is not None:
            used.add(("actor", "ip_address"))
        row: Row = {
            "provider": self.provider,
            "event_time": when,
            "event_id": event_id,
            "action": action,
            "outcome": _outcome(action),
            "actor_type": plain(inside(actor, "type")),
            "actor_id": plain(inside(actor, "user_id")),
            "actor_email": mail,
            "actor_key_id": actor_key,
            "source_ip": address.text,
            "source_ip_key": address.key,
            "user_agent": plain(inside(actor, "user_agent")),
            "target_id": target_key or _target(value),
            "target_key_id": target_key,
            "project_id": None,
            "details": compact({name: member for name, member in value.items() if name not in _COMMON}),
            "raw": compact(value, used),
        }
        return RowOrDefect(record, row, event_id or "")


SOURCE = AnthropicActivity()
