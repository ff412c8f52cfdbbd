"""The cost download of Anthropic's Console: dollars a day, model, key and kind of token; three generations of columns.

Existence: https://support.anthropic.com/en/articles/9534590. There is no description of its columns. Unlike the cost
report of the API, which counts cents, `cost_usd` is in dollars; `model` is a display name; newer files add the key's id.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from forensics.model.buckets import Bucket, covered, natural_key
from forensics.model.fields import compact, moment, plain
from forensics.model.money import read_money
from forensics.model.usage import AI_COST, blank
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_CORE = frozenset({"usage_date_utc", "model", "token_type", "cost_usd"})
_DIMENSIONS = (
    "api_key", "api_key_id", "context_window", "cost_type", "inference_geo", "model", "speed", "token_type", "usage_type",
    "workspace",
)  # fmt: skip
_DAY = timedelta(days=1)


def _lowered(value: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name).strip().lower(): member for name, member in value.items()}


def _dimensions(value: Mapping[str, Any]) -> dict[str, str]:
    return {name: text for name in _DIMENSIONS if (text := plain(value.get(name)))}


class AnthropicConsoleCost:
    """Rows of the Console's cost file."""

    id = "anthropic_console_cost"
    title = "Anthropic Console, costs (CSV)"
    provider = "anthropic"
    reference = "https://support.anthropic.com/en/articles/9534590"
    reader_version = "1"
    table = "ai_cost"

    def recognise(self, probe: Probe) -> str:
        """Recognise by date, model, kind of token and dollars."""
        claimed = probe.form == "csv" and {name.lower() for name in probe.header} >= _CORE
        return "columns of the Console's cost file" if claimed else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Rows stand by themselves."""
        return ()

    def read(self, document: Document) -> Reading:
        """Turn rows into rows of `ai_cost`, amounts in dollars."""
        reading = Reading(answers=[self._answer(record) for record in document.records])
        made = [answer for answer in reading.answers if answer.row is not None]
        names = {name for answer in made for name in _dimensions(_lowered(answer.record.value))}
        grouped = ",".join(sorted(names))
        buckets = []
        for answer in made:
            assert answer.row is not None
            answer.row["grouped_by"] = grouped
            buckets.append(Bucket(answer.row["period_start"], answer.row["period_end"]))
        if made and "api_key_id" not in names:
            reading.notes.append(
                f"costs: {'keys by name, not by id' if 'api_key' in names else 'not grouped by API key'}"
            )
        received = document.provenance.received_at
        reading.coverage = covered(
            self.provider, "costs", buckets, grouped_by=grouped, truncated=False, received=received
        )
        return reading

    def _answer(self, record: RawRecord) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not a row")
        value = _lowered(record.value)
        start = moment(value.get("usage_date_utc"))
        if start is None:
            return RowOrDefect(record, defect="no readable usage_date_utc")
        amount = read_money(value.get("cost_usd"))
        if amount is None:
            return RowOrDefect(record, defect="cost_usd is not a number")
        bucket = Bucket(start, start + _DAY)
        row: Row = {
            **blank(AI_COST),
            "provider": self.provider,
            "period_start": bucket.start,
            "period_end": bucket.end,
            "line_item": None,
            "cost_type": plain(value.get("cost_type")),
            "token_type": plain(value.get("token_type")),
            "model": plain(value.get("model")),
            "project_id": None,
            "workspace_id": None,
            "key_id": plain(value.get("api_key_id")),
            "key_name": plain(value.get("api_key")),
            "user_id": None,
            "amount": amount,
            "currency": "USD",
            "grouped_by": "",
            "raw": compact(value, {(n,) for n in ("usage_date_utc", "cost_usd", "cost_type", "token_type", "model",
                                                  "api_key", "api_key_id")}),
        }  # fmt: skip
        return RowOrDefect(record, row, natural_key("costs_csv", bucket, _dimensions(value)))


SOURCE = AnthropicConsoleCost()
