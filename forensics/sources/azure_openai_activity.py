"""Activity log of Azure: who listed or regenerated the keys of an AI account, deployed models or changed access.

Comes from a storage account or event hub (`time`, `operationName` as text, `/ACTION` in capitals), from `az monitor
activity-log list` and the REST interface (`eventTimestamp`, `operationName.value`). Only operations of Cognitive Services
and on roles and logging are read; others are out of scope by name. The portal's CSV has no published form.
An operation is told twice, when it starts and when it ends: both stay, the outcome of a start is open.
https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.model.address import read_address
from forensics.model.buckets import covered_events
from forensics.model.fields import compact, inside, moment, plain
from forensics.model.usage import AI_AUDIT_EVENT, blank
from forensics.model.wrapping import loaded, lowered
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_TIMES = ("eventtimestamp", "time")
#: Beginnings of operations that bear on keys, on models, on who may use them, or on the logs.
_READ = (
    "microsoft.cognitiveservices/",
    "microsoft.machinelearningservices/",
    "microsoft.authorization/roleassignments/",
    "microsoft.insights/diagnosticsettings/",
    "microsoft.keyvault/vaults/",
)
_GOOD, _BAD = frozenset({"succeeded", "success", "ok"}), frozenset({"failed", "failure"})
_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"


def _named(value: object) -> str | None:
    """Return a text that stands alone or as `{"value": ..., "localizedValue": ...}`."""
    return plain(inside(value, "value")) if isinstance(value, Mapping) else plain(value)


def _is_record(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    fields = lowered(value)
    parts = (_named(fields.get("operationname")) or "").split("/")
    claims = isinstance(fields.get("claims"), Mapping) or inside(fields.get("identity"), "claims") is not None
    known = claims or (_named(fields.get("category")) or "").lower() == "administrative"
    return known and len(parts) > 2 and "." in parts[0] and "resourceid" in fields and any(n in fields for n in _TIMES)


def _claims(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    found = fields.get("claims") or inside(fields.get("identity"), "claims")
    found = loaded(found) if isinstance(found, str) else found
    return found if isinstance(found, Mapping) else {}


def _outcome(fields: Mapping[str, Any]) -> str | None:
    told = _named(fields.get("status")) or plain(fields.get("resulttype")) or ""
    return "success" if told.lower() in _GOOD else "failure" if told.lower() in _BAD else None


def _kept(properties: object) -> dict[str, Any]:
    """Return what is kept of the properties. Bodies of the answer hold the keys that were listed."""
    found = loaded(properties) if isinstance(properties, str) else properties
    members = found if isinstance(found, Mapping) else {}
    return {name: value for name, value in members.items() if "body" not in str(name).lower()}


class AzureOpenAIActivity:
    """Records of the log, of administration alone."""

    id = "azure_openai_activity"
    title = "Azure activity log (keys, deployments, access)"
    provider = "azure_openai"
    reference = "https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema"
    reader_version = "1"
    table = "ai_audit_event"

    def recognise(self, probe: Probe) -> str:
        """Recognise by an operation of a resource provider, a resource, a time, and claims or the category."""
        known = probe.form in {"json", "ndjson"} and _is_record(probe.sample)
        return "operations of Azure resources with claims or of category Administrative" if known else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the list that was found in an enclosing object, else the value itself."""
        return (probe.container,) if probe.container else ()

    def read(self, document: Document) -> Reading:
        """Turn records into rows of `ai_audit_event`."""
        reading = Reading([self._answer(record) for record in document.records])
        times = [answer.row["event_time"] for answer in reading.answers if answer.row is not None]
        reading.coverage = covered_events(self.provider, "audit", times, truncated=False)
        return reading

    def _answer(self, record: RawRecord) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        fields = lowered(record.value)
        action = _named(fields.get("operationname"))
        if action is None:
            return RowOrDefect(record, defect="no operationName")
        if not action.lower().startswith(_READ):
            return RowOrDefect(record, out_of_scope=f"operations of {action.partition('/')[0]} are not read")
        when = next((found for name in _TIMES if (found := moment(fields.get(name))) is not None), None)
        if when is None:
            return RowOrDefect(record, defect="no readable eventTimestamp or time")
        row = self._row(fields, action) | {"event_time": when}
        # One operation has several records under one correlation id; each has an id of its own only in the interface.
        return RowOrDefect(record, row, plain(fields.get("eventdataid")) or "")

    def _row(self, fields: dict[str, Any], action: str) -> Row:
        claims = _claims(fields)
        address = read_address(
            plain(fields.get("calleripaddress"))
            or plain(inside(fields.get("httprequest"), "clientIpAddress"))
            or plain(claims.get("ipaddr"))
        )
        actor = plain(fields.get("caller")) or plain(claims.get(f"{_CLAIMS}upn")) or plain(claims.get("appid"))
        used: set[tuple[str, ...]] = {("operationname",), *((name,) for name in _TIMES), ("eventdataid",), ("caller",)}
        used |= {("calleripaddress",), ("httprequest", "clientIpAddress")} if address.text else set()
        return {
            **blank(AI_AUDIT_EVENT),
            "provider": self.provider,
            "event_id": plain(fields.get("eventdataid")) or plain(fields.get("correlationid")),
            "action": action,
            "outcome": _outcome(fields),
            "actor_type": "caller" if actor else None,
            "actor_id": actor if actor and "@" not in actor else None,
            "actor_email": actor if actor and "@" in actor else None,
            "source_ip": address.text,
            "source_ip_key": address.key,
            "target_id": plain(fields.get("resourceid")),
            "details": compact({"status": _named(fields.get("status")) or plain(fields.get("resulttype"))}),
            "raw": compact({**fields, "properties": _kept(fields.get("properties"))}, used),
        }


SOURCE = AzureOpenAIActivity()
