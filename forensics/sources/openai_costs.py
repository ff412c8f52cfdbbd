"""Costs of an OpenAI organisation: daily buckets in units of the currency, as JSON numbers.

https://platform.openai.com/docs/api-reference/usage/costs
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from forensics.model.buckets import Bucket, covered, natural_key, read_bucket, says_more
from forensics.model.fields import compact, inside, plain
from forensics.model.money import read_money
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_OBJECT = "organization.costs.result"
_IN_HEAD = re.compile(r'"object"\s*:\s*"organization\.(usage|costs)\.')
_TIMES = ("start_time", "end_time")
_DIMENSIONS = ("api_key_id", "api_source", "line_item", "project_id", "user_id")


def _first(value: object, *names: str) -> object:
    """Return the first element of the first of these lists that is there."""
    lists = (inside(value, name) for name in names)
    found = next((each for each in lists if isinstance(each, list)), [])
    return found[0] if found else None


def _dimensions(record: Mapping[str, Any]) -> dict[str, str]:
    texts = ((name, plain(record.get(name))) for name in _DIMENSIONS)
    return {name: text for name, text in texts if text}


def _model(line_item: str | None) -> tuple[str | None, str | None]:
    """Return model and kind of token of a line item like `gpt-5, input`, else nothing."""
    model, comma, kind = (line_item or "").partition(", ")
    return (model or None, kind.strip() or None) if comma else (None, None)


class CostNames:
    """Names rows of one file of costs by what was billed, whichever way its line item is spelt.

    Newer reports write `gpt-5, input_tokens` where older ones wrote `gpt-5, input`: a later export of a day supersedes an
    earlier one all the same. Where one file has both spellings, both are rows of their own.
    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._spelt: dict[str, str] = {}

    def name(self, bucket: Bucket, dimensions: Mapping[str, str]) -> str:
        """Return the natural key of the next row."""
        written = dimensions.get("line_item", "")
        model, comma, kind = written.partition(", ")
        told = {"line_item": model + comma + kind.removesuffix("_tokens").replace("_", " ")} if comma else {}
        natural = natural_key(self.endpoint, bucket, {**dimensions, **told})
        return natural if self._spelt.setdefault(natural, written) == written else f"{natural}|other spelling"


class OpenAICosts:
    """Results of the costs endpoint, from pages, lists of pages, buckets or flat results."""

    id = "openai_costs"
    title = "OpenAI organisation costs"
    provider = "openai"
    reference = "https://platform.openai.com/docs/api-reference/usage/costs"
    reader_version = "2"
    table = "ai_cost"

    def recognise(self, probe: Probe) -> str:
        """Recognise by the object name of the first result, else by the first such name in the head."""
        if probe.form not in {"json", "ndjson"}:
            return ""
        sample = probe.sample
        bucket = sample if inside(sample, "object") == "bucket" else _first(sample, "data")
        result = _first(bucket, "results", "result") or (sample if bucket is None else None)
        if isinstance(result, Mapping) and result.get("object") not in ("bucket", "page"):
            return "results of organization.costs" if result.get("object") == _OBJECT else ""
        enclosed = bucket is not None or set(_TIMES) <= probe.keys or {"object", "data", "has_more"} <= probe.keys
        first = _IN_HEAD.search(probe.text_head) if enclosed else None
        return "results of organization.costs" if first and first[1] == "costs" else ""

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
        """Turn results into rows of `ai_cost`; one answer a record, defects with their reason."""
        costs = CostNames("costs")
        reading = Reading(answers=[self._answer(record, costs) for record in document.records])
        made = [answer for answer in reading.answers if answer.row is not None]
        names = {name for answer in made for name in _dimensions(answer.record.value)}
        grouped = ",".join(sorted(names))
        notes: set[str] = set()
        buckets = [b for b in (read_bucket((c,), *_TIMES) for c in document.contexts) if isinstance(b, Bucket)]
        for answer in made:
            assert answer.row is not None
            answer.row["grouped_by"] = grouped
            buckets.append(Bucket(answer.row["period_start"], answer.row["period_end"]))
            if answer.row["currency"] is None:
                notes.add("amounts without a currency")
        if made and "api_key_id" not in names:
            notes.add("costs: not grouped by API key")
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

    def _answer(self, record: RawRecord, costs: CostNames) -> RowOrDefect:
        value = record.value
        if not isinstance(value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        if value.get("object") != _OBJECT:
            return RowOrDefect(record, defect="not a result of the costs endpoint")
        bucket = read_bucket((*reversed(record.contexts), value), *_TIMES)
        if isinstance(bucket, str):
            return RowOrDefect(record, defect=bucket)
        amount = read_money(inside(value, "amount", "value"))
        if amount is None:
            return RowOrDefect(record, defect="amount.value is not a number")
        dimensions = _dimensions(value)
        line_item = dimensions.get("line_item")
        model, token_type = _model(line_item)
        currency = plain(inside(value, "amount", "currency"))
        row: Row = {
            "provider": self.provider,
            "period_start": bucket.start,
            "period_end": bucket.end,
            "line_item": line_item,
            "cost_type": None,
            "token_type": token_type,
            "model": model,
            "project_id": dimensions.get("project_id"),
            "workspace_id": None,
            "key_id": dimensions.get("api_key_id"),
            "key_name": None,
            "user_id": dimensions.get("user_id"),
            "amount": amount,
            "currency": currency.upper() if currency else None,
            "grouped_by": "",
            "raw": compact(value, _WITH_COLUMN),
        }
        return RowOrDefect(record, row, costs.name(bucket, dimensions))


_WITH_COLUMN = {
    *((name,) for name in (*_TIMES, "object", "line_item", "project_id", "api_key_id", "user_id")),
    *(("amount", name) for name in ("value", "currency")),
}

SOURCE = OpenAICosts()
