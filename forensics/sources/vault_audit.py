"""The audit device log of HashiCorp Vault: who read which secret path, when, from where. One JSON object a line.

A request and its response are two records with one `request.id`; the view `vault_access` makes one access of them.
Values of secrets are salted HMACs: equal for equal values on one device, never the secret. Where a device was set to
log values in clear, they are masked here and stay in the evidence alone.
https://developer.hashicorp.com/vault/docs/audit/schema
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from forensics.model.address import read_address
from forensics.model.custody_logs import VAULT_EVENT
from forensics.model.fields import compact, inside, moment, plain
from forensics.model.masking import mask_secret
from forensics.model.usage import blank
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_KINDS = ("request", "response")
_SALTED = "hmac-sha256:"
_TEXTS = {
    ("request", "id"): "request_id",
    ("request", "operation"): "operation",
    ("request", "path"): "path",
    ("request", "mount_type"): "mount_type",
    ("request", "mount_point"): "mount_point",
    ("request", "namespace", "id"): "namespace",
    ("auth", "display_name"): "principal",
    ("auth", "entity_id"): "entity_id",
    ("auth", "token_type"): "token_type",
    ("error",): "error",
}
#: Where tokens and their accessors stand, most telling place first.
_TOKENS = (("auth", "client_token"), ("request", "client_token"))
_ACCESSORS = (("auth", "accessor"), ("request", "client_token_accessor"))
_DROPPED = {("type",), ("time",), ("request", "data"), ("request", "headers"), ("response",), ("auth", "policies")}


def _is_record(value: object) -> bool:
    request = inside(value, "request")
    return (
        inside(value, "type") in _KINDS
        and inside(value, "time") is not None
        and isinstance(request, Mapping)
        and {"id", "path"} <= request.keys()
    )


class _Veil:
    """Lets HMACs, numbers and names through and masks every text that is in clear."""

    def __init__(self) -> None:
        self.clear = False

    def text(self, value: object) -> str | None:
        text = plain(value)
        if text is None or text.startswith(_SALTED):
            return text
        self.clear = True
        return mask_secret(text)

    def over(self, value: object) -> Any:
        if isinstance(value, Mapping):
            return {plain(name) or "": self.over(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.over(member) for member in value]
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int) and abs(value) < 10**18:
            return value
        return self.text(value)

    def json(self, value: object) -> str | None:
        """Return compact JSON with sorted names; None for what is absent."""
        if value is None:
            return None
        return json.dumps(self.over(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _agent(headers: object) -> str | None:
    """Return the user agent; a device keeps headers as lists, in clear or as HMAC."""
    if not isinstance(headers, Mapping):
        return None
    found = next((v for name, v in headers.items() if str(name).lower() == "user-agent"), None)
    return plain(found[0] if isinstance(found, list) and found else found)


def _policies(value: object) -> str | None:
    listed = inside(value, "auth", "policies") or inside(value, "auth", "token_policies")
    return ",".join(sorted({t for p in listed if (t := plain(p))})) or None if isinstance(listed, list) else None


class VaultAudit:
    """Requests and responses of the audit log, from lines, lists and single objects."""

    id = "vault_audit"
    title = "HashiCorp Vault audit log"
    provider = "vault"
    reference = "https://developer.hashicorp.com/vault/docs/audit/schema"
    reader_version = "1"
    table = "vault_event"
    by_record = True

    def recognise(self, probe: Probe) -> str:
        """Recognise by type request or response, a time, and a request with id and path."""
        known = probe.form in {"json", "ndjson"} and _is_record(probe.sample)
        return "audit records with type, time and request.id" if known else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the list that was found in an enclosing object, else the value itself."""
        return (probe.container,) if probe.container and "request" not in probe.keys else ()

    def read(self, document: Document) -> Reading:
        """Turn records into rows of `vault_event`; one answer a record, defects with their reason."""
        notes: set[str] = set()
        return Reading([self._answer(record, notes) for record in document.records], notes=sorted(notes))

    def _answer(self, record: RawRecord, notes: set[str]) -> RowOrDefect:
        value = record.value
        if not isinstance(value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        kind, when = plain(value.get("type")), moment(value.get("time"))
        if kind not in _KINDS:
            return RowOrDefect(record, defect="type is neither request nor response")
        if when is None:
            return RowOrDefect(record, defect="no readable time")
        veil = _Veil()
        address = read_address(plain(inside(value, "request", "remote_address")))
        row: Row = {**blank(VAULT_EVENT), "provider": self.provider, "event_time": when, "kind": kind}
        row |= {column: plain(inside(value, *path)) for path, column in _TEXTS.items()}
        row["principal"] = row["principal"] or plain(inside(value, "response", "auth", "display_name"))
        for column, paths in (("token_hmac", _TOKENS), ("accessor_hmac", _ACCESSORS)):
            row[column] = next((text for path in paths if (text := veil.text(inside(value, *path)))), None)
        row |= {"source_ip": address.text, "source_ip_key": address.key, "policies": _policies(value)}
        row["user_agent"] = _agent(inside(value, "request", "headers"))
        row["request_data"] = veil.json(inside(value, "request", "data"))
        row["response_data"] = veil.json(inside(value, "response", "data"))
        row["raw"] = compact(value, {*_TEXTS, *_TOKENS, *_ACCESSORS, *_DROPPED, *_OF_ADDRESS[: bool(address.text)]})
        if veil.clear:
            notes.add("values that are no HMAC (a device that logs in clear) are masked")
        return RowOrDefect(record, row, f"{row['request_id']}:{kind}" if row["request_id"] else "")


_OF_ADDRESS = (("request", "remote_address"),)

SOURCE = VaultAudit()
