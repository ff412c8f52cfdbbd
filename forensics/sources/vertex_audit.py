"""Audit log entries of Google Cloud: calls of models (Vertex AI, Gemini API), and acts on keys, secrets and logging.

Data access logs are off by default; calls made with an API key name no principal. `requestMetadata.callerIp` may be a
word instead of an address. What was asked and answered is never stored.
https://cloud.google.com/vertex-ai/docs/general/audit-logging
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from forensics.model.address import Address, read_address
from forensics.model.buckets import covered_events
from forensics.model.fields import compact, inside, moment, plain
from forensics.model.usage import AI_AUDIT_EVENT, AI_REQUEST, blank
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_LOG = "cloudaudit.googleapis.com"
_MODELS = frozenset({"aiplatform.googleapis.com", "generativelanguage.googleapis.com"})
#: Services whose acts bear on keys, on who may use models, or on the log itself.
_CONTROL = frozenset(
    {
        *("apikeys.googleapis.com", "iam.googleapis.com", "iamcredentials.googleapis.com"),
        *("serviceusage.googleapis.com", "secretmanager.googleapis.com", "logging.googleapis.com"),
        *("cloudresourcemanager.googleapis.com", "cloudbilling.googleapis.com"),
    }
)
_CALL = re.compile(
    r"(?:Predict|GenerateContent|CountTokens|ComputeTokens|EmbedContent|EmbedContents|ChatCompletions|GenerateAnswer)$"
)
_PLACE = {
    "project": re.compile(r"(?:^|/)projects/([^/]+)"),
    "region": re.compile(r"/locations/([^/]+)"),
    "model": re.compile(r"(?:^|/)(?:models|endpoints)/([^/:]+)"),
    "key": re.compile(r"/keys/([^/]+)"),
}
_PAYLOAD = "protoPayload"
_WHO, _META = (_PAYLOAD, "authenticationInfo"), (_PAYLOAD, "requestMetadata")
_WITH_COLUMN: frozenset[tuple[str, ...]] = frozenset(
    {
        *(("timestamp",), ("insertId",), (_PAYLOAD, "@type"), (_PAYLOAD, "request"), (_PAYLOAD, "response")),
        *((_PAYLOAD, "methodName"), (_PAYLOAD, "resourceName"), (*_WHO, "principalEmail")),
        *((*_WHO, "serviceAccountKeyName"), (*_META, "callerSuppliedUserAgent")),
    }
)


def _is_entry(value: object) -> bool:
    return (
        _LOG in (plain(inside(value, "logName")) or "")
        and plain(inside(value, _PAYLOAD, "serviceName")) is not None
        and plain(inside(value, _PAYLOAD, "methodName")) is not None
    )


def _part(name: str, text: str | None) -> str | None:
    found = _PLACE[name].search(text or "")
    return found[1] if found else None


def _address(value: object) -> Address:
    return read_address(plain(inside(value, *_META, "callerIp")))


def _refused(value: object) -> str | None:
    """Return the status code of a failure, None for a success: an absent status or code 0."""
    code = plain(inside(value, _PAYLOAD, "status", "code"))
    return None if code in (None, "0") else code


class VertexAudit:
    """Entries from lines, lists and single objects."""

    id = "vertex_audit"
    title = "Google Cloud audit log: Vertex AI, Gemini API and keys"
    provider = "vertex"
    reference = "https://cloud.google.com/vertex-ai/docs/general/audit-logging"
    reader_version = "1"
    table = "ai_request"
    by_record = True

    def recognise(self, probe: Probe) -> str:
        """Recognise by the name of the log and a payload with service and method."""
        return (
            "entries of cloudaudit.googleapis.com"
            if probe.form in {"json", "ndjson"} and _is_entry(probe.sample)
            else ""
        )

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the list that was found in an enclosing object, else the value itself."""
        return (probe.container,) if probe.container and "logName" not in probe.keys else ()

    def read(self, document: Document) -> Reading:
        """Turn entries into rows of `ai_request` and `ai_audit_event`."""
        reading = Reading([self._answer(record) for record in document.records])
        times = [a.row["event_time"] for a in reading.answers if a.row is not None and not a.table]
        reading.coverage = covered_events(self.provider, "requests", times, truncated=False)
        if any(a.row is not None and not a.table and a.row["principal"] is None for a in reading.answers):
            reading.notes.append("calls without a principal: made with an API key, which the log does not name")
        return reading

    def _answer(self, record: RawRecord) -> RowOrDefect:
        value = record.value
        if not isinstance(value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        service = plain(inside(value, _PAYLOAD, "serviceName"))
        method = plain(inside(value, _PAYLOAD, "methodName")) or ""
        if service not in _MODELS | _CONTROL:
            return RowOrDefect(record, out_of_scope=f"entries of {service or 'no service'} are not read")
        when = moment(value.get("timestamp"))
        if when is None:
            return RowOrDefect(record, defect="no readable timestamp")
        call = service in _MODELS and _CALL.search(method) is not None
        row = _call(value, method) if call else _act(value, f"{service}:{method}")
        row |= {"provider": self.provider, "event_time": when}
        insert = plain(value.get("insertId"))
        # An insert id is unique within one log and instant.
        native = f"{insert}|{when.isoformat()}|{plain(value.get('logName'))}" if insert else ""
        return RowOrDefect(record, row, native, table="" if call else "ai_audit_event")


def _call(value: Mapping[str, Any], method: str) -> Row:
    address, resource = _address(value), plain(inside(value, _PAYLOAD, "resourceName"))
    project = plain(inside(value, "resource", "labels", "project_id")) or _part("project", resource)
    code = _refused(value)
    return {
        **blank(AI_REQUEST),
        "request_id": plain(value.get("insertId")),
        "operation": method.rpartition(".")[2],
        "model": _part("model", resource),
        "key_id": _part("key", plain(inside(value, *_WHO, "serviceAccountKeyName"))),
        "principal": plain(inside(value, *_WHO, "principalEmail")),
        "account_id": project,
        "region": _part("region", resource),
        "source_ip": address.text,
        "source_ip_key": address.key,
        "user_agent": plain(inside(value, *_META, "callerSuppliedUserAgent")),
        "status": "error" if code else "ok",
        "error_code": code,
        "raw": compact(value, _WITH_COLUMN | ({(*_META, "callerIp")} if address.text else set())),
    }


def _act(value: Mapping[str, Any], action: str) -> Row:
    address, resource = _address(value), plain(inside(value, _PAYLOAD, "resourceName"))
    made = plain(inside(value, _PAYLOAD, "response", "name"))
    project = plain(inside(value, "resource", "labels", "project_id")) or _part("project", resource)
    return {
        **blank(AI_AUDIT_EVENT),
        "event_id": plain(value.get("insertId")),
        "action": action,
        "outcome": "failure" if _refused(value) else "success",
        "actor_type": "service_account_key" if inside(value, *_WHO, "serviceAccountKeyName") else None,
        "actor_id": plain(inside(value, *_WHO, "principalSubject")),
        "actor_email": plain(inside(value, *_WHO, "principalEmail")),
        "actor_key_id": _part("key", plain(inside(value, *_WHO, "serviceAccountKeyName"))),
        "source_ip": address.text,
        "source_ip_key": address.key,
        "user_agent": plain(inside(value, *_META, "callerSuppliedUserAgent")),
        "target_id": resource,
        "target_key_id": _part("key", resource) or _part("key", made),
        "project_id": project,
        "details": compact(inside(value, _PAYLOAD, "request") or {}),
        "raw": compact(value, _WITH_COLUMN | ({(*_META, "callerIp")} if address.text else set())),
    }


SOURCE = VertexAudit()
