"""Virtual keys of a LiteLLM gateway: a dump of its table LiteLLM_VerificationToken, or the gateway's list of keys.

`token` is the SHA-256 of the key, the same that the spend log names. Times without a zone are UTC, money is US dollars.
https://docs.litellm.ai/docs/proxy/virtual_keys
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
from forensics.model.wrapping import loaded, lowered
from forensics.sources.protocol import Document, Probe, Provenance, RawRecord, Reading, Row, RowOrDefect

_CORE = frozenset({"token", "key_name", "key_alias", "spend"})
_LIMITS = (
    *("max_budget", "soft_budget", "budget_duration", "tpm_limit", "rpm_limit", "max_parallel_requests", "models"),
    *("model_max_budget", "budget_reset_at", "allowed_routes"),
)
_TIMES = {"created_at": "created_at", "expires": "expires_at", "last_active": "last_used_at"}
_TEXTS = {
    "key_alias": "key_name",
    "team_id": "project_id",
    "organization_id": "workspace_id",
    "user_id": "principal_id",
    "user_email": "principal_email",
    "created_by": "created_by",
}
#: Settings of callbacks carry secrets of other services under names of their own.
_NEVER = {("token",), ("api_key",), ("config",), ("metadata", "logging"), ("litellm_budget_table",)}


def _is_key(value: object) -> bool:
    return isinstance(value, Mapping) and lowered(value).keys() >= _CORE


def _models(value: object) -> object:
    """Return a list of models, whether it came as JSON, as JSON in text or as an array of PostgreSQL (`{a,b}`)."""
    if not isinstance(value, str):
        return value
    inner = loaded(value) if value.lstrip()[:1] == "[" else None
    if isinstance(inner, list):
        return inner
    text = value.strip()
    return [part.strip().strip('"') for part in text[1:-1].split(",")] if text[:1] + text[-1:] == "{}" else value


class LiteLLMKeys:
    """Rows of LiteLLM_VerificationToken, from lists, lines and CSV."""

    id = "litellm_keys"
    title = "LiteLLM virtual keys"
    provider = "litellm"
    reference = "https://docs.litellm.ai/docs/proxy/virtual_keys"
    reader_version = "1"
    table = "provider_key"

    def recognise(self, probe: Probe) -> str:
        """Recognise by token, key_name, key_alias and spend."""
        if probe.form == "csv":
            return "columns of LiteLLM_VerificationToken" if {n.lower() for n in probe.header} >= _CORE else ""
        claimed = probe.form in {"json", "ndjson"} and (_is_key(probe.sample) or _is_key(_first(probe.sample)))
        return "rows with token, key_name, key_alias and spend" if claimed else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the list of an answer (`keys`, or the list that was found), else the value itself."""
        if _is_key(_first(probe.sample)):
            return ("keys",)
        return (probe.container,) if probe.container and probe.form != "csv" else ()

    def read(self, document: Document) -> Reading:
        """Turn rows into rows of `provider_key`; one answer a record, defects with their reason."""
        notes: set[str] = set()
        reading = Reading([self._answer(record, document.provenance, notes) for record in document.records])
        if not document.provenance.stated:
            notes.add(UNDATED)
        reading.notes = sorted(notes)
        return reading

    def _answer(self, record: RawRecord, provenance: Provenance, notes: set[str]) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        value = lowered(record.value)
        token = value.get("token")
        sha = digest_of(token)
        hint, whole = hint_of(value.get("key_name"))
        if sha is None and plain(token):
            masked, whole = secret_of(token)
            hint = hint or masked
        if whole:
            notes.add(WHOLE_KEY)
        sha = sha or whole
        if sha is None:
            return RowOrDefect(record, defect="no token")
        blocked = flag(value.get("blocked")) if value.get("blocked") not in ("t", "f") else value["blocked"] == "t"
        row: Row = {
            **blank(PROVIDER_KEY),
            "provider": self.provider,
            "hint": hint,
            "key_sha256": sha,
            "kind": "virtual",
            "status": None if blocked is None else "blocked" if blocked else "active",
            "limits": limits_of((name, _limit(name, value.get(name))) for name in _LIMITS),
            **{column: plain(value.get(name)) for name, column in _TEXTS.items()},
            **{column: moment(value.get(name)) for name, column in _TIMES.items()},
        }
        row["raw"] = _rest(value, row, blocked)
        return RowOrDefect(record, row, statement_id(sha, provenance.received_at, stated=provenance.stated))


def _first(sample: object) -> object:
    keys = inside(sample, "keys")
    return keys[0] if isinstance(keys, list) and keys else None


def _limit(name: str, value: object) -> object:
    if name in ("models", "allowed_routes"):
        return _models(value)
    inner = loaded(value) if isinstance(value, str) else value
    return (compact(inner) if inner else None) if isinstance(inner, Mapping) else value


def _rest(value: dict[str, Any], row: Row, blocked: bool | None) -> str:
    metadata = loaded(value.get("metadata"))
    told = {**value, "metadata": metadata} if metadata is not None else value
    used = _NEVER | {(name,) for name in (*_LIMITS, *_TEXTS, "key_name")}
    used |= {(name,) for name, column in _TIMES.items() if row[column] is not None}
    return compact(told, used | ({("blocked",)} if blocked is not None else set()))


SOURCE = LiteLLMKeys()
