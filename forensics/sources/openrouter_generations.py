"""Single requests of an OpenRouter account: the CSV of its logs, and the answer of `generation`. US dollars.

https://openrouter.ai/docs/api-reference/get-a-generation. The CSV has no description; its columns are taken by name. The
answer of `generation` carries user agent and referer, neither carries an address. Keys stand by name only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.model.buckets import covered_events
from forensics.model.fields import compact, count, flag, moment, plain
from forensics.model.money import read_money
from forensics.model.usage import AI_REQUEST, blank
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_CSV = frozenset({"generation_id", "created_at", "cost_total", "tokens_prompt", "tokens_completion"})
_JSON = frozenset({"id", "created_at", "upstream_id", "total_cost", "tokens_prompt", "tokens_completion"})
_USED = (
    "generation_id", "id", "created_at", "model_permaslug", "model", "provider_name", "api_key_name", "user",
    "external_user", "user_agent", "tokens_prompt", "tokens_completion", "tokens_cached", "native_tokens_cached",
    "cost_total", "total_cost",
)  # fmt: skip


def _first(value: Mapping[str, Any], *names: str) -> str | None:
    return next((text for name in names if (text := plain(value.get(name)))), None)


def _number(value: Mapping[str, Any], *names: str) -> int | None:
    return next((number for name in names if (number := count(value.get(name))) is not None), None)


class OpenRouterGenerations:
    """Rows of single generations."""

    id = "openrouter_generations"
    title = "OpenRouter generations"
    provider = "openrouter"
    reference = "https://openrouter.ai/docs/api-reference/get-a-generation"
    reader_version = "1"
    table = "ai_request"

    def recognise(self, probe: Probe) -> str:
        """Recognise by id, time, cost and tokens of a generation."""
        if probe.form == "csv":
            return "columns of OpenRouter's log" if {n.lower() for n in probe.header} >= _CSV else ""
        return "an answer of generation" if probe.form in {"json", "ndjson"} and self._inner(probe) is not None else ""

    @staticmethod
    def _inner(probe: Probe) -> Mapping[str, Any] | None:
        sample = probe.sample
        for value in (sample, sample.get("data") if isinstance(sample, Mapping) else None):
            if isinstance(value, Mapping) and value.keys() >= _JSON:
                return value
        return None

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to `data` of an answer or to the list that was found, else the value itself."""
        if probe.form == "csv":
            return ()
        if probe.container:
            return (probe.container,)
        return ("data",) if "data" in probe.keys else ()

    def read(self, document: Document) -> Reading:
        """Turn rows into rows of `ai_request`; one answer a record, defects with their reason."""
        reading = Reading(answers=[self._answer(record) for record in document.records])
        times = [answer.row["event_time"] for answer in reading.answers if answer.row is not None]
        reading.coverage = covered_events(self.provider, "requests", times, truncated=False)
        return reading

    def _answer(self, record: RawRecord) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        value = {str(name).strip().lower(): member for name, member in record.value.items()}
        start = moment(value.get("created_at"))
        if start is None:
            return RowOrDefect(record, defect="no readable created_at")
        cost = read_money(_first(value, "cost_total", "total_cost"))
        row: Row = {
            **blank(AI_REQUEST),
            "provider": self.provider,
            "event_time": start,
            "request_id": _first(value, "generation_id", "id"),
            "model": _first(value, "model_permaslug", "model"),
            "upstream_provider": plain(value.get("provider_name")),
            "key_name": plain(value.get("api_key_name")),
            "user_id": _first(value, "user", "external_user"),
            "user_agent": plain(value.get("user_agent")),
            "status": "cancelled" if flag(value.get("cancelled")) else "ok",
            "input_tokens_total": _number(value, "tokens_prompt"),
            "cache_read_tokens": _number(value, "tokens_cached", "native_tokens_cached"),
            "output_tokens": _number(value, "tokens_completion"),
            "cost": cost,
            "currency": "USD" if cost is not None else None,
            "raw": compact(value, {(name,) for name in _USED}),
        }
        return RowOrDefect(record, row, row["request_id"] or "")


SOURCE = OpenRouterGenerations()
