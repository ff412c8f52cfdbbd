"""Keys of an OpenRouter account, as of the time they were asked for. A key has no id: its SHA-256 names it. US dollars.

https://openrouter.ai/docs/api-reference/api-keys/list-api-keys
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.model.fields import compact, flag, inside, moment, plain
from forensics.model.provider_key import (
    PROVIDER_KEY,
    UNDATED,
    WHOLE_KEY,
    digest_of,
    hint_of,
    limits_of,
    secret_of,
    statement_id,
)
from forensics.model.usage import blank
from forensics.sources.protocol import Document, Probe, Provenance, RawRecord, Reading, Row, RowOrDefect

_CORE = frozenset({"hash", "label", "name", "disabled"})
_FIGURES = frozenset({"limit", "usage", "created_at", "limit_remaining"})
_LIMITS = ("limit", "limit_remaining", "limit_reset", "include_byok_in_limit")
_TIMES = ("created_at", "expires_at", "last_used_at")
_USED = (*_LIMITS, "hash", "label", "name", "workspace_id", "creator_user_id", "key")


def _key_in(value: object) -> Mapping[str, Any] | None:
    """Return the key of a value: itself, or what stands under `data` in the answer for one key."""
    for found in (value, inside(value, "data")):
        if isinstance(found, Mapping) and found.keys() >= _CORE and found.keys() & _FIGURES:
            return found
    return None


class OpenRouterKeys:
    """Keys of an account."""

    id = "openrouter_keys"
    title = "OpenRouter API keys"
    provider = "openrouter"
    reference = "https://openrouter.ai/docs/api-reference/api-keys/list-api-keys"
    reader_version = "1"
    table = "provider_key"

    def recognise(self, probe: Probe) -> str:
        """Recognise by hash, label, name and disabled of the first key."""
        claimed = probe.form in {"json", "ndjson"} and _key_in(probe.sample) is not None
        return "API keys with hash and label" if claimed else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the list of a page, else the value itself."""
        return (probe.container,) if probe.container else ()

    def read(self, document: Document) -> Reading:
        """Turn keys into rows of `provider_key`; one answer a record, defects with their reason."""
        notes: set[str] = set()
        reading = Reading([self._answer(record, document.provenance, notes) for record in document.records])
        if not document.provenance.stated:
            notes.add(UNDATED)
        reading.notes = sorted(notes)
        return reading

    def _answer(self, record: RawRecord, provenance: Provenance, notes: set[str]) -> RowOrDefect:
        value = _key_in(record.value)
        if value is None:
            return RowOrDefect(record, defect="not a key with hash, label, name and disabled")
        sha = digest_of(value.get("hash"))
        hint, whole = hint_of(value.get("label"))
        if value.get("key"):  # the answer to its creation holds the key itself
            masked, whole = secret_of(value.get("key"))
            hint = hint or masked
        if whole:
            notes.add(WHOLE_KEY)
        sha = sha or whole
        if sha is None:
            return RowOrDefect(record, defect="hash is not 64 hex digits")
        off = flag(value.get("disabled"))
        row: Row = {
            **blank(PROVIDER_KEY),
            "provider": self.provider,
            "key_name": plain(value.get("name")),
            "hint": hint,
            "key_sha256": sha,
            "kind": "gateway",
            "status": None if off is None else "disabled" if off else "active",
            "workspace_id": plain(value.get("workspace_id")),
            "created_by": plain(value.get("creator_user_id")),
            "limits": limits_of((name, value.get(name)) for name in _LIMITS),
            **{name: moment(value.get(name)) for name in _TIMES},
        }
        used = {(name,) for name in _USED} | {(name,) for name in _TIMES if row[name] is not None}
        row["raw"] = compact(value, used | ({("disabled",)} if off is not None else set()))
        return RowOrDefect(record, row, statement_id(sha, provenance.received_at, stated=provenance.stated))


SOURCE = OpenRouterKeys()
