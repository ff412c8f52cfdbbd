"""Costs of a Fireworks account: a row a UTC day, model, tier, key and user.

Amounts come as whole units and billionths of a unit (`subtotal_units`, `subtotal_nanos`, both of one sign), or nested in
`subtotal` as Google's Money type writes them. https://docs.fireworks.ai/accounts/exporting-billing-metrics
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from forensics.model.buckets import Bucket, covered, natural_key
from forensics.model.money import read_money
from forensics.model.usage import AI_COST, blank
from forensics.model.wrapping import Ordinals
from forensics.sources.named_rows import NamedFields, names_of
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_CORE = frozenset({"starttime", "model", "modeltier"})
_AMOUNTS = (frozenset({"subtotalunits", "subtotalnanos"}), frozenset({"subtotal"}))
_DAY = timedelta(days=1)
_BILLION = 9
#: Names of the file by the dimension they are; what no row has is no grouping.
_DIMENSIONS = {"api_key_id": "apikeyid", "model": "model", "model_tier": "modeltier", "user_id": "userid"}


def _amount(fields: NamedFields) -> Decimal | str:
    """Return units and billionths as one amount, or in words why there is none. An absent part is zero, both are none."""
    units = fields.text("subtotalunits", "subtotal.units")
    nanos = fields.text("subtotalnanos", "subtotal.nanos")
    if units is None and nanos is None:
        return "neither subtotal_units nor subtotal_nanos"
    whole, part = read_money(units or "0"), read_money(nanos or "0", minor_digits=_BILLION)
    if whole is None or part is None:
        return "subtotal_units or subtotal_nanos is not a number"
    if abs(part) >= 1 or whole != whole.to_integral_value() or whole * part < 0:
        return "subtotal_units and subtotal_nanos are no amount of money"
    return read_money(whole + part) or whole


def _bucket(fields: NamedFields) -> Bucket | None:
    start, end = fields.time("starttime"), fields.time("endtime")
    if start is None or (end is not None and end <= start):
        return None
    return Bucket(start, end or start + _DAY)


class FireworksCost:
    """Rows of the cost export."""

    id = "fireworks_cost"
    title = "Fireworks cost export"
    provider = "fireworks"
    reference = "https://docs.fireworks.ai/accounts/exporting-billing-metrics"
    reader_version = "1"
    table = "ai_cost"

    def recognise(self, probe: Probe) -> str:
        """Recognise by start, model, tier and a subtotal."""
        names = names_of(probe)
        return "rows with model_tier and a subtotal" if names >= _CORE and any(names >= a for a in _AMOUNTS) else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the list that was found in an enclosing object, else the value itself."""
        return (probe.container,) if probe.container else ()

    def read(self, document: Document) -> Reading:
        """Turn rows into rows of `ai_cost`."""
        ordinals = Ordinals()
        grouped: set[str] = set()
        reading = Reading([self._answer(record, ordinals, grouped) for record in document.records])
        made = [answer.row for answer in reading.answers if answer.row is not None]
        named = ",".join(sorted(grouped))
        for row in made:
            row["grouped_by"] = named
        if made and "api_key_id" not in grouped:
            reading.notes.append("costs: not grouped by API key")
        reading.coverage = covered(
            self.provider,
            "costs",
            [Bucket(row["period_start"], row["period_end"]) for row in made],
            grouped_by=named,
            truncated=False,
            received=document.provenance.received_at,
        )
        return reading

    def _answer(self, record: RawRecord, ordinals: Ordinals, grouped: set[str]) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        fields = NamedFields(record.value)
        bucket = _bucket(fields)
        if bucket is None:
            return RowOrDefect(record, defect="no readable start_time, or an end_time that is not after it")
        amount = _amount(fields)
        if isinstance(amount, str):
            return RowOrDefect(record, defect=amount)
        dimensions = {name: text for name, own in _DIMENSIONS.items() if (text := fields.text(own))}
        grouped.update(dimensions)
        currency = fields.text("subtotalcurrencycode", "subtotal.currencycode")
        row: Row = {**blank(AI_COST), "provider": self.provider, "amount": amount}
        row |= {"period_start": bucket.start, "period_end": bucket.end, "model": dimensions.get("model")}
        row |= {"key_id": dimensions.get("api_key_id"), "user_id": dimensions.get("user_id")}
        row |= {"line_item": dimensions.get("model_tier"), "currency": currency.upper() if currency else None}
        row["raw"] = fields.rest()
        return RowOrDefect(record, row, ordinals.name(natural_key("costs", bucket, dimensions)))


SOURCE = FireworksCost()
