"""Costs of an Anthropic organisation: daily buckets, amounts as decimal text in CENTS.

The report names no API keys; costs by key can only be estimated from usage.
https://platform.claude.com/docs/en/api/admin/cost_report/retrieve
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from forensics.model.buckets import Bucket, covered, natural_key, read_bucket, says_more
from forensics.model.fields import compact, inside, plain
from forensics.model.money import read_money
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_TIMES = ("starting_at", "ending_at")
_IN_HEAD = re.compile(r'"(uncached_input_tokens|amount|list_amount|product)"\s*:')
_DIMENSIONS = (
    *("context_window", "cost_type", "description", "inference_geo", "model"),
    *("service_tier", "token_type", "workspace_id"),
)
#: Cost reports of the analytics endpoints look alike but hold list prices of products.
_ANALYTICS = frozenset({"product", "list_amount", "rbac_group_id", "slack_channel_id"})
_MARKED = re.compile(r'"(?:product|list_amount|rbac_group_id|slack_channel_id)"\s*:')
_CENT_DIGITS = 2


def _first(value: object, name: str) -> object:
    found = inside(value, name)
    return found[0] if isinstance(found, list) and found else None


def _is_bucket(value: object) -> bool:
    return isinstance(value, Mapping) and {*_TIMES, "results"} <= value.keys()


def _is_result(value: object) -> bool:
    if not isinstance(value, Mapping) or _ANALYTICS & value.keys() or "object" in value:
        return False
    return "amount" in value and "currency" in value and not isinstance(value["amount"], Mapping)


def _dimensions(record: Mapping[str, Any]) -> dict[str, str]:
    texts = ((name, plain(record.get(name))) for name in _DIMENSIONS)
    return {name: text for name, text in texts if text}


class AnthropicCost:
    """Results of the cost report, from pages, lists of pages, buckets or flat results."""

    id = "anthropic_cost"
    title = "Anthropic cost report"
    provider = "anthropic"
    reference = "https://platform.claude.com/docs/en/api/admin/cost_report/retrieve"
    reader_version = "1"
    table = "ai_cost"

    def recognise(self, probe: Probe) -> str:
        """Recognise by amount and currency of the first result, else by the first such name in the head."""
        if probe.form not in {"json", "ndjson"}:
            return ""
        bucket = probe.sample if _is_bucket(probe.sample) else _first(probe.sample, "data")
        enclosed = _is_bucket(bucket) or {*_TIMES, "results"} <= probe.keys
        result = _first(bucket, "results") if _is_bucket(bucket) else probe.sample
        if isinstance(result, Mapping):
            timed = enclosed or set(_TIMES) <= result.keys()
            return "results with amount and currency" if timed and _is_result(result) else ""
        marked = _MARKED.search(probe.text_head)
        first = _IN_HEAD.search(probe.text_head) if enclosed and not marked else None
        return "results with amount and currency" if first and first[1] == "amount" else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the results of a page or a bucket, else the value itself."""
        if "data" in probe.keys or _first(probe.sample, "data") is not None:
            return ("data", "results")
        return ("results",) if "results" in probe.keys or _is_bucket(probe.sample) else ()

    def read(self, document: Document) -> Reading:
        """Turn results into rows of `ai_cost`; one answer a record, defects with their reason."""
        reading = Reading(answers=[self._answer(record) for record in document.records])
        made = [answer for answer in reading.answers if answer.row is not None]
        grouped = ",".join(sorted({name for answer in made for name in _dimensions(answer.record.value)}))
        notes: set[str] = set()
        buckets = [b for b in (read_bucket((c,), *_TIMES) for c in document.contexts) if isinstance(b, Bucket)]
        for answer in made:
            assert answer.row is not None
            answer.row["grouped_by"] = grouped
            buckets.append(Bucket(answer.row["period_start"], answer.row["period_end"]))
            notes.add("costs: not grouped by API key, the cost report names none")
            if answer.row["currency"] is None:
                notes.add("amounts without a currency")
        truncated = says_more(document.envelopes)
        if truncated:
            notes.add("truncated: the last page says that more follows")
        received = document.provenance.received_at
        if received is not None and any(b.end > received for b in buckets):
            notes.add("costs: buckets still open at receipt prove nothing about absence")
        reading.coverage = covered(
            self.provider, "costs", buckets, grouped_by=grouped, truncated=truncated, received=received
        )
        reading.notes = sorted(notes)
        return reading

    def _answer(self, record: RawRecord) -> RowOrDefect:
        value = record.value
        if not isinstance(value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        if "uncached_input_tokens" in value or _ANALYTICS & value.keys():
            return RowOrDefect(record, defect="not a result of the cost report")
        bucket = read_bucket((*reversed(record.contexts), value), *_TIMES)
        if isinstance(bucket, str):
            return RowOrDefect(record, defect=bucket)
        amount = read_money(value.get("amount"), minor_digits=_CENT_DIGITS)
        if amount is None:
            return RowOrDefect(record, defect="amount is not a number")
        dimensions = _dimensions(value)
        currency = plain(value.get("currency"))
        row: Row = {
            "provider": self.provider,
            "period_start": bucket.start,
            "period_end": bucket.end,
            "line_item": dimensions.get("description"),
            **{name: dimensions.get(name) for name in ("cost_type", "token_type", "model")},
            "project_id": None,
            "workspace_id": dimensions.get("workspace_id"),
            "key_id": None,
            "key_name": None,
            "user_id": None,
            "amount": amount,
            "currency": currency.upper() if currency else None,
            "grouped_by": "",
            "raw": compact(value, _WITH_COLUMN),
        }
        return RowOrDefect(record, row, natural_key("costs", bucket, dimensions))


_WITH_COLUMN = {
    *((name,) for name in (*_TIMES, "amount", "currency", "description")),
    *((name,) for name in ("cost_type", "token_type", "model", "workspace_id")),
}

SOURCE = AnthropicCost()
