"""Resource logs of Azure OpenAI: requests (category RequestResponse) and acts on keys (category Audit), in one file.

Comes from a storage account as lines, from an event hub as `{"records": []}`, from Log Analytics as CSV or JSON whose
columns carry a suffix for their type. Callers' addresses are masked (`203.0.113.***`) and then stay in `raw`. The log
has no tokens and does not say which key was used. Times of requests are .NET ticks.
https://learn.microsoft.com/azure/ai-services/openai/monitor-openai-reference
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from forensics.model.address import read_address
from forensics.model.buckets import covered_events
from forensics.model.fields import compact, moment, plain
from forensics.model.usage import AI_AUDIT_EVENT, AI_REQUEST, blank
from forensics.model.wrapping import american_time, loaded, lowered, ticks
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_REQUESTS, _ACTS = "requestresponse", "audit"
_KNOWN = frozenset({_REQUESTS, _ACTS, "trace", "azureopenairequestusage", "managednetworkevent", "allmetrics"})
_RESOURCE = "/providers/microsoft.cognitiveservices/"
_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)/", re.IGNORECASE)
#: Columns of Log Analytics: a property with the first letter of its type, or a name with its zone.
_SUFFIX = re.compile(r"^(.+)_(?:s|g|d|t|b)$")
_ALIASES = {"timegenerated": "time", "timegenerated [utc]": "time", "_resourceid": "resourceid"}
_PROPERTIES = ("properties", "properties_s")


def _members(record: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return (fields, properties) of a record by names in lower case, whatever form it came in."""
    fields: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    for name, value in lowered(record).items():
        suffix = _SUFFIX.match(name)
        if name in _PROPERTIES:
            inner = loaded(value) if isinstance(value, str) else value
            properties |= lowered(inner) if isinstance(inner, Mapping) else {}
        elif suffix:
            properties.setdefault(suffix[1], value)
        elif plain(value) is not None or isinstance(value, Mapping | list):
            fields[_ALIASES.get(name, name)] = value
    return fields, properties


def _is_record(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    fields, _ = _members(value)
    category, resource = plain(fields.get("category")) or "", plain(fields.get("resourceid")) or ""
    return category.lower() in _KNOWN and _RESOURCE in resource.lower() and {"time", "operationname"} <= fields.keys()


def _outcome(fields: Mapping[str, Any]) -> tuple[bool | None, str | None]:
    """Return whether it succeeded, if told, and the code of the failure. The signature is an HTTP status or its text."""
    told = plain(fields.get("resultsignature")) or plain(fields.get("resulttype"))
    if told is None:
        return None, None
    if told.isdigit():
        return (True, None) if int(told) < 400 else (False, told)
    good = told.lower() in {"ok", "success", "succeeded", "created", "accepted"}
    return (True, None) if good else (False, told)


class AzureOpenAI:
    """Records of both categories; others are out of scope by name."""

    id = "azure_openai"
    title = "Azure OpenAI resource logs (RequestResponse, Audit)"
    provider = "azure_openai"
    reference = "https://learn.microsoft.com/azure/ai-services/openai/monitor-openai-reference"
    reader_version = "1"
    table = "ai_request"
    by_record = True

    def recognise(self, probe: Probe) -> str:
        """Recognise by category and by a resource of Cognitive Services."""
        if probe.form == "csv":
            names = {_ALIASES.get(n, n) for n in lowered(dict.fromkeys(probe.header))}
            known = {"time", "category", "operationname", "resourceid"} <= names
            return "columns of AzureDiagnostics" if known and _RESOURCE in probe.text_head.lower() else ""
        known = probe.form in {"json", "ndjson"} and _is_record(probe.sample)
        return "resource logs of an account of Cognitive Services" if known else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the list that was found in an enclosing object, else the value itself."""
        return (probe.container,) if probe.container and "category" not in probe.keys else ()

    def read(self, document: Document) -> Reading:
        """Turn records into rows of `ai_request` and `ai_audit_event`."""
        notes: set[str] = set()
        reading = Reading([self._answer(record, notes) for record in document.records])
        times = [a.row["event_time"] for a in reading.answers if a.row is not None and not a.table]
        reading.coverage = covered_events(self.provider, "requests", times, truncated=False)
        reading.notes = sorted(notes)
        return reading

    def _answer(self, record: RawRecord, notes: set[str]) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        fields, properties = _members(record.value)
        category = (plain(fields.get("category")) or "").lower()
        if category not in (_REQUESTS, _ACTS):
            named = f"category {plain(fields.get('category'))}" if category else "no category"
            return RowOrDefect(record, out_of_scope=f"records of {named} are not read")
        told = fields.get("time")
        when = moment(told) or american_time(told)
        when = ticks(properties.get("requesttime")) or when if category == _REQUESTS else when
        if when is None:
            return RowOrDefect(record, defect="no readable time")
        row = _act(fields, properties) if category == _ACTS else _request(fields, properties, notes)
        row |= {"provider": self.provider, "event_time": when}
        native = plain(fields.get("correlationid")) or ""
        return RowOrDefect(record, row, native, table="ai_audit_event" if category == _ACTS else "")


def _request(fields: dict[str, Any], properties: dict[str, Any], notes: set[str]) -> Row:
    address = read_address(plain(fields.get("calleripaddress")))
    subscription = _SUBSCRIPTION.search(plain(fields.get("resourceid")) or "")
    done, code = _outcome(fields)
    principal = plain(properties.get("objectid"))
    if principal is None:
        notes.add("requests without objectId: likely made with one of the account's keys, which the log does not name")
    if address.text is None and "***" in (plain(fields.get("calleripaddress")) or ""):
        notes.add("the log masks the last part of callers' addresses")
    row = {
        **blank(AI_REQUEST),
        "end_time": ticks(properties.get("responsetime")),
        "request_id": plain(fields.get("correlationid")),
        "operation": plain(fields.get("operationname")),
        "model": plain(properties.get("modelname")) or plain(properties.get("modeldeploymentname")),
        "principal": principal,
        "account_id": subscription[1].lower() if subscription else None,
        "region": plain(fields.get("location")) or plain(fields.get("tenant")),
        "source_ip": address.text,
        "source_ip_key": address.key,
        "status": None if done is None else "ok" if done else "error",
        "error_code": code,
    }
    used: set[tuple[str, ...]] = {(n,) for n in ("time", "correlationid", "operationname", "location", "category")}
    used |= {("calleripaddress",)} if address.text else set()
    used |= {("properties", name) for name in ("modelname", "objectid", "requesttime", "responsetime")}
    return row | {"raw": compact({**fields, "properties": properties}, used)}


def _act(fields: dict[str, Any], properties: dict[str, Any]) -> Row:
    address = read_address(plain(fields.get("calleripaddress")))
    done, _ = _outcome(fields)
    actor = plain(properties.get("objectid"))
    used = {("time",), ("correlationid",), ("operationname",), ("category",), ("assetidentity",)}
    return {
        **blank(AI_AUDIT_EVENT),
        "event_id": plain(fields.get("correlationid")),
        "action": plain(fields.get("operationname")),
        "outcome": None if done is None else "success" if done else "failure",
        "actor_type": "object_id" if actor else None,
        "actor_id": actor,
        "source_ip": address.text,
        "source_ip_key": address.key,
        "target_id": plain(fields.get("assetidentity")) or plain(fields.get("resourceid")),
        "details": compact(properties),
        "raw": compact(fields, used | ({("calleripaddress",)} if address.text else set())),
    }


SOURCE = AzureOpenAI()
