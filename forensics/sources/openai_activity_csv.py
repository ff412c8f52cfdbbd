"""The activity download of OpenAI's dashboard: usage buckets as CSV, columns by name, in the order of the export.

Existence: https://help.openai.com/en/articles/8554956. There is no description of its columns; they are the flattened
fields of the usage endpoints (https://platform.openai.com/docs/api-reference/usage), counts also as `3.0`. A file whose
header holds only the four times is what the dashboard writes when nothing was used; it names no endpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.model.buckets import Bucket, covered, natural_key, read_bucket
from forensics.model.fields import compact, count, flag, plain
from forensics.model.usage import AI_USAGE, blank
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_TIMES = (("start_time", "end_time"), ("start_time_iso", "end_time_iso"))
_HEAD = frozenset({"start_time", "end_time", "start_time_iso", "end_time_iso"})
_TEXTS = {
    "project_id": "project_id",
    "api_key_id": "key_id",
    "api_key_name": "key_name",
    "user_id": "user_id",
    "model": "model",
    "service_tier": "service_tier",
}
_DIMENSIONS = ("api_key_id", "api_source", "batch", "model", "project_id", "service_tier", "size", "source", "user_id",
               "vector_store_id", "context_level")  # fmt: skip
_COUNTS = {
    "input_tokens": "input_tokens_total",
    "input_uncached_tokens": "input_tokens_uncached",
    "input_cached_tokens": "cache_read_tokens",
    "input_cache_write_tokens": "cache_write_tokens",
    "output_tokens": "output_tokens",
    "num_model_requests": "requests",
}
#: Columns that only one endpoint has: its name here, and the unit of what it counts.
_OTHER = {
    "images": ("images", "images"),
    "characters": ("tts", "characters"),
    "seconds": ("stt", "seconds"),
    "usage_bytes": ("vector_store", "bytes"),
    "num_sessions": ("code_interpreter", "sessions"),
    "num_requests": ("file_search", None),
}


def _lowered(value: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name).strip().lower(): member for name, member in value.items()}


def _endpoint(names: frozenset[str]) -> str:
    """Return the endpoint that these columns tell: output tokens make a completion, input alone an embedding."""
    for name, (endpoint, _) in _OTHER.items():
        if name in names:
            web = endpoint == "file_search" and names & {"context_level", "num_model_requests"}
            return "web_search" if web else endpoint
    return "chat" if "output_tokens" in names else "embeddings" if "input_tokens" in names else ""


class OpenAIActivityCsv:
    """Rows of the dashboard's activity file."""

    id = "openai_activity_csv"
    title = "OpenAI dashboard, activity (CSV)"
    provider = "openai"
    reference = "https://help.openai.com/en/articles/8554956"
    reader_version = "1"
    table = "ai_usage"

    def recognise(self, probe: Probe) -> str:
        """Recognise by the four columns of time and a measure, or by these four alone."""
        names = frozenset(name.lower() for name in probe.header)
        if probe.form != "csv" or not names >= _HEAD or "amount_value" in names:
            return ""
        if names == _HEAD:
            return "the dashboard's activity file of a time without use"
        return "columns of the dashboard's activity file" if names & (_COUNTS.keys() | _OTHER.keys()) else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Rows stand by themselves."""
        return ()

    def read(self, document: Document) -> Reading:
        """Turn rows into rows of `ai_usage`; one answer a record, defects with their reason."""
        reading = Reading(answers=[self._answer(record) for record in document.records])
        made = [answer for answer in reading.answers if answer.row is not None]
        names = {name for answer in made for name in _dimensions(_lowered(answer.record.value))}
        grouped = ",".join(sorted(names))
        met: dict[str, list[Bucket]] = {}
        for answer in made:
            row = answer.row
            assert row is not None
            row["grouped_by"] = grouped
            met.setdefault(row["endpoint"], []).append(Bucket(row["bucket_start"], row["bucket_end"]))
        received = document.provenance.received_at
        for endpoint in sorted(met):
            reading.coverage += covered(
                self.provider, endpoint, met[endpoint], grouped_by=grouped, truncated=False, received=received
            )
        if made and "api_key_id" not in names:
            reading.notes.append("activity: not grouped by API key")
        if not document.records:
            reading.notes.append("no rows: the endpoint cannot be told, so nothing is shown to be zero")
        return reading

    def _answer(self, record: RawRecord) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not a row")
        value = _lowered(record.value)
        found = [read_bucket((value,), *names) for names in _TIMES]
        bucket = next((each for each in found if isinstance(each, Bucket)), found[0])
        if isinstance(bucket, str):
            return RowOrDefect(record, defect=bucket)
        endpoint = _endpoint(frozenset(value))
        if not endpoint and plain(value.get("num_model_requests")) is not None:
            return RowOrDefect(record, defect="requests alone: the endpoint cannot be told")
        if not endpoint:
            return RowOrDefect(record, out_of_scope="buckets without any measure: not evidence of zero usage")
        row: Row = {
            **blank(AI_USAGE),
            "provider": self.provider,
            "bucket_start": bucket.start,
            "bucket_end": bucket.end,
        }
        row |= {"granularity_s": bucket.seconds, "endpoint": endpoint}
        row |= {column: plain(value.get(name)) for name, column in _TEXTS.items()}
        row |= {"is_batch": flag(value.get("batch")), "grouped_by": ""}
        measured = 0
        for name, column in _COUNTS.items():
            row[column] = count(value.get(name))
            if row[column] is None and plain(value.get(name)) is not None:
                return RowOrDefect(record, defect=f"{name} is not a whole number")
            measured += row[column] is not None
        for name, (_, unit) in _OTHER.items():
            counted = count(value.get(name))
            if counted is None and plain(value.get(name)) is not None:
                return RowOrDefect(record, defect=f"{name} is not a whole number")
            if name in value and endpoint == "file_search":
                row["requests"] = counted
            elif name in value:
                row |= {"other_quantity": counted, "other_unit": "searches" if endpoint == "web_search" else unit}
            measured += counted is not None
        if not measured:
            return RowOrDefect(record, out_of_scope="buckets without any measure: not evidence of zero usage")
        row["raw"] = compact(value, {(name,) for name in (*_TEXTS, *_COUNTS, *_OTHER, *_HEAD, "batch")})
        return RowOrDefect(record, row, natural_key(f"{endpoint}_csv", bucket, _dimensions(value)))


def _dimensions(value: Mapping[str, Any]) -> dict[str, str]:
    return {name: text for name in _DIMENSIONS if (text := plain(value.get(name)))}


SOURCE = OpenAIActivityCsv()
