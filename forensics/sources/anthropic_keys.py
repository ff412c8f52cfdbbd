"""Lists of API keys of an Anthropic organisation, as of the time they were asked for.

Newer answers say what a key reaches (`scope`) and for whom it acts (`principal`), older ones name its workspace alone.
The list does not say when a key was last used.
https://platform.claude.com/docs/en/api/admin/api_keys/list
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.model.buckets import says_more
from forensics.model.fields import compact, inside, moment, plain
from forensics.model.provider_key import PROVIDER_KEY, UNDATED, WHOLE_KEY, hint_of, statement_id
from forensics.model.usage import blank
from forensics.sources.protocol import Document, Probe, Provenance, RawRecord, Reading, Row, RowOrDefect

_TIMES = ("created_at", "expires_at")
_WITH_COLUMN = {
    *((name,) for name in ("type", "id", "name", "partial_key_hint", "status", "workspace_id")),
    *(("scope", "type"), ("scope", "workspace_id"), ("created_by", "id")),
    *(("principal", "user_id"), ("principal", "service_account_id")),
}


def _is_key(value: object) -> bool:
    return isinstance(value, Mapping) and value.get("type") == "api_key" and "partial_key_hint" in value


def _reach(value: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return (kind, workspace) of a key in either form. A key without workspace is one of the default workspace."""
    workspace = plain(inside(value, "scope", "workspace_id")) or plain(value.get("workspace_id"))
    kind = plain(inside(value, "scope", "type"))
    return kind or ("workspace" if "workspace_id" in value else None), workspace


class AnthropicKeys:
    """Keys of an organisation, in both forms of the list."""

    id = "anthropic_keys"
    title = "Anthropic API keys"
    provider = "anthropic"
    reference = "https://platform.claude.com/docs/en/api/admin/api_keys/list"
    reader_version = "2"
    table = "provider_key"

    def recognise(self, probe: Probe) -> str:
        """Recognise by type and hint of the first key."""
        return "API keys with partial_key_hint" if _is_key(probe.sample) else ""

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
        if value.get("type") != "api_key":
            named = plain(value.get("type")) or "another kind"
            return RowOrDefect(record, out_of_scope=f"{named}: registered, fills no table")
        key_id = plain(value.get("id"))
        if key_id is None:
            return RowOrDefect(record, defect="no id of the key")
        hint, sha = hint_of(value.get("partial_key_hint"))
        if sha:
            notes.add(WHOLE_KEY)
        kind, workspace = _reach(value)
        row: Row = {
            **blank(PROVIDER_KEY),
            "provider": self.provider,
            "key_id": key_id,
            "key_name": plain(value.get("name")),
            "hint": hint,
            "key_sha256": sha,
            "kind": kind,
            "status": plain(value.get("status")),
            "workspace_id": workspace,
            "principal_id": plain(inside(value, "principal", "user_id"))
            or plain(inside(value, "principal", "service_account_id")),
            "created_by": plain(inside(value, "created_by", "id")),
            **{name: moment(value.get(name)) for name in _TIMES},
        }
        used = _WITH_COLUMN | {(name,) for name in _TIMES if row[name] is not None}
        row["raw"] = compact(value, used)
        return RowOrDefect(record, row, statement_id(key_id, provenance.received_at, stated=provenance.stated))


SOURCE = AnthropicKeys()
