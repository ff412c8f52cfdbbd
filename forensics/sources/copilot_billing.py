"""GitHub's usage report for Copilot and Models: a line a day, user, product and model. US dollars, UTC days.

The net amount is what is billed; gross, discount and quantities stay in `raw`.
https://docs.github.com/en/billing/reference/billing-reports
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from forensics.model.buckets import Bucket, covered, natural_key
from forensics.model.usage import AI_COST, blank
from forensics.model.wrapping import Ordinals
from forensics.sources.named_rows import NamedFields, names_of
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_CORE = frozenset({"date", "username", "product", "sku", "model", "quantity", "netamount"})
_GROUPED = "line_item,model,user"


class CopilotBilling:
    """Lines of the report."""

    id = "copilot_billing"
    title = "GitHub Copilot usage report"
    provider = "github_copilot"
    reference = "https://docs.github.com/en/billing/reference/billing-reports"
    reader_version = "1"
    table = "ai_cost"

    def recognise(self, probe: Probe) -> str:
        """Recognise by day, user, product, SKU, model, quantity and net amount."""
        return "columns of a usage report" if names_of(probe) >= _CORE else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the list that was found in an enclosing object, else the value itself."""
        return (probe.container,) if probe.container else ()

    def read(self, document: Document) -> Reading:
        """Turn lines into rows of `ai_cost`."""
        ordinals = Ordinals()
        reading = Reading([self._answer(record, ordinals) for record in document.records])
        made = [a.row for a in reading.answers if a.row is not None]
        days = [Bucket(row["period_start"], row["period_end"]) for row in made]
        received = document.provenance.received_at
        reading.coverage = covered(
            self.provider, "costs", days, grouped_by=_GROUPED, truncated=False, received=received
        )
        if made:
            reading.notes = ["costs: the report names users, no keys"]
        return reading

    def _answer(self, record: RawRecord, ordinals: Ordinals) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        fields = NamedFields(record.value)
        day, amount = fields.time("date"), fields.money("netamount")
        if day is None:
            return RowOrDefect(record, defect="no readable date")
        if amount is None:
            return RowOrDefect(record, defect="net_amount is not a number")
        bucket = Bucket(day, day + timedelta(days=1))
        row: Row = {**blank(AI_COST), "provider": self.provider, "amount": amount, "currency": "USD"}
        row |= {"period_start": bucket.start, "period_end": bucket.end, "grouped_by": _GROUPED}
        row |= {"line_item": fields.text("sku"), "cost_type": fields.text("product")}
        row |= {"model": fields.text("model"), "user_id": fields.text("username")}
        row["project_id"] = fields.text("repository")
        named = ("username", "product", "sku", "model", "repository", "organization", "costcentername", "unittype")
        dimensions = {name: text for name in named if (text := fields.text(name))}
        row["raw"] = fields.rest()
        return RowOrDefect(record, row, ordinals.name(natural_key("costs", bucket, dimensions)))


SOURCE = CopilotBilling()
