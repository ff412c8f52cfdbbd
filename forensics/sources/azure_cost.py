"""Cost and usage details of Azure as CSV: one row a day, meter and resource. Meters of AI services alone are read.

`Quantity` counts in the unit of the meter, for tokens a thousand of them: it stays in `raw` with its unit. Dates are
month first. https://learn.microsoft.com/azure/cost-management-billing/automate/understand-usage-details-fields
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from forensics.model.buckets import Bucket, covered, natural_key
from forensics.model.fields import moment, plain
from forensics.model.money import read_money
from forensics.model.usage import AI_COST, blank
from forensics.model.wrapping import Ordinals, american_time, grouping_of, ordinary, unread
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_DAY = timedelta(days=1)
#: What is read, and the names it has in the exports of different agreements; the first that is there counts.
_DATE = ("date", "usagedate", "usagedatetime")
_AMOUNT = ("costinbillingcurrency", "pretaxcost", "cost")
_CURRENCY = ("billingcurrency", "billingcurrencycode", "currency", "currencycode")
_RESOURCE = ("resourceid", "instanceid", "instancename")
_SUBSCRIPTION = ("subscriptionid", "subscriptionguid")
_AI_WORDS = ("openai", "foundry", "azure ai")
_AI_PROVIDER = "microsoft.cognitiveservices"
_TEXT_OF_KIND = ("metercategory", "metersubcategory", "metername", "productname", "product")
#: Columns that tell rows of a day apart, as dimensions; exports with others are other views of the same costs.
_GROUPED = {
    "metername": "meter",
    "meterid": "meter_id",
    "metersubcategory": "meter_kind",
    "chargetype": "charge",
    "pricingmodel": "pricing",
    **dict.fromkeys(_RESOURCE, "resource"),
    **dict.fromkeys(_SUBSCRIPTION, "subscription"),
}


def _first(value: Mapping[str, Any], names: tuple[str, ...]) -> tuple[str, str | None]:
    return next(((name, text) for name in names if (text := plain(value.get(name)))), ("", None))


def _is_ai(value: Mapping[str, Any]) -> bool:
    told = " ".join(plain(value.get(name)) or "" for name in _TEXT_OF_KIND).lower()
    of = " ".join((plain(value.get("consumedservice")) or "", _first(value, _RESOURCE)[1] or "")).lower()
    return any(word in told for word in _AI_WORDS) or _AI_PROVIDER in of


def token_kind(meter: str) -> str | None:
    """Return the kind of token that a meter's name tells: cached_input, input, output; else None."""
    words = set(meter.lower().replace("-", " ").split())
    if not any(word.startswith("token") for word in words):
        return None
    if words & {"cached", "cchd", "cache"}:
        return "cached_input"
    return "input" if words & {"input", "inp"} else "output" if words & {"output", "outp", "opt"} else None


class AzureCost:
    """Rows of a cost export."""

    id = "azure_cost"
    title = "Azure cost details (CSV)"
    provider = "azure_openai"
    reference = "https://learn.microsoft.com/azure/cost-management-billing/automate/understand-usage-details-fields"
    reader_version = "2"
    table = "ai_cost"

    def recognise(self, probe: Probe) -> str:
        """Recognise by the columns of meters, a date, a cost and a subscription."""
        names = {ordinary(name) for name in probe.header} if probe.form == "csv" else set()
        known = {"metercategory", "metername", "quantity"} <= names and all(
            names.intersection(wanted) for wanted in (_DATE, _AMOUNT, _SUBSCRIPTION)
        )
        return "columns of Azure cost details" if known else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Rows are the records."""
        return ()

    def read(self, document: Document) -> Reading:
        """Turn rows of AI meters into rows of `ai_cost`."""
        ordinals = Ordinals()
        grouped = grouping_of((r.value for r in document.records), _GROUPED)
        reading = Reading([self._answer(record, ordinals, grouped) for record in document.records])
        made = [a.row for a in reading.answers if a.row is not None]
        days = [Bucket(row["period_start"], row["period_end"]) for row in made]
        received = document.provenance.received_at
        reading.coverage = covered(self.provider, "costs", days, grouped_by=grouped, truncated=False, received=received)
        if made:
            reading.notes.append("costs: meters name no API key")
        return reading

    def _answer(self, record: RawRecord, ordinals: Ordinals, grouped: str) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        value = {ordinary(name): member for name, member in record.value.items()}
        if not _is_ai(value):
            return RowOrDefect(record, out_of_scope="costs of other services are not read")
        dated, date = _first(value, _DATE)
        start = american_time(date) or moment(date)
        if start is None:
            return RowOrDefect(record, defect="no readable date")
        costly, text = _first(value, _AMOUNT)
        amount = read_money(text)
        if amount is None:
            return RowOrDefect(record, defect="no readable cost")
        day = start.replace(hour=0, minute=0, second=0, microsecond=0)
        bucket = Bucket(day, day + _DAY)
        meter, (named, currency) = plain(value.get("metername")), _first(value, _CURRENCY)
        kind = token_kind(meter or "")
        row: Row = {**blank(AI_COST), "provider": self.provider, "period_start": bucket.start}
        row |= {"period_end": bucket.end, "line_item": meter, "cost_type": "tokens" if kind else None}
        row |= {"token_type": kind, "project_id": _first(value, _SUBSCRIPTION)[1], "amount": amount}
        row |= {"currency": currency.upper() if currency else None, "grouped_by": grouped}
        row["raw"] = unread(record.value, {dated, costly, named, "metername"})
        dimensions = {name: text for name in _GROUPED if (text := plain(value.get(name)))}
        return RowOrDefect(record, row, ordinals.name(natural_key("costs", bucket, dimensions)))


SOURCE = AzureCost()
