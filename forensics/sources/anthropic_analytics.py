"""Analytics of an Anthropic enterprise: usage and costs by product, user and group. Costs are fractional CENTS.

A bucket shows at most 100 groups and no remainder, so totals may be incomplete and absence proves nothing.
https://platform.claude.com/docs/en/api/admin/analytics
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from forensics.model.buckets import Bucket, natural_key, read_bucket, says_more
from forensics.model.fields import compact, count, inside, plain
from forensics.model.money import read_money
from forensics.model.usage import AI_COST, AI_USAGE, blank
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_TIMES = ("starting_at", "ending_at")
#: What the plain reports do not have.
_MARKS = frozenset({"product", "list_amount", "rbac_group_id", "slack_channel_id"})
_IN_HEAD = re.compile(r'"(?:product|list_amount|rbac_group_id|slack_channel_id)"\s*:')
_DIMENSIONS = (
    *("account_id", "api_key_id", "context_window", "cost_type", "inference_geo", "model", "product", "rbac_group_id"),
    *("service_account_id", "service_tier", "slack_channel_id", "speed", "token_type", "user_id", "workspace_id"),
)
_PARTS = ("uncached_input_tokens", "cache_read_input_tokens", "output_tokens", "requests")
_CENT_DIGITS = 2
#: Groups that a bucket shows at most.
_MOST = 100


def _first(value: object, name: str) -> object:
    """Return the first result of a list of buckets or results that holds one."""
    found = inside(value, name)
    return found if isinstance(found, list) else []


def _is_result(value: object) -> bool:
    measured = isinstance(value, Mapping) and (
        "amount" in value or "uncached_input_tokens" in value or "requests" in value
    )
    return measured and bool(_MARKS & (value.keys() if isinstance(value, Mapping) else set()))


def _dimensions(value: Mapping[str, Any]) -> dict[str, str]:
    return {name: text for name in _DIMENSIONS if (text := plain(value.get(name)))}


class AnthropicAnalytics:
    """Results of the analytics reports, from pages, lists of pages, buckets or flat results."""

    id = "anthropic_analytics"
    title = "Anthropic enterprise analytics"
    provider = "anthropic"
    reference = "https://platform.claude.com/docs/en/api/admin/analytics"
    reader_version = "1"
    table = "ai_usage"

    def recognise(self, probe: Probe) -> str:
        """Recognise by a result that names a product or group, or a list price."""
        if probe.form not in {"json", "ndjson"}:
            return ""
        sample = probe.sample
        buckets = _first(sample, "data") or ([sample] if isinstance(inside(sample, "results"), list) else [])
        results = [r for b in (buckets if isinstance(buckets, list) else []) for r in _first(b, "results")]  # type: ignore[attr-defined]
        if results:
            return "results with a product or a group" if _is_result(results[0]) else ""
        if _is_result(sample):
            timed = isinstance(sample, Mapping) and (set(_TIMES) <= sample.keys() or {*_TIMES, "results"} <= probe.keys)
            return "results with a product or a group" if timed else ""
        enclosed = isinstance(sample, Mapping) and {*_TIMES, "results"} <= sample.keys()
        return "results with a product or a group" if enclosed and _IN_HEAD.search(probe.text_head) else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the results of a page or a bucket, else the value itself."""
        if "data" in probe.keys or isinstance(inside(probe.sample, "data"), list):
            return ("data", "results")
        return ("results",) if "results" in probe.keys or isinstance(inside(probe.sample, "results"), list) else ()

    def read(self, document: Document) -> Reading:
        """Turn results into rows of `ai_usage` and `ai_cost`."""
        reading = Reading([_answer(record) for record in document.records])
        made = [a for a in reading.answers if a.row is not None]
        groups: dict[tuple[str, Any], int] = {}
        for table in ("", "ai_cost"):
            rows = [a for a in made if (a.table or "") == table]
            grouped = ",".join(sorted({name for a in rows for name in _dimensions(a.record.value)}))
            for answer in rows:
                assert answer.row is not None
                answer.row["grouped_by"] = grouped
                place = table, answer.row["period_start" if table else "bucket_start"]
                groups[place] = groups.get(place, 0) + 1
        if made:
            reading.notes.append(
                "analytics: a bucket shows at most 100 groups and no remainder, so totals may be incomplete"
            )
        full = sum(number >= _MOST for number in groups.values())
        if full:
            reading.notes.append(f"analytics: {full} buckets hold 100 groups or more: others are left out there")
        if says_more(document.envelopes):
            reading.notes.append("truncated: the last page says that more follows")
        return reading


