"""The cost download of OpenAI's dashboard: one row a day and line item, in units of the currency.

Written for the account's owner, at most 60 days, in UTC days (https://help.openai.com/en/articles/8554956). There is no
description of its columns; older files lack quantity, user, key and project names. A day without costs is a row with
an empty amount: it says that the day was asked for, not that a key was idle.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.model.buckets import Bucket, covered, read_bucket
from forensics.model.fields import compact, plain
from forensics.model.money import read_money
from forensics.model.usage import AI_COST, blank
from forensics.sources.openai_costs import CostNames
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_CORE = frozenset({"start_time", "amount_value", "amount_currency", "line_item"})
_DIMENSIONS = ("api_key_id", "api_source", "line_item", "project_id", "user_id")
_TIMES = (("start_time", "end_time"), ("start_time_iso", "end_time_iso"))


def _lowered(value: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name).strip().lower(): member for name, member in value.items()}


def _bucket(value: Mapping[str, Any]) -> Bucket | str:
    """Return the day from the unix seconds, else from the ISO columns; the end is exclusive."""
    found = [read_bucket((value,), *names) for names in _TIMES]
    return next((each for each in found if isinstance(each, Bucket)), found[0])


def _dimensions(value: Mapping[str, Any]) -> dict[str, str]:
    return {name: text for name in _DIMENSIONS if (text := plain(value.get(name)))}


class OpenAICostCsv:
    """Rows of the dashboard's cost file."""

    id = "openai_cost_csv"
    title = "OpenAI dashboard, costs (CSV)"
    provider = "openai"
    reference = "https://help.openai.com/en/articles/8554956"
    reader_version = "2"
    table = "ai_cost"

    def recognise(self, probe: Probe) -> str:
        """Recognise by the columns of amount, currency, line item and start."""
        claimed = probe.form == "csv" and {name.lower() for name in probe.header} >= _CORE
        return "columns of the dashboard's cost file" if claimed else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Rows stand by themselves."""
        return ()

    def read(self, document: Document) -> Reading:
        """Turn rows into rows of `ai_cost`; rows without an amount are out of scope, for they prove no zero."""
        costs = CostNames("costs_csv")
        reading = Reading(answers=[self._answer(record, costs) for record in document.records])
        made = [answer for answer in reading.answers if answer.row is not None]
        names = {name for answer in made for name in _dimensions(_lowered(answer.record.value))}
        grouped = ",".join(sorted(names))
        buckets = []
        for answer in made:
            assert answer.row is not None
            answer.row["grouped_by"] = grouped
            buckets.append(Bucket(answer.row["period_start"], answer.row["period_end"]))
        if made and "api_key_id" not in names:
            reading.notes.append("costs: not grouped by API key")
        received = document.provenance.received_at
        reading.coverage = covered(
            self.provider, "costs", buckets, grouped_by=grouped, truncated=False, received=received
        )
        return reading

    def _answer(self, record: RawRecord, costs: CostNames) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not a row")
        value = _lowered(record.value)
        bucket = _bucket(value)
        if isinstance(bucket, str):
            return RowOrDefect(record, defect=bucket)
        if plain(value.get("amount_value")) is None:
            return RowOrDefect(record, out_of_scope="days without an amount: not evidence of zero cost")
        amount = read_money(value.get("amount_value"))
        if amount is None:
            return RowOrDefect(record, defect="amount_value is not a number")
        dimensions = _dimensions(value)
        model, comma, kind = dimensions.get("line_item", "").partition(", ")
        currency = plain(value.get("amount_currency"))
        row: Row = {
            **blank(AI_COST),
            "provider": self.provider,
            "period_start": bucket.start,
            "period_end": bucket.end,
            "line_item": dimensions.get("line_item"),
            "cost_type": None,
            "token_type": (kind.strip() or None) if comma else None,
            "model": (model or None) if comma else None,
            "project_id": dimensions.get("project_id"),
            "workspace_id": None,
            "key_id": dimensions.get("api_key_id"),
            "user_id": dimensions.get("user_id"),
            "amount": amount,
            "currency": currency.upper() if currency else None,
            "grouped_by": "",
            "raw": compact(value, _WITH_COLUMN),
        }
        return RowOrDefect(record, row, costs.name(bucket, dimensions))


_WITH_COLUMN = {
    (name,)
    for name in ("start_time", "end_time", "start_time_iso", "end_time_iso", "amount_value", "amount_currency",
                 "line_item", "project_id", "api_key_id", "user_id")
}  # fmt: skip

SOURCE = OpenAICostCsv()
