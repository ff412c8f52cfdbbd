"""Daily activity of an OpenRouter account by model, from the interface or as the site's CSV. UTC days, US dollars.

https://openrouter.ai/docs/api-reference/analytics/get-user-activity. Rows name no key: whoever fetched them filtered by
one or by none. The cost stays in `raw`, because a row fills one table.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from forensics.model.buckets import Bucket, covered, natural_key
from forensics.model.fields import compact, count, moment, plain
from forensics.model.usage import AI_USAGE, blank
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_JSON = frozenset({"date", "model_permaslug", "usage", "requests", "prompt_tokens", "completion_tokens"})
_CSV = frozenset({"date", "slug", "usage", "requests", "prompt_tokens", "completion_tokens"})
_COUNTS = {
    "requests": "requests",
    "prompt_tokens": "input_tokens_total",
    "cached_tokens": "cache_read_tokens",
    "completion_tokens": "output_tokens",
}
_DIMENSIONS = ("model_permaslug", "endpoint_id", "provider_name", "workspace_id")
_DAY = timedelta(days=1)


def _names(names: object) -> frozenset[str]:
    return frozenset(str(n).strip().lower().replace(" ", "_") for n in names) if names else frozenset()  # type: ignore[attr-defined]


def _lowered(value: Mapping[str, Any]) -> dict[str, Any]:
    lowered = {str(name).strip().lower().replace(" ", "_"): member for name, member in value.items()}
    if "slug" in lowered:
        lowered.setdefault("model_permaslug", lowered.pop("slug"))
    return lowered


class OpenRouterActivity:
    """Rows of the activity of an account."""

    id = "openrouter_activity"
    title = "OpenRouter activity by day"
    provider = "openrouter"
    reference = "https://openrouter.ai/docs/api-reference/analytics/get-user-activity"
    reader_version = "1"
    table = "ai_usage"

    def recognise(self, probe: Probe) -> str:
        """Recognise by date, model slug, usage, requests and tokens."""
        if probe.form == "csv":
            return "columns of OpenRouter's daily activity" if _names(probe.header) >= _CSV else ""
        claimed = isinstance(probe.sample, Mapping) and _names(probe.sample.keys()) >= _JSON
        return "rows with model_permaslug, usage and requests" if claimed else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the list that was found in an enclosing object, else the value itself."""
        return (probe.container,) if probe.container else ()

    def read(self, document: Document) -> Reading:
        """Turn rows into rows of `ai_usage`: one a day and model."""
        reading = Reading(answers=[self._answer(record) for record in document.records])
        made = [answer for answer in reading.answers if answer.row is not None]
        grouped = ",".join(sorted({n for a in made for n in _dimensions(_lowered(a.record.value))}))
        buckets = []
        for answer in made:
            assert answer.row is not None
            answer.row["grouped_by"] = grouped
            buckets.append(Bucket(answer.row["bucket_start"], answer.row["bucket_end"]))
        if made:
            reading.notes.append("activity: rows name no API key")
        received = document.provenance.received_at
        reading.coverage = covered(
            self.provider, "chat", buckets, grouped_by=grouped, truncated=False, received=received
        )
        return reading

    def _answer(self, record: RawRecord) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        value = _lowered(record.value)
        start = moment(value.get("date"))
        if start is None:
            return RowOrDefect(record, defect="no readable date")
        bucket = Bucket(start, start + _DAY)
        row: Row = {
            **blank(AI_USAGE),
            "provider": self.provider,
            "bucket_start": bucket.start,
            "bucket_end": bucket.end,
        }
        row |= {"granularity_s": bucket.seconds, "endpoint": "chat", "model": plain(value.get("model_permaslug"))}
        row |= {"workspace_id": plain(value.get("workspace_id")), "grouped_by": ""}
        for name, column in _COUNTS.items():
            row[column] = count(value.get(name))
            if row[column] is None and plain(value.get(name)) is not None:
                return RowOrDefect(record, defect=f"{name} is not a whole number")
        row["raw"] = compact(value, {(name,) for name in (*_COUNTS, "date", "model_permaslug", "workspace_id")})
        return RowOrDefect(record, row, natural_key("chat", bucket, _dimensions(value)))


def _dimensions(value: Mapping[str, Any]) -> dict[str, str]:
    return {name: text for name in _DIMENSIONS if (text := plain(value.get(name)))}


SOURCE = OpenRouterActivity()
