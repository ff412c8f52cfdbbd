"""The model invocation log of Amazon Bedrock: who called which model with how many tokens, from no address.

`requestId` equals the requestID of the CloudTrail event, which has the address. Bodies are never stored. Comes from S3 as
lines, and from CloudWatch Logs as messages of log events or as the console's CSV with a column `@message`.
https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from forensics.model.buckets import covered_events
from forensics.model.fields import compact, count, inside, moment, plain
from forensics.model.wrapping import loaded, lowered, messages
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_SCHEMA = "ModelInvocationLog"
_MESSAGE = "@message"
_TOKENS = {
    ("input", "inputTokenCount"): "input",
    ("input", "cacheReadInputTokenCount"): "cache_read_tokens",
    ("input", "cacheWriteInputTokenCount"): "cache_write_tokens",
    ("output", "outputTokenCount"): "output_tokens",
}


def _is_log(value: object) -> bool:
    return inside(value, "schemaType") == _SCHEMA


def _bodies(record: Mapping[str, Any]) -> set[tuple[str, ...]]:
    """Return paths of what was asked and answered; where a body was stored outside stays."""
    return {
        (side, str(name))
        for side in ("input", "output")
        for part in (record.get(side),)
        if isinstance(part, Mapping)
        for name in part
        if "Body" in str(name) and not str(name).endswith("S3Path")
    }


def _tokens(record: Mapping[str, Any], notes: set[str]) -> tuple[Row, set[tuple[str, ...]]]:
    """Return token columns and the paths they were read from; what is no whole number stays in `raw`."""
    read: dict[str, int | None] = {}
    used: set[tuple[str, ...]] = set()
    for path, column in _TOKENS.items():
        read[column] = count(inside(record, *path))
        if read[column] is not None:
            used.add(path)
        elif inside(record, *path) is not None:
            notes.add(f"{path[-1]} is not a whole number")
    cached = (read["cache_read_tokens"] or 0) + (read["cache_write_tokens"] or 0)
    asked = read.pop("input")
    total = None if asked is None else asked + cached
    if total is not None and abs(total) >= 2**63:
        notes.add("the sum of input tokens is out of range")
        total = None
    if cached and "anthropic" not in (plain(record.get("modelId")) or ""):
        notes.add("input tokens taken as without cached ones, which is known for Anthropic models only")
    if cached:  # the parts of the sum stay readable
        used.discard(("input", "inputTokenCount"))
    return {"input_tokens_total": total, **read}, used


class BedrockInvocation:
    """Records of the invocation log, from lines, lists and single objects."""

    id = "bedrock_invocation"
    title = "Amazon Bedrock model invocation log"
    provider = "aws_bedrock"
    reference = "https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html"
    reader_version = "2"
    table = "ai_request"
    by_record = True

    def recognise(self, probe: Probe) -> str:
        """Recognise by the schema type of the first record."""
        if probe.form == "csv":
            told = _SCHEMA in probe.text_head and "schemaType" in probe.text_head
            return (
                f"@message with schemaType {_SCHEMA}"
                if told and _MESSAGE in lowered(dict.fromkeys(probe.header))
                else ""
            )
        if probe.form in {"json", "ndjson", "lines"} and _is_log(probe.sample):
            return f"schemaType {_SCHEMA}"
        behind = probe.container == "logEvents" and "CONTROL_MESSAGE" in probe.text_head and _SCHEMA in probe.text_head
        return f"log events with schemaType {_SCHEMA}" if behind or _is_log(messages(probe.sample)) else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the list that was found in an enclosing object, and to the text of its messages."""
        path = (probe.container,) if probe.container and "schemaType" not in probe.keys else ()
        return (*path, "message") if _is_log(messages(probe.sample)) or probe.container == "logEvents" else path

    def read(self, document: Document) -> Reading:
        """Turn records into rows of `ai_request`; one answer a record, defects with their reason."""
        notes: set[str] = set()
        reading = Reading(answers=[self._answer(record, notes) for record in document.records])
        times = [answer.row["event_time"] for answer in reading.answers if answer.row is not None]
        reading.coverage = covered_events(self.provider, "requests", times, truncated=False)
        reading.notes = sorted(notes)
        return reading

    def _answer(self, record: RawRecord, notes: set[str]) -> RowOrDefect:
        value = record.value
        if not isinstance(value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        message = lowered(value).get(_MESSAGE)
        if message is not None:  # the record is inside, and the same as that of a delivery to S3
            inner = loaded(message)
            if not isinstance(inner, Mapping):
                return RowOrDefect(record, defect="@message is not JSON")
            return replace(self._row(record, inner, notes), content=inner)
        return self._row(record, value, notes)

    def _row(self, record: RawRecord, value: Mapping[str, Any], notes: set[str]) -> RowOrDefect:
        if not _is_log(value):
            return RowOrDefect(record, defect=f"schemaType is not {_SCHEMA}")
        when = moment(value.get("timestamp"))
        if when is None:
            return RowOrDefect(record, defect="no readable timestamp")
        tokens, used = _tokens(value, notes)
        error, request = plain(value.get("errorCode")), plain(value.get("requestId"))
        row: Row = {
            "provider": self.provider,
            "event_time": when,
            "end_time": None,
            "request_id": request,
            "operation": plain(value.get("operation")),
            "model": plain(value.get("modelId")),
            "upstream_provider": None,
            "key_id": None,
            "key_name": None,
            "key_hash": None,
            "principal": plain(inside(value, "identity", "arn")),
            "user_id": None,
            "account_id": plain(value.get("accountId")),
            "region": plain(value.get("region")),
            "source_ip": None,
            "source_ip_key": None,
            "user_agent": None,
            "status": "error" if error else "ok",
            "error_code": error,
            **tokens,
            "cost": None,
            "currency": None,
            "raw": compact(value, used | _WITH_COLUMN | _bodies(value)),
        }
        return RowOrDefect(record, row, request or "")


_WITH_COLUMN = {
    *((n,) for n in ("schemaType", "timestamp", "requestId", "operation", "modelId", "accountId", "region")),
    ("errorCode",),
    ("identity", "arn"),
}

SOURCE = BedrockInvocation()
