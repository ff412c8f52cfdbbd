"""OpenAI's older interfaces: usage of a day in steps of five minutes, and the old dashboard's costs in CENTS.

Neither is documented by the provider any more; names and units are as published by others. That a row counts five
minutes is an assumption, and is said. Such an export proves nothing about absence.
https://platform.openai.com/docs/api-reference/usage
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from forensics.model.buckets import Bucket, natural_key
from forensics.model.fields import compact, count, inside, moment, plain
from forensics.model.money import read_money
from forensics.model.usage import AI_COST, AI_USAGE, blank
from forensics.model.wrapping import Ordinals
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_STEP, _DAY = timedelta(minutes=5), timedelta(days=1)
_CORE = frozenset({"aggregation_timestamp", "n_requests", "snapshot_id"})
_COUNTS = {
    "n_requests": "requests",
    "n_context_tokens_total": "input_tokens_total",
    "n_cached_context_tokens_total": "cache_read_tokens",
    "n_generated_tokens_total": "output_tokens",
}
_TEXTS = {
    "project_id": "project_id",
    "api_key_id": "key_id",
    "api_key_name": "key_name",
    "email": "user_id",
    "snapshot_id": "model",
}
_DIMENSIONS = (*_TEXTS, "operation", "organization_id", "request_type")
_OPERATIONS = {"completion": "chat", "completion-realtime": "chat", "chat": "chat", "edit": "chat"}
_CENT_DIGITS = 2


def _dimensions(value: Mapping[str, Any]) -> dict[str, str]:
    return {name: text for name in _DIMENSIONS if (text := plain(value.get(name)))}


class OpenAILegacyUsage:
    """Rows of the old usage interface, and line items of the old dashboard."""

    id = "openai_legacy_usage"
    title = "OpenAI usage and costs, old interfaces"
    provider = "openai"
    reference = "https://platform.openai.com/docs/api-reference/usage"
    reader_version = "1"
    table = "ai_usage"

    def recognise(self, probe: Probe) -> str:
        """Recognise by aggregation_timestamp and n_requests of a row, or by daily_costs with line_items."""
        if probe.form not in {"json", "ndjson"} or not isinstance(probe.sample, Mapping):
            return ""
        if probe.sample.keys() >= _CORE:
            return "rows with aggregation_timestamp and n_requests"
        costs = probe.sample.get("daily_costs")
        first = costs[0] if isinstance(costs, list) and costs else probe.sample
        items = isinstance(inside(first, "line_items"), list) and inside(first, "timestamp") is not None
        return "daily_costs with line_items" if items and ("daily_costs" in probe.keys or costs) else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the rows of a page or the line items of the days, else the value itself."""
        if "daily_costs" in probe.keys:
            return ("daily_costs", "line_items")
        return ("data",) if "data" in probe.keys else ()

    def read(self, document: Document) -> Reading:
        """Turn rows into `ai_usage` and line items into `ai_cost`."""
        reading = Reading()
        ordinals = Ordinals()
        for record in document.records:
            reading.answers.append(_answer(record, ordinals))
        usage = [a for a in reading.answers if a.row is not None and a.table != "ai_cost"]
        costs = [a for a in reading.answers if a.row is not None and a.table == "ai_cost"]
        grouped = sorted({name for a in usage for name in _dimensions(a.record.value)})
        for answer in usage:
            assert answer.row is not None
            answer.row["grouped_by"] = ",".join(grouped)
        if usage:
            reading.notes.append("usage of the old interface: buckets of five minutes assumed, the rows state no end")
            if any("object" in each for each in document.envelopes):
                reading.notes.append("only the list data is read: images, audio and training stand in lists beside it")
            if "api_key_id" not in grouped:
                reading.notes.append("usage of the old interface: not grouped by API key")
        if costs:
            reading.notes.append("costs of the old dashboard count cents: divided by 100")
            if not _adds_up(document, [a.row for a in costs if a.row is not None]):
                reading.notes.append("the line items do not add up to total_usage")
        return reading


def _adds_up(document: Document, rows: list[Row]) -> bool:
    """Whether the line items are total_usage, to a millionth of a cent: the totals were written as floats."""
    totals = [
        read_money(e.get("total_usage"), minor_digits=_CENT_DIGITS) for e in document.envelopes if "total_usage" in e
    ]
    if len(totals) != 1 or totals[0] is None:
        return True
    found: Decimal = sum((row["amount"] for row in rows), Decimal(0))
    return abs(found - totals[0]) < Decimal("0.00000001")


def _answer(record: RawRecord, ordinals: Ordinals) -> RowOrDefect:
    value = record.value
    if not isinstance(value, Mapping):
        return RowOrDefect(record, defect="the record is not an object")
    if "name" in value and "cost" in value:
        return _cost(record, value, ordinals)
    if not value.keys() & {"aggregation_timestamp", "n_requests", "snapshot_id"}:
        return RowOrDefect(record, defect="neither a row of usage nor a line item of daily costs")
    start = moment(value.get("aggregation_timestamp"))
    if start is None or start > datetime.max - _STEP:  # noqa: DTZ901 - naive UTC
        return RowOrDefect(record, defect="no readable aggregation_timestamp")
    row: Row = {
        **blank(AI_USAGE),
        "provider": "openai",
        "bucket_start": start,
        "bucket_end": start + _STEP,
        "granularity_s": 300,
    }
    for name, column in _COUNTS.items():
        row[column] = count(value.get(name))
        if row[column] is None and value.get(name) is not None:
            return RowOrDefect(record, defect=f"{name} is not a whole number")
    row |= {column: plain(value.get(name)) for name, column in _TEXTS.items()}
    operation = plain(value.get("operation")) or ""
    row["endpoint"] = _OPERATIONS.get(operation, operation or "chat")
    read = {(name,) for name in (*_COUNTS, *_TEXTS, "aggregation_timestamp", "operation")}
    row["raw"] = compact(value, read)
    return RowOrDefect(
        record, row, ordinals.name(natural_key("legacy", Bucket(start, start + _STEP), _dimensions(value)))
    )


def _cost(record: RawRecord, value: Mapping[str, Any], ordinals: Ordinals) -> RowOrDefect:
    start = next((m for c in reversed(record.contexts) if (m := moment(c.get("timestamp"))) is not None), None)
    if start is None or start > datetime.max - _DAY:  # noqa: DTZ901 - naive UTC
        return RowOrDefect(record, defect="no readable timestamp of the day")
    amount = read_money(value.get("cost"), minor_digits=_CENT_DIGITS)
    if amount is None:
        return RowOrDefect(record, defect="cost is not a number")
    name = plain(value.get("name"))
    row: Row = {**blank(AI_COST), "provider": "openai", "period_start": start, "period_end": start + _DAY}
    row |= {"line_item": name, "amount": amount, "currency": "USD", "grouped_by": "line_item"}
    row["raw"] = compact(value, {("name",), ("cost",)})
    key = natural_key("legacy_costs", Bucket(start, start + _DAY), {"line_item": name or ""})
    return RowOrDefect(record, row, ordinals.name(key), table="ai_cost")


SOURCE = OpenAILegacyUsage()