def _answer(record: RawRecord) -> RowOrDefect:
    value = record.value
    if not isinstance(value, Mapping):
        return RowOrDefect(record, defect="the record is not an object")
    bucket = read_bucket((*reversed(record.contexts), value), *_TIMES)
    if isinstance(bucket, str):
        return RowOrDefect(record, defect=bucket)
    return _cost(record, value, bucket) if "amount" in value else _usage(record, value, bucket)


def _cost(record: RawRecord, value: Mapping[str, Any], bucket: Bucket) -> RowOrDefect:
    amount = read_money(value.get("amount"), minor_digits=_CENT_DIGITS)
    if amount is None:
        return RowOrDefect(record, defect="amount is not a number")
    dimensions = _dimensions(value)
    listed = read_money(value.get("list_amount"), minor_digits=_CENT_DIGITS)
    currency = plain(value.get("currency"))
    rest = {
        n: v
        for n, v in value.items()
        if n not in (*_TIMES, "amount", "list_amount", "currency", "model", "cost_type", "token_type")
    }
    if listed is not None:
        rest["list_amount_in_units"] = f"{listed.normalize():f}"
    row: Row = {
        **blank(AI_COST), "provider": "anthropic", "period_start": bucket.start, "period_end": bucket.end,
        "line_item": dimensions.get("product"), "model": dimensions.get("model"), "cost_type": dimensions.get("cost_type"),
        "token_type": dimensions.get("token_type"), "workspace_id": dimensions.get("workspace_id"),
        "user_id": dimensions.get("account_id") or dimensions.get("user_id"), "amount": amount,
        "currency": currency.upper() if currency else None, "raw": compact(rest),
    }  # fmt: skip
    return RowOrDefect(record, row, natural_key("analytics_costs", bucket, dimensions), table="ai_cost")


def _usage(record: RawRecord, value: Mapping[str, Any], bucket: Bucket) -> RowOrDefect:
    read = {name: count(value.get(name)) for name in _PARTS}
    unread = [name for name in _PARTS if read[name] is None and value.get(name) is not None]
    if unread:
        return RowOrDefect(record, defect=f"{unread[0]} is not a whole number")
    creation = value.get("cache_creation")
    parts = [count(v) for v in creation.values()] if isinstance(creation, Mapping) else []
    written = sum(p for p in parts if p is not None) if parts and None not in parts else None
    if all(number is None for number in read.values()):
        return RowOrDefect(record, defect="neither tokens nor requests nor an amount")
    uncached, cached, output, asked = (read[name] for name in _PARTS)
    total = None if uncached is None else uncached + (cached or 0) + (written or 0)
    if max(abs(total or 0), abs(written or 0)) >= 2**63:
        return RowOrDefect(record, defect="the sum of input tokens is out of range")
    dimensions = _dimensions(value)
    row: Row = {
        **blank(AI_USAGE), "provider": "anthropic", "bucket_start": bucket.start, "bucket_end": bucket.end,
        "granularity_s": bucket.seconds, "endpoint": "analytics", "key_id": dimensions.get("api_key_id"),
        "workspace_id": dimensions.get("workspace_id"), "model": dimensions.get("model"),
        "service_tier": dimensions.get("service_tier"),
        "user_id": dimensions.get("account_id") or dimensions.get("user_id") or dimensions.get("service_account_id"),
        "requests": asked, "input_tokens_total": total, "input_tokens_uncached": uncached, "cache_read_tokens": cached,
        "cache_write_tokens": written, "output_tokens": output,
        "raw": compact(value, {(n,) for n in (*_TIMES, *_PARTS, "api_key_id", "workspace_id", "model", "service_tier", "account_id")}),
    }  # fmt: skip
    return RowOrDefect(record, row, natural_key("analytics", bucket, dimensions))


SOURCE = AnthropicAnalytics()
