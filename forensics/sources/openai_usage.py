"""Usage of an OpenAI organisation in time buckets: all usage endpoints of the administration API.

Shape: a page holds buckets, a bucket holds results; times are unix seconds, the end of a bucket is exclusive.
`input_tokens` holds cached and cache-write tokens too.
https://platform.openai.com/docs/api-reference/usage
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from forensics.model.buckets import Bucket, covered, natural_key, read_bucket, says_more
from forensics.model.fields import compact, count, flag, inside, plain
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_OBJECT = re.compile(r"organization\.usage\.([a-z_]+)\.result")
_IN_HEAD = re.compile(r'"object"\s*:\s*"organization\.(usage|costs)\.')
_ENDPOINTS = {
    "completions": "chat",
    "audio_speeches": "tts",
    "audio_transcriptions": "stt",
    "vector_stores": "vector_store",
    "code_interpreter_sessions": "code_interpreter",
    "file_searches": "file_search",
    "web_searches": "web_search",
}
#: Quantity other than tokens that an endpoint counts: field and unit, the same in every row of the endpoint.
_OTHER = {
    "images": ("images", "images"),
    "tts": ("characters", "characters"),
    "stt": ("seconds", "seconds"),
    "vector_store": ("usage_bytes", "bytes"),
    "code_interpreter": ("num_sessions", "sessions"),
    "web_search": ("num_requests", "searches"),
}
_WITHOUT_KEY = frozenset({"vector_store", "code_interpreter"})
_COLUMNS = {
    "input_tokens": "input_tokens_total",
    "input_uncached_tokens": "input_tokens_uncached",
    "input_cached_tokens": "cache_read_tokens",
    "input_cache_write_tokens": "cache_write_tokens",
    "output_tokens": "output_tokens",
}
_DIMENSIONS = {
    "project_id": "project_id",
    "api_key_id": "key_id",
    "user_id": "user_id",
    "model": "model",
    "service_tier": "service_tier",
    "batch": "is_batch",
}
_NO_DIMENSION = frozenset({"object", "start_time", "end_time", "start_time_iso", "end_time_iso"})
_TIMES = ("start_time", "end_time")
#: Measures, which some tools write as text: how much was counted never names what was counted.
_MEASURED = re.compile(r"num_[a-z_]+|[a-z0-9_]+_tokens|images|characters|seconds|usage_bytes|sessions")


def _first(value: object, *names: str) -> object:
    """Return the first element of the first of these lists that is there."""
    lists = (inside(value, name) for name in names)
    found = next((each for each in lists if isinstance(each, list)), [])
    return found[0] if found else None


def _is_result(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    name = value.get("object")
    if isinstance(name, str):
        return bool(_OBJECT.fullmatch(name))
    requests = "num_model_requests" in value or "num_requests" in value
    return name is None and requests and "project_id" in value


def _dimensions(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the dimensions of a result: known fields, and unknown ones that hold text or a boolean."""
    found = {}
    for name, value in record.items():
        known = name in _DIMENSIONS
        told = known or (isinstance(value, str | bool) and not _MEASURED.fullmatch(str(name)))
        text = plain(value) if told else None
        if text and str(name) not in _NO_DIMENSION and not str(name).endswith(("_name", "_email")):
            found[str(name)] = text
    return found


def _endpoint(record: Mapping[str, Any]) -> str:
    match = _OBJECT.fullmatch(plain(record.get("object")) or "")
    if match:
        return _ENDPOINTS.get(match[1], match[1])
    if record.get("object") is not None:
        return ""
    told = [endpoint for endpoint, (name, _) in _OTHER.items() if name in record and endpoint != "web_search"]
    if len(told) == 1:
        return told[0]
    if "num_requests" in record:
        return "file_search" if "vector_store_id" in record else "web_search"
    return "chat" if "output_tokens" in record else ""


def _measures(record: Mapping[str, Any], endpoint: str) -> tuple[Row, set[str], str]:
    """Return columns of what was counted, the fields they were read from, and what is wrong."""
    other, unit = _OTHER.get(endpoint, ("", None))
    asked = "num_model_requests" if record.get("num_model_requests") is not None else "num_requests"
    fields = {**_COLUMNS, asked: "requests"}
    if other == "num_sessions" and other not in record:
        other = "sessions"  # as older pages spell it
    if other and other != asked:
        fields[other] = "other_quantity"
    row: Row = dict.fromkeys((*_COLUMNS.values(), "requests", "other_quantity"))
    row["other_unit"] = unit
    for name, column in fields.items():
        row[column] = count(record.get(name))
        if row[column] is None and record.get(name) is not None:
            return row, set(), f"{name} is not a whole number"
    if other and other == asked:
        row["other_quantity"] = row["requests"]
    if all(row[column] is None for column in fields.values()):
        return row, set(), "no measure of this endpoint"
    return row, set(fields), ""


def _complete(row: Row) -> str:
    """Fill uncached input where the rest gives it; return what does not add up."""
    total, read = row["input_tokens_total"], row["cache_read_tokens"]
    written, uncached = row["cache_write_tokens"], row["input_tokens_uncached"]
    if total is None or read is None:
        return ""
    if uncached is None:
        rest = total - read - (written or 0)
        row["input_tokens_uncached"] = rest if rest >= 0 else None
        return "" if rest >= 0 else "cached input tokens exceed input_tokens"
    if total != uncached + read + (written or 0):
        return "input_tokens is not the sum of uncached, cached and cache-write tokens"
    return ""


