"""Request-response logging of Vertex AI, exported from its BigQuery table as JSON or CSV: models and tokens.

Has no address and no principal, and may hold a sample of the requests only. `promptTokenCount` includes cached tokens;
thoughts are billed as output and come beside the candidates. What was asked and answered is never stored.
https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/request-response-logging
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from forensics.model.buckets import covered_events
from forensics.model.fields import compact, count, moment, plain
from forensics.model.usage import AI_REQUEST, blank
from forensics.model.wrapping import loaded, lowered, ordinary
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_CORE = frozenset({"endpoint", "deployed_model_id", "logging_time", "request_id", "api_method"})
_CONTENT = ("request_payload", "response_payload", "full_request", "full_response", "otel_log")
_TEXTS = {"request_id": "request_id", "api_method": "operation", "model": "model"}


def _time(value: object) -> datetime | None:
    """Return the time; tools of BigQuery also write unix seconds with an exponent (`1.79462220E9`)."""
    known = moment(value)
    text = plain(value)
    if known is not None or text is None or len(text) > 40:
        return known
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return moment(f"{number:f}") if number.is_finite() and 8 <= number.adjusted() <= 18 else None


def _usage(response: object) -> dict[str, Any]:
    """Return the usage of an answer by ordinary names; of a stream the last part that has one."""
    whole = loaded(response) if isinstance(response, str) else response
    parts = whole if isinstance(whole, list) else [whole]
    for part in reversed(parts):
        if not isinstance(part, Mapping):
            continue
        for name, member in part.items():
            if ordinary(name) == "usagemetadata" and isinstance(member, Mapping):
                return {ordinary(n): v for n, v in member.items()}
    return {}


def _error(response: object) -> str | None:
    whole = loaded(response) if isinstance(response, str) else response
    error = whole.get("error") if isinstance(whole, Mapping) else None
    return (plain(error.get("status")) or plain(error.get("code"))) if isinstance(error, Mapping) else None


class VertexRequests:
    """Rows of the logging table."""

    id = "vertex_requests"
    title = "Vertex AI request-response logging"
    provider = "vertex"
    reference = "https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/request-response-logging"
    reader_version = "1"
    table = "ai_request"

    def recognise(self, probe: Probe) -> str:
        """Recognise by the columns of the logging table."""
        if probe.form == "csv":
            names = set(lowered(dict.fromkeys(probe.header)))
        else:
            names = set(lowered(probe.sample)) if isinstance(probe.sample, Mapping) else set()
        return "columns of request-response logging" if names >= _CORE else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the list that was found in an enclosing object, else the value itself."""
        return (probe.container,) if probe.container and "logging_time" not in probe.keys else ()

    def read(self, document: Document) -> Reading:
        """Turn rows into rows of `ai_request`."""
        notes: set[str] = set()
        reading = Reading([self._answer(record, notes) for record in document.records])
        times = [a.row["event_time"] for a in reading.answers if a.row is not None]
        reading.coverage = covered_events(self.provider, "requests", times, truncated=False)
        if times:
            notes.add("the logging may hold a sample of the requests: its rate is not in the export")
        reading.notes = sorted(notes)
        return reading

    def _answer(self, record: RawRecord, notes: set[str]) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        value = lowered(record.value)
        when = _time(value.get("logging_time"))
        if when is None:
            return RowOrDefect(record, defect="no readable logging_time")
        response = value.get("full_response")
        usage, error = _usage(response), _error(response)
        row: Row = {**blank(AI_REQUEST), "provider": self.provider, "event_time": when}
        row |= {column: plain(value.get(name)) for name, column in _TEXTS.items()}
        row["model"] = row["model"] or plain(value.get("deployed_model_id"))
        row["input_tokens_total"] = count(usage.get("prompttokencount"))
        row["cache_read_tokens"] = count(usage.get("cachedcontenttokencount"))
        parts = [count(usage.get(name)) for name in ("candidatestokencount", "thoughtstokencount")]
        known = [part for part in parts if part is not None]
        output = sum(known) if known else None
        row["output_tokens"] = output if output is None or abs(output) < 2**63 else None
        row |= {"status": "error" if error else "ok" if usage else None, "error_code": error}
        if not usage:
            notes.add("answers without usageMetadata in some rows")
        kept = {**value, "usage": usage}
        row["raw"] = compact(kept, {(name,) for name in (*_CONTENT, *_TEXTS, "logging_time")})
        return RowOrDefect(record, row, row["request_id"] or "")


SOURCE = VertexRequests()
