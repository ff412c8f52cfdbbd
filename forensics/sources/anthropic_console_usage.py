"""The usage download of Anthropic's Console: tokens a day, model and key, keys and workspaces by NAME.

Existence: https://support.anthropic.com/en/articles/9534590. There is no description of its columns; older files have
one column for cache writes instead of two. `usage_input_tokens_no_cache` leaves out what was read from or written to a
cache. A drilled-down file holds hours or minutes in `usage_date_utc`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from forensics.model.buckets import Bucket, covered, natural_key
from forensics.model.fields import compact, count, moment, plain
from forensics.model.usage import AI_USAGE, blank
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_CORE = frozenset({"usage_date_utc", "model_version", "usage_input_tokens_no_cache", "usage_output_tokens"})
_UNCACHED, _READ, _OUTPUT = "usage_input_tokens_no_cache", "usage_input_tokens_cache_read", "usage_output_tokens"
_WRITES = (
    "usage_input_tokens_cache_write", "usage_input_tokens_cache_write_5m", "usage_input_tokens_cache_write_1h",
)  # fmt: skip
_DIMENSIONS = ("api_key", "context_window", "inference_geo", "model_version", "speed", "usage_type", "workspace")


def _lowered(value: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name).strip().lower(): member for name, member in value.items()}


def _dimensions(value: Mapping[str, Any]) -> dict[str, str]:
    return {name: text for name in _DIMENSIONS if (text := plain(value.get(name)))}


def _width(texts: list[str]) -> int:
    """Return the width in seconds that a file's times tell: a day, or an hour or minute when drilled down."""
    tails = {text.replace("T", " ").partition(" ")[2][:8].rstrip("Z") or "00:00:00" for text in texts}
    if all(tail.startswith("00:00") for tail in tails):
        return 86_400
    return 3_600 if all(tail[3:5] in ("00", "") for tail in tails) else 60


class AnthropicConsoleUsage:
    """Rows of the Console's usage file."""

    id = "anthropic_console_usage"
    title = "Anthropic Console, token usage (CSV)"
    provider = "anthropic"
    reference = "https://support.anthropic.com/en/articles/9534590"
    reader_version = "1"
    table = "ai_usage"

    def recognise(self, probe: Probe) -> str:
        """Recognise by date, model, uncached input and output."""
        claimed = probe.form == "csv" and {name.lower() for name in probe.header} >= _CORE
        return "columns of the Console's usage file" if claimed else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Rows stand by themselves."""
        return ()

    def read(self, document: Document) -> Reading:
        """Turn rows into rows of `ai_usage`; the names of keys are not ids, which a note says."""
        values = [_lowered(r.value) if isinstance(r.value, Mapping) else {} for r in document.records]
        width = _width([plain(value.get("usage_date_utc")) or "" for value in values])
        reading = Reading(answers=[self._answer(r, v, width) for r, v in zip(document.records, values, strict=True)])
        made = [answer.row for answer in reading.answers if answer.row is not None]
        names = {name for value in values for name in _dimensions(value)}
        grouped = ",".join(sorted(names))
        for row in made:
            row["grouped_by"] = grouped
        if made:
            said = "keys by name, not by id" if "api_key" in names else "not grouped by API key"
            reading.notes.append(f"usage: {said}")
        buckets = [Bucket(row["bucket_start"], row["bucket_end"]) for row in made]
        received = document.provenance.received_at
        reading.coverage = covered(
            self.provider, "chat", buckets, grouped_by=grouped, truncated=False, received=received
        )
        return reading

    def _answer(self, record: RawRecord, value: dict[str, Any], width: int) -> RowOrDefect:
        start = moment(value.get("usage_date_utc"))
        if start is None:
            return RowOrDefect(record, defect="no readable usage_date_utc")
        numbers = {name: count(value.get(name)) for name in (_UNCACHED, _READ, _OUTPUT, *_WRITES)}
        for name, number in numbers.items():
            if number is None and plain(value.get(name)) is not None:
                return RowOrDefect(record, defect=f"{name} is not a whole number")
        written = [numbers[name] for name in _WRITES if numbers[name] is not None]
        writes = sum(n for n in written if n is not None) if written else None
        uncached = numbers[_UNCACHED]
        total = uncached + (numbers[_READ] or 0) + (writes or 0) if uncached is not None else None
        bucket = Bucket(start, start + timedelta(seconds=width))
        row: Row = {
            **blank(AI_USAGE),
            "provider": self.provider,
            "bucket_start": bucket.start,
            "bucket_end": bucket.end,
            "granularity_s": bucket.seconds,
            "endpoint": "chat",
            "key_name": plain(value.get("api_key")),
            "model": plain(value.get("model_version")),
            "service_tier": plain(value.get("usage_type")),
            "input_tokens_total": total,
            "input_tokens_uncached": uncached,
            "cache_read_tokens": numbers[_READ],
            "cache_write_tokens": writes,
            "output_tokens": numbers[_OUTPUT],
            "grouped_by": "",
            "raw": compact(value, {(n,) for n in (_UNCACHED, _READ, _OUTPUT, "usage_date_utc", "api_key", "model_version",
                                                  "usage_type")}),
        }  # fmt: skip
        return RowOrDefect(record, row, natural_key("chat_csv", bucket, _dimensions(value)))


SOURCE = AnthropicConsoleUsage()