class OpenAIUsage:
    """Results of the usage endpoints, from pages, lists of pages, buckets or flat results."""

    id = "openai_usage"
    title = "OpenAI organisation usage"
    provider = "openai"
    reference = "https://platform.openai.com/docs/api-reference/usage"
    reader_version = "1"
    table = "ai_usage"

    def recognise(self, probe: Probe) -> str:
        """Recognise by the object name of the first result, else by the first such name in the head."""
        if probe.form not in {"json", "ndjson"}:
            return ""
        sample = probe.sample
        bucket = sample if inside(sample, "object") == "bucket" else _first(sample, "data")
        result = _first(bucket, "results", "result") or (sample if bucket is None else None)
        if isinstance(result, Mapping) and result.get("object") not in ("bucket", "page"):
            within = inside(bucket, "object") == "bucket" or set(_TIMES) <= probe.keys
            named = isinstance(result.get("object"), str)
            return "results of organization.usage" if _is_result(result) and (named or within) else ""
        if bucket is None and not self._encloses(probe):
            return ""
        first = _IN_HEAD.search(probe.text_head)
        if first:
            return "results of organization.usage" if first[1] == "usage" else ""
        return "buckets without any result" if '"bucket"' in probe.text_head else ""

    @staticmethod
    def _encloses(probe: Probe) -> bool:
        """Tell whether the first object is a page or a bucket, although its list shows no first element."""
        if inside(probe.sample, "object") in ("page", "bucket"):
            return True
        if {"object", "data", "has_more"} <= probe.keys:
            return True
        return set(_TIMES) <= probe.keys and probe.container in ("results", "result")

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the results of a page or bucket (`result` where it is spelt so), else the value itself."""
        paged = "data" in probe.keys or isinstance(inside(probe.sample, "data"), list)
        bucket = probe.sample if inside(probe.sample, "object") == "bucket" else _first(probe.sample, "data")
        names = bucket.keys() if isinstance(bucket, Mapping) else probe.keys
        last = "result" if "result" in names and "results" not in names else "results"
        if paged:
            return ("data", last)
        return (last,) if last in names or last in probe.keys else ()

    def read(self, document: Document) -> Reading:
        """Turn results into rows of `ai_usage`; one answer a record, defects with their reason."""
        reading = Reading()
        notes: set[str] = set()
        dims: dict[str, set[str]] = {}
        met: dict[str, list[Bucket]] = {}
        for record in document.records:
            answer = self._answer(record, notes)
            reading.answers.append(answer)
            if answer.row is not None:
                endpoint, start, end = (answer.row[c] for c in ("endpoint", "bucket_start", "bucket_end"))
                dims.setdefault(endpoint, set()).update(_dimensions(record.value))
                met.setdefault(endpoint, []).append(Bucket(start, end))
        grouped = {endpoint: ",".join(sorted(names)) for endpoint, names in dims.items()}
        for answer in reading.answers:
            if answer.row is not None:
                answer.row["grouped_by"] = grouped[answer.row["endpoint"]]
        notes |= {
            f"{endpoint}: not grouped by API key"
            for endpoint, names in dims.items()
            if "api_key_id" not in names and endpoint not in _WITHOUT_KEY
        }
        reading.coverage = _coverage(document, met, grouped, notes)
        reading.notes = sorted(notes)
        return reading

    def _answer(self, record: RawRecord, notes: set[str]) -> RowOrDefect:
        value = record.value
        if not isinstance(value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        endpoint = _endpoint(value)
        if not endpoint:
            return RowOrDefect(record, defect="not a result of a usage endpoint")
        bucket = read_bucket((*reversed(record.contexts), value), *_TIMES)
        if isinstance(bucket, str):
            return RowOrDefect(record, defect=bucket)
        measures, used, fault = _measures(value, endpoint)
        if fault:
            return RowOrDefect(record, defect=fault)
        mismatch = _complete(measures)
        if mismatch:
            notes.add(f"{endpoint}: {mismatch}")
        row: Row = {
            "provider": self.provider,
            "bucket_start": bucket.start,
            "bucket_end": bucket.end,
            "granularity_s": bucket.seconds,
            "endpoint": endpoint,
            **{column: plain(value.get(name)) for name, column in _DIMENSIONS.items()},
            "workspace_id": None,
            "key_name": None,
            "is_batch": flag(value.get("batch")),
            **measures,
            "grouped_by": "",
            "raw": compact(value, {(name,) for name in (*used, *_DIMENSIONS, *_TIMES, "object")}),
        }
        return RowOrDefect(record, row, natural_key(endpoint, bucket, _dimensions(value)))


def _is_truncated(document: Document, notes: set[str]) -> bool:
    truncated = says_more(document.envelopes)
    if truncated:
        notes.add("truncated: the last page says that more follows")
    return truncated


def _coverage(document: Document, met: dict[str, list[Bucket]], grouped: dict[str, str], notes: set[str]) -> list[Row]:
    """Return stretches in which absence means zero; empty buckets count only with one endpoint."""
    enclosing = (read_bucket((c,), *_TIMES) for c in document.contexts)
    buckets = [b for b in enclosing if isinstance(b, Bucket)]
    truncated = _is_truncated(document, notes)
    if not document.records and buckets:
        notes.add("no result in any bucket: the endpoint cannot be told, so nothing is shown to be zero")
    elif len(met) == 1:
        next(iter(met.values())).extend(buckets)
    elif met and buckets:
        notes.add("several endpoints in one export: empty buckets cannot be told apart and count for none")
    received = document.provenance.received_at
    rows: list[Row] = []
    for endpoint in sorted(met):
        rows += covered(
            OpenAIUsage.provider,
            endpoint,
            met[endpoint],
            grouped_by=grouped[endpoint],
            truncated=truncated,
            received=received,
        )
        if received is not None and any(b.end > received for b in met[endpoint]):
            notes.add(f"{endpoint}: buckets still open at receipt prove nothing about absence")
    return rows


SOURCE = OpenAIUsage()
