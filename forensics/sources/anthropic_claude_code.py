"""Usage report of Claude Code: a record a day and actor, tokens by model. Estimated costs are in CENTS.

Sessions, lines and commits of a day belong to the day, not to a model: they stay in `raw` and are never counted twice.
https://platform.claude.com/docs/en/api/admin/usage_report/retrieve_claude_code
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from forensics.model.buckets import Bucket, natural_key, says_more
from forensics.model.fields import compact, count, inside, moment, plain
from forensics.model.money import read_money
from forensics.model.usage import AI_USAGE, blank
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_DAY = timedelta(days=1)
_OF_DAY = ("customer_type", "organization_id", "subscription_type", "terminal_type")
_TOKENS = {
    "input": "input_tokens_uncached",
    "output": "output_tokens",
    "cache_read": "cache_read_tokens",
    "cache_creation": "cache_write_tokens",
}
_GROUPED = ",".join(sorted(("actor", "model", *_OF_DAY)))
_CENT_DIGITS = 2


def _is_day(value: object) -> bool:
    return isinstance(inside(value, "actor"), Mapping) and "date" in (value if isinstance(value, Mapping) else {})


class ClaudeCode:
    """Models of the days, from pages, lists of pages or bare days."""

    id = "anthropic_claude_code"
    title = "Anthropic Claude Code usage report"
    provider = "anthropic"
    reference = "https://platform.claude.com/docs/en/api/admin/usage_report/retrieve_claude_code"
    reader_version = "1"
    table = "ai_usage"

    def recognise(self, probe: Probe) -> str:
        """Recognise by date, actor and model_breakdown of the first day."""
        if probe.form not in {"json", "ndjson"}:
            return ""
        data = inside(probe.sample, "data")
        day = data[0] if isinstance(data, list) and data else probe.sample
        whole = _is_day(day) and ("model_breakdown" in day or "core_metrics" in day)
        return "days with actor and model_breakdown" if whole else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the models of a day."""
        paged = "data" in probe.keys or isinstance(inside(probe.sample, "data"), list)
        return ("data", "model_breakdown") if paged else ("model_breakdown",)

    def read(self, document: Document) -> Reading:
        """Turn models of days into rows of `ai_usage`."""
        reading = Reading([_answer(record) for record in document.records])
        if any(a.row is not None for a in reading.answers):
            reading.notes.append(
                "estimated costs of Claude Code are in cents and not billed: they are kept beside the row, never added"
            )
        told = {compact(context) for record in document.records for context in record.contexts}
        if any(_is_day(context) and compact(context) not in told for context in document.contexts):
            reading.notes.append("days without a model: their sessions name no tokens and fill no row")
        if says_more(document.envelopes):
            reading.notes.append("truncated: the last page says that more follows")
        return reading


def _answer(record: RawRecord) -> RowOrDefect:
    value = record.value
    if _is_day(value) and "tokens" not in value:
        return RowOrDefect(record, out_of_scope="days without model_breakdown name no tokens")
    if not isinstance(value, Mapping):
        return RowOrDefect(record, defect="the record is not an object")
    day = next((c for c in reversed(record.contexts) if "date" in c), None)
    if day is None:
        return RowOrDefect(record, defect="no date around the model")
    start = moment(day.get("date"))
    if start is None or start > datetime.max - _DAY:  # noqa: DTZ901 - naive UTC
        return RowOrDefect(record, defect="no readable date")
    bucket = Bucket(start, start + _DAY)
    tokens = value.get("tokens")
    measures = _measures(tokens if isinstance(tokens, Mapping) else {})
    if isinstance(measures, str):
        return RowOrDefect(record, defect=measures)
    actor = day.get("actor")
    mail, key_name = plain(inside(actor, "email_address")), plain(inside(actor, "api_key_name"))
    dimensions = {name: text for name in _OF_DAY if (text := plain(day.get(name)))}
    dimensions |= {"actor": mail or key_name or compact(actor), "model": plain(value.get("model")) or ""}
    row: Row = {
        **blank(AI_USAGE), "provider": "anthropic", "bucket_start": bucket.start, "bucket_end": bucket.end,
        "granularity_s": bucket.seconds, "endpoint": "claude_code", "user_id": mail, "key_name": key_name,
        "model": plain(value.get("model")), "grouped_by": _GROUPED, **measures,
        "raw": compact({**_rest(value), **{n: v for n, v in day.items() if n not in ("date", "model_breakdown")}}),
    }  # fmt: skip
    return RowOrDefect(record, row, natural_key("claude_code", bucket, dimensions))


def _rest(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return what no column takes; an estimated cost in units of its currency."""
    rest = {str(n): v for n, v in value.items() if n not in ("model", "tokens", "estimated_cost")}
    cost = value.get("estimated_cost")
    amount = read_money(inside(cost, "amount"), minor_digits=_CENT_DIGITS)
    if amount is not None:
        currency = plain(inside(cost, "currency"))
        text = f"{amount.normalize():f}"
        rest["estimated_cost_in_units"] = {"amount": text, "currency": currency.upper() if currency else None}
    elif cost is not None:
        rest["estimated_cost"] = cost
    return rest


def _measures(tokens: Mapping[str, Any]) -> Row | str:
    row: Row = {}
    for name, column in _TOKENS.items():
        row[column] = count(tokens.get(name))
        if row[column] is None and tokens.get(name) is not None:
            return f"tokens.{name} is not a whole number"
    if all(number is None for number in row.values()):
        return "no tokens"
    parts = [row[c] for c in ("input_tokens_uncached", "cache_read_tokens", "cache_write_tokens")]
    total = None if parts[0] is None else sum(part or 0 for part in parts)
    if total is not None and abs(total) >= 2**63:
        return "the sum of input tokens is out of range"
    return row | {"input_tokens_total": total}


SOURCE = ClaudeCode()
