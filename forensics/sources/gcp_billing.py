"""The billing export of Google Cloud (standard or detailed) from BigQuery, as JSON or as CSV with dotted names.

Lines of the Gemini API and of Vertex AI are read. `cost` is before credits: those are other amounts, kept in `raw`.
The model is named by the description of the SKU alone. Usage counts in units of the SKU, not always tokens.
https://cloud.google.com/billing/docs/how-to/export-data-bigquery-tables/standard-usage
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from forensics.model.buckets import Bucket, covered, natural_key
from forensics.model.fields import compact, moment, plain
from forensics.model.money import read_money
from forensics.model.usage import AI_COST, blank
from forensics.model.wrapping import Ordinals, loaded, ordinary, unread
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_CORE = frozenset({"billingaccountid", "servicedescription", "skudescription", "usagestarttime", "cost", "currency"})
_AI_SERVICES = ("gemini api", "vertex ai", "generative language")
_DIMENSIONS = (
    *("billingaccountid", "serviceid", "skuid", "skudescription", "projectid", "costtype", "resourcename"),
    *("locationlocation", "invoicemonth"),
)
_WITH_COLUMN = {"usagestarttime", "usageendtime", "cost", "currency", "skudescription", "projectid", "costtype"}
#: The detailed export tells resources, the standard one does not: two views of the same costs.
_GROUPED, _DETAILED = "line_item,project", "line_item,project,resource"


def _flat(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return members by ordinary names, those of inner objects under both names together."""
    flat: dict[str, Any] = {}
    for name, member in value.items():
        if isinstance(member, Mapping):
            flat |= {ordinary(name) + ordinary(inner): v for inner, v in member.items()}
        else:
            flat[ordinary(name)] = member
    return flat


def _names(probe: Probe) -> Iterable[str]:
    if probe.form == "csv":
        return {ordinary(name) for name in probe.header}
    return _flat(probe.sample).keys() if isinstance(probe.sample, Mapping) else ()


def _kind(sku: str) -> str | None:
    """Return the kind of token that a SKU tells: cached_input, input, output; else None."""
    words = set(sku.lower().replace("-", " ").split())
    if not any(word.startswith("token") or word in {"input", "output"} for word in words):
        return None
    kind = "input" if "input" in words else "output" if "output" in words else None
    return "cached_input" if kind == "input" and words & {"cached", "caching", "cache"} else kind


class GcpBilling:
    """Lines of the export."""

    id = "gcp_billing"
    title = "Google Cloud billing export"
    provider = "vertex"
    reference = "https://cloud.google.com/billing/docs/how-to/export-data-bigquery-tables/standard-usage"
    reader_version = "2"
    table = "ai_cost"

    def recognise(self, probe: Probe) -> str:
        """Recognise by account, service, SKU, start of usage, cost and currency."""
        return "columns of a billing export" if set(_names(probe)) >= _CORE else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the list that was found in an enclosing object, else the value itself."""
        return (probe.container,) if probe.container and "billing_account_id" not in probe.keys else ()

    def read(self, document: Document) -> Reading:
        """Turn lines of models into rows of `ai_cost`."""
        ordinals, notes = Ordinals(), set[str]()
        named = any("resourcename" in _flat(r.value) for r in document.records if isinstance(r.value, Mapping))
        grouped = _DETAILED if named else _GROUPED
        reading = Reading([self._answer(record, ordinals, notes, grouped) for record in document.records])
        made = [a.row for a in reading.answers if a.row is not None]
        hours = [Bucket(row["period_start"], row["period_end"]) for row in made]
        received = document.provenance.received_at
        reading.coverage = covered(
            self.provider, "costs", hours, grouped_by=grouped, truncated=False, received=received
        )
        if made:
            notes.add("costs: SKUs name no API key")
        reading.notes = sorted(notes)
        return reading

    def _answer(self, record: RawRecord, ordinals: Ordinals, notes: set[str], grouped: str) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        value = _flat(record.value)
        service = (plain(value.get("servicedescription")) or "").lower()
        if not any(name in service for name in _AI_SERVICES):
            return RowOrDefect(record, out_of_scope="costs of other services are not read")
        start, end = moment(value.get("usagestarttime")), moment(value.get("usageendtime"))
        if start is None or end is None or start >= end:
            return RowOrDefect(record, defect="no readable start and end of usage")
        amount = read_money(value.get("cost"))
        if amount is None:
            return RowOrDefect(record, defect="cost is not a number")
        granted = value.get("credits")
        if loaded(granted) if isinstance(granted, str) else granted:
            notes.add("costs are before credits, which are kept in raw")
        bucket = Bucket(start, end)
        sku, currency = plain(value.get("skudescription")), plain(value.get("currency"))
        kind = _kind(sku or "")
        row: Row = {**blank(AI_COST), "provider": self.provider, "period_start": start, "period_end": end}
        row |= {"line_item": sku, "cost_type": "tokens" if kind else plain(value.get("costtype")), "token_type": kind}
        row |= {"project_id": plain(value.get("projectid")), "amount": amount, "grouped_by": grouped}
        row["currency"] = currency.upper() if currency else None
        nested = any(isinstance(member, Mapping) for member in record.value.values())
        row["raw"] = compact(record.value, _NESTED) if nested else unread(record.value, _WITH_COLUMN)
        dimensions = {name: text for name in _DIMENSIONS if (text := plain(value.get(name)))}
        return RowOrDefect(record, row, ordinals.name(natural_key("costs", bucket, dimensions)))


_NESTED: set[tuple[str, ...]] = {
    *(("usage_start_time",), ("usage_end_time",), ("cost",), ("currency",)),
    *(("sku", "description"), ("project", "id")),
}

SOURCE = GcpBilling()
