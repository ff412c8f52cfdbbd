"""Spans and log records of OpenTelemetry's conventions for generative AI, as OTLP JSON. Old and new attribute names.

`gen_ai.usage.input_tokens` holds cached tokens too. 64-bit numbers come as text. Other spans are out of scope.
https://github.com/open-telemetry/semantic-conventions-genai
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from forensics.model.address import read_address
from forensics.model.buckets import covered_events
from forensics.model.fields import compact, count, inside, moment, plain
from forensics.model.usage import AI_REQUEST, blank
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_PATHS = {
    "resourceSpans": ("resourceSpans", "scopeSpans", "spans"),
    "resourceLogs": ("resourceLogs", "scopeLogs", "logRecords"),
}
_TEXTS = {
    "operation": ("gen_ai.operation.name",),
    "model": ("gen_ai.response.model", "gen_ai.request.model"),
    "upstream_provider": ("gen_ai.provider.name", "gen_ai.system"),
    "user_id": ("user.id", "enduser.id"),
    "user_agent": ("user_agent.original", "http.user_agent"),
    "region": ("cloud.region",),
    "account_id": ("cloud.account.id",),
    "error_code": ("error.type",),
}
_COUNTS = {
    "input_tokens_total": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    "cache_read_tokens": ("gen_ai.usage.cache_read.input_tokens",),
    "cache_write_tokens": ("gen_ai.usage.cache_creation.input_tokens",),
    "output_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
}
_ADDRESS = ("client.address", "http.client_ip", "net.sock.peer.addr")
_CONTENT = ("messages", "content", "prompt", "completion", "instructions", "arguments", "result")


def _scalar(value: object) -> Any:
    """Return the value of OTLP's AnyValue; lists and maps as text of their own."""
    if not isinstance(value, Mapping):
        return None
    for name in ("stringValue", "intValue", "doubleValue", "boolValue"):
        if value.get(name) is not None:
            return value[name]
    return None


def _attributes(value: object) -> dict[str, Any]:
    listed = value if isinstance(value, list) else []
    return {
        str(item.get("key")): found
        for item in listed
        if isinstance(item, Mapping) and (found := _scalar(item.get("value"))) is not None
    }


def _first(attributes: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((attributes[name] for name in names if name in attributes), None)


def _time(value: Mapping[str, Any], *names: str) -> datetime | None:
    """Return the first time that is not zero: 0 says that there is none."""
    texts = (plain(value.get(name)) for name in names)
    return next((found for text in texts if text and text != "0" and (found := moment(text)) is not None), None)


class OtelGenAi:
    """Records of one OTLP file."""

    id = "otel_genai"
    title = "OpenTelemetry spans and logs of generative AI (OTLP JSON)"
    provider = "otel"
    reference = "https://github.com/open-telemetry/semantic-conventions-genai"
    reader_version = "1"
    table = "ai_request"
    by_record = True

    def recognise(self, probe: Probe) -> str:
        """Recognise by the outer list of OTLP."""
        found = (
            next((name for name in _PATHS if name in probe.keys), None) if probe.form in {"json", "ndjson"} else None
        )
        return f"OTLP with {found}" if found else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead through the lists of OTLP to the spans or log records."""
        return next((path for name, path in _PATHS.items() if name in probe.keys), ())

    def read(self, document: Document) -> Reading:
        """Turn records with `gen_ai` attributes into rows of `ai_request`."""
        reading = Reading([self._answer(record) for record in document.records])
        times = [answer.row["event_time"] for answer in reading.answers if answer.row is not None]
        reading.coverage = covered_events(self.provider, "requests", times, truncated=False)
        return reading

    def _answer(self, record: RawRecord) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        value = record.value
        own = _attributes(value.get("attributes"))
        if not any(name.startswith("gen_ai.") for name in own):
            return RowOrDefect(record, out_of_scope="records without gen_ai attributes are not read")
        start = _time(value, "startTimeUnixNano", "timeUnixNano", "observedTimeUnixNano")
        if start is None:
            return RowOrDefect(record, defect="no readable startTimeUnixNano")
        around = [_attributes(inside(context, "resource", "attributes")) for context in record.contexts]
        every = {name: text for attributes in (*around, own) for name, text in attributes.items()}
        address = read_address(plain(_first(own, _ADDRESS)))
        row: Row = {**blank(AI_REQUEST), "provider": self.provider, "event_time": start}
        row |= {column: plain(_first(every, names)) for column, names in _TEXTS.items()}
        row |= {column: count(_first(own, names)) for column, names in _COUNTS.items()}
        row["end_time"] = _time(value, "endTimeUnixNano")
        row["request_id"] = plain(own.get("gen_ai.response.id")) or plain(value.get("spanId"))
        row |= {"source_ip": address.text, "source_ip_key": address.key}
        failed = row["error_code"] or plain(inside(value, "status", "code")) in ("2", "STATUS_CODE_ERROR")
        row["status"] = "error" if failed else "ok"
        used = {name for names in (*_TEXTS.values(), *_COUNTS.values()) for name in names}
        used |= set(_ADDRESS) if address.text else set()
        kept = {n: v for n, v in every.items() if n not in used and not any(word in n for word in _CONTENT)}
        row["raw"] = compact({"attributes": kept, **{n: value.get(n) for n in ("name", "traceId", "spanId", "kind")}})
        place = [plain(value.get("traceId")), plain(value.get("spanId")), str(start)]
        return RowOrDefect(record, row, "|".join(part or "" for part in place) if place[0] and place[1] else "")


SOURCE = OtelGenAi()
