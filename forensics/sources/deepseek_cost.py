"""DeepSeek's export of costs (`cost-*.csv`): a line a day or hour, model and wallet, in dollars or yuan.

Two currencies are two amounts and never added. Costs name no key.
https://platform.deepseek.com/usage
"""

from __future__ import annotations

from collections.abc import Mapping

from forensics.model.buckets import Bucket, covered, natural_key
from forensics.model.usage import AI_COST, blank
from forensics.model.wrapping import Ordinals
from forensics.sources.named_rows import NamedFields, names_of, stretch_of
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_CORE = frozenset({"userid", "model", "wallettype", "cost", "currency"})
_GROUPED = "model,user,wallet"


class DeepSeekCost:
    """Lines of the export."""

    id = "deepseek_cost"
    title = "DeepSeek cost export"
    provider = "deepseek"
    reference = "https://platform.deepseek.com/usage"
    reader_version = "1"
    table = "ai_cost"

    def recognise(self, probe: Probe) -> str:
        """Recognise by user, model, wallet, cost and currency."""
        return "columns of a cost export" if names_of(probe) >= _CORE else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """CSV has no path."""
        return ()

    def read(self, document: Document) -> Reading:
        """Turn lines into rows of `ai_cost`."""
        ordinals = Ordinals()
        reading = Reading([self._answer(record, ordinals) for record in document.records])
        made = [a.row for a in reading.answers if a.row is not None]
        reading.coverage = covered(
            self.provider,
            "costs",
            [Bucket(row["period_start"], row["period_end"]) for row in made],
            grouped_by=_GROUPED,
            truncated=False,
            received=document.provenance.received_at,
        )
        return reading

    def _answer(self, record: RawRecord, ordinals: Ordinals) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        fields = NamedFields(record.value)
        bucket = stretch_of(fields)
        if bucket is None:
            return RowOrDefect(record, defect="no readable day or times")
        amount, currency = fields.money("cost"), fields.text("currency")
        if amount is None:
            return RowOrDefect(record, defect="cost is not a number")
        row: Row = {**blank(AI_COST), "provider": self.provider, "amount": amount, "grouped_by": _GROUPED}
        row |= {"period_start": bucket.start, "period_end": bucket.end, "model": fields.text("model")}
        row |= {"user_id": fields.text("userid"), "currency": currency.upper() if currency else None}
        named = ("userid", "model", "wallettype", "currency")
        dimensions = {name: text for name in named if (text := fields.text(name))}
        row["cost_type"] = fields.text("wallettype")
        row["raw"] = fields.rest()
        return RowOrDefect(record, row, ordinals.name(natural_key("costs", bucket, dimensions)))


SOURCE = DeepSeekCost()
