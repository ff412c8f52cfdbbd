"""Lists of API keys of an OpenAI organisation or project, as of the time they were asked for. Times are unix seconds.

The id of a key is the one that usage, costs and audit events name. A list of a project's keys does not name the project.
https://platform.openai.com/docs/api-reference/project-api-keys
"""

from __future__ import annotations

from collections.abc import Mapping

from forensics.model.buckets import says_more
from forensics.model.fields import compact, inside, moment, plain
from forensics.model.provider_key import PROVIDER_KEY, UNDATED, WHOLE_KEY, hint_of, secret_of, statement_id
from forensics.model.usage import blank
from forensics.sources.protocol import Document, Probe, Provenance, RawRecord, Reading, Row, RowOrDefect

_ADMIN = "organization.admin_api_key"
_OBJECTS = (_ADMIN, "organization.project.api_key")
_TIMES = ("created_at", "expires_at", "last_used_at")
_WITH_COLUMN = {
    *((name,) for name in ("object", "id", "name", "redacted_value", "value", "owner_project_access", "project_id")),
    *(("owner", "user", name) for name in ("id", "email")),
    *(("owner", "service_account", "id"), ("owner", "id"), ("owner", "email")),
}


class OpenAIKeys:
    """Keys of an organisation and of its projects."""

    id = "openai_keys"
    title = "OpenAI API keys"
    provider = "openai"
    reference = "https://platform.openai.com/docs/api-reference/project-api-keys"
    reader_version = "2"
    table = "provider_key"

    def recognise(self, probe: Probe) -> str:
        """Recognise by the object name of the first key."""
        return "API keys with redacted_value" if inside(probe.sample, "object") in _OBJECTS else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the list of a page, else the value itself."""
        return (probe.container,) if probe.container else ()

    def read(self, document: Document) -> Reading:
        """Turn keys into rows of `provider_key`; one answer a record, defects with their reason."""
        notes: set[str] = set()
        reading = Reading([self._answer(record, document.provenance, notes) for record in document.records])
        if says_more(document.envelopes):
            notes.add("truncated: the last page says that more follows, so a key that is not listed may exist")
        if not document.provenance.stated:
            notes.add(UNDATED)
        reading.notes = sorted(notes)
        return reading

    def _answer(self, record: RawRecord, provenance: Provenance, notes: set[str]) -> RowOrDefect:
        value = record.value
        if not isinstance(value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        if value.get("object") not in _OBJECTS:
            named = plain(value.get("object")) or "another kind"
            return RowOrDefect(record, out_of_scope=f"{named}: registered, fills no table")
        key_id = plain(value.get("id"))
        if key_id is None:
            return RowOrDefect(record, defect="no id of the key")
        owner = value.get("owner")
        hint, sha = hint_of(value.get("redacted_value"))
        if value.get("value"):  # the answer to its creation holds the key itself
            masked, sha = secret_of(value.get("value"))
            hint = hint or masked
        if sha:
            notes.add(WHOLE_KEY)
        is_admin = value.get("object") == _ADMIN
        service = plain(inside(owner, "service_account", "id"))
        row: Row = {
            **blank(PROVIDER_KEY),
            "provider": self.provider,
            "key_id": key_id,
            "key_name": plain(value.get("name")),
            "hint": hint,
            "key_sha256": sha,
            "kind": "admin" if is_admin else "service_account" if _is_service(owner) else "project",
            "status": plain(value.get("owner_project_access")),
            "project_id": plain(value.get("project_id")),
            "principal_id": plain(inside(owner, "user", "id")) or service or plain(inside(owner, "id")),
            "principal_email": plain(inside(owner, "user", "email")) or plain(inside(owner, "email")),
            **{name: moment(value.get(name)) for name in _TIMES},
        }
        if not is_admin and row["project_id"] is None:
            notes.add("keys of a project: the list does not name the project")
        used = _WITH_COLUMN | {(name,) for name in _TIMES if row[name] is not None}
        row["raw"] = compact(value, used)
        return RowOrDefect(record, row, statement_id(key_id, provenance.received_at, stated=provenance.stated))


def _is_service(owner: object) -> bool:
    return inside(owner, "type") == "service_account" or inside(owner, "service_account") is not None


SOURCE = OpenAIKeys()
