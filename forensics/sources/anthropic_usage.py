"""Usage of the Messages API of an Anthropic organisation in time buckets.

Times are RFC 3339, the end of a bucket is exclusive. `uncached_input_tokens` leaves out what was read from or
written to a cache; the total is the sum of all parts. The report counts no requests.
https://platform.claude.com/docs/en/api/admin/usage_report/retrieve_messages
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from forensics.model.buckets import Bucket, covered, natural_key, read_bucket, says_more
from forensics.model.fields import compact, count, inside, plain
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_TIMES = ("starting_at", "ending_at")
_IN_HEAD = re.compile(r'"(uncached_input_tokens|amount|list_amount|product)"\s*:')
_DIMENSIONS = (
    *("account_id", "api_key_id", "context_window", "inference_geo", "model"),
    *("service_account_id", "service_tier", "speed", "workspace_id"),
)
#: Reports of the analytics endpoints look alike but count something else.
_ANALYTICS = frozenset({"product", "list_amount", "rbac_group_id", "slack_channel_id"})
_MARKED = re.compile(r'"(?:product|list_amount|rbac_group_id|slack_channel_id)"\s*:')
_PARTS = ("uncached_input_tokens", "cache_read_input_tokens", "output_tokens")


def _first(value: object, name: str) -> object:
    found = inside(value, name)
    return found[0] if isinstance(found, list) and found else None


def _is_bucket(value: object) -> bool:
    return isinstance(value, Mapping) and {*_TIMES, "results"} <= value.keys()


def _is_result(value: object) -> bool:
    return isinstance(value, Mapping) and "uncached_input_tokens" in value and not _ANALYTICS & value.keys()


def _dimensions(record: Mapping[str, Any]) -> dict[str, str]:
    texts = ((name, plain(record.get(name))) for name in _DIMENSIONS)
    return {name: text for name, text in texts if text}


def _written(value: object) -> tuple[int | None, str]:
    """Return tokens written to a cache, all lifetimes together, and what is wrong with them."""
    if value is None:
        return None, ""
    if not isinstance(value, Mapping):
        return None, "cache_creation is not an object"
    parts = {str(name): count(part) for name, part in value.items() if part is not None}
    unread = sorted(name for name, part in parts.items() if part is None)
    if unread:
        return None, f"cache_creation.{plain(unread[0])} is not a whole number"
    return sum(part for part in parts.values() if part is not None), ""


def _measures(record: Mapping[str, Any]) -> Row | str:
    """Return the token columns, or in words why they cannot be read."""
    read = {name: count(record.get(name)) for name in _PARTS}
    unread = [name for name in _PARTS if read[name] is None and record.get(name) is not None]
    if unread:
        return f"{unread[0]} is not a whole number"
    written, fault = _written(record.get("cache_creation"))
    if fault:
        return fault
    uncached, cached, output = (read[name] for name in _PARTS)
    if uncached is None and output is None:
        return "neither uncached_input_tokens nor output_tokens"
    total = None if uncached is None else uncached + (cached or 0) + (written or 0)
    if max(abs(total or 0), abs(written or 0)) >= 2**63:
        return "the sum of input tokens is out of range"
    return {
        "input_tokens_total": total,
        "input_tokens_uncached": uncached,
        "cache_read_tokens": cached,
        "cache_write_tokens": written,
        "output_tokens": output,
    }


class AnthropicUsage:
    """Results of the messages usage report, from pages, lists of pages, buckets or flat results."""

    id = "anthropic_usage"
    title = "Anthropic Messages usage report"
    provider = "anthropic"
    reference = "https://platform.claude.com/docs/en/api/admin/usage_report/retrieve_messages"
    reader_version = "1"
    table = "ai_usage"

    def recognise(self, probe: Probe) -> str:
        """Recognise by uncached_input_tokens of the first result, else by the first such name in the head."""
        if probe.form not in {"json", "ndjson"}:
            return ""
        bucket = probe.sample if _is_bucket(probe.sample) else _first(probe.sample, "data")
        enclosed = _is_bucket(bucket) or {*_TIMES, "results"} <= probe.keys
        result = _first(bucket, "results") if _is_bucket(bucket) else probe.sample
        if isinstance(result, Mapping):
            timed = enclosed or set(_TIMES) <= result.keys()
            return "results with uncached_input_tokens" if timed and _is_result(result) else ""
        first = _IN_HEAD.search(probe.text_head)
        if not enclosed or (first and first[1] != "uncached_input_tokens") or _MARKED.search(probe.text_head):
            return ""
        return "results with uncached_input_tokens" if first else "buckets without any result"

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the results of a page or a bucket, else the value itself."""
        if "data" in probe.keys or _first(probe.sample, "data") is not None:
            return ("data", "results")
        return ("results",) if "results" in probe.keys or _is_bucket(probe.sample) else ()

    def read(self, document: Document) -> Reading:
        """Turn results into rows of `ai_usage`; one answer a record, defects with their reason."""
        reading = Reading(answers=[self._answer(record) for record in document.records])
        made = [answer for answer in reading.answers if answer.row is not None]
        names = {name for answer in made for name in _dimensions(answer.record.value)}
        grouped = ",".join(sorted(names))
        notes: set[str] = set()
        buckets = [b for b in (read_bucket((c,), *_TIMES) for c in document.contexts) if isinstance(b, Bucket)]
        for answer in made:
            assert answer.row is not None
            answer.row["grouped_by"] = grouped
            buckets.append(Bucket(answer.row["bucket_start"], answer.row["bucket_end"]))
        if made and "api_key_id" not in names:
            notes.add("chat: not grouped by API key")
        if buckets and not made:
            notes.add("no result in any bucket: the report cannot be told, so nothing is shown to be zero")
        truncated = says_more(document.envelopes)
        if truncated:
            notes.add("truncated: the last page says that more follows")
        received = document.provenance.received_at
        if made and received is not None and any(b.end > received for b in buckets):
            notes.add("chat: buckets still open at receipt prove nothing about absence")
        if made:
            reading.coverage = covered(
                self.provider, "chat", buckets, grouped_by=grouped, truncated=truncated, received=received
            )
        reading.notes = sorted(notes)
        return reading

    def _answer(self, record: RawRecord) -> RowOrDefect:
        value = record.value
        if not isinstance(value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        if "amount" in value or _ANALYTICS & value.keys():
            return RowOrDefect(record, defect="not a result of the messages usage report")
        bucket = read_bucket((*reversed(record.contexts), value), *_TIMES)
        if isinstance(bucket, str):
            return RowOrDefect(record, defect=bucket)
        measures = _measures(value)
        if isinstance(measures, str):
            return RowOrDefect(record, defect=measures)
        dimensions = _dimensions(value)
        tier = dimensions.get("service_tier")
        account = dimensions.get("account_id")
        row: Row = {
            "provider": self.provider,
            "bucket_start": bucket.start,
            "bucket_end": bucket.end,
            "granularity_s": bucket.seconds,
            "endpoint": "chat",
            "project_id": None,
            "workspace_id": dimensions.get("workspace_id"),
            "key_id": dimensions.get("api_key_id"),
            "key_name": None,
            "user_id": account or dimensions.get("service_account_id"),
            "model": dimensions.get("model"),
            "service_tier": tier,
            "is_batch": None if tier is None else tier == "batch",
            "requests": None,
            **measures,
            "other_quantity": None,
            "other_unit": None,
            "grouped_by": "",
            "raw": compact(value, _WITH_COLUMN | ({("account_id",)} if account else {("service_account_id",)})),
        }
        return RowOrDefect(record, row, natural_key("chat", bucket, dimensions))


_WITH_COLUMN = {(n,) for n in (*_TIMES, *_PARTS, "workspace_id", "api_key_id", "model", "service_tier")}

SOURCE = AnthropicUsage()
