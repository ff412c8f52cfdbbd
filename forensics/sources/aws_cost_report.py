"""The cost and usage report of AWS as CSV, new (`line_item_usage_type`) and classic (`lineItem/UsageType`) names.

Lines of Amazon Bedrock are read, also those of models sold through the Marketplace; the others are out of scope.
`line_item_iam_principal`, where the report has it, says which principal, and so which Bedrock key, cost how much.
Amounts are unblended, in units of the currency; the usage amount counts in the unit of its price and stays in `raw`.
A report comes in parts and is delivered anew as the month goes on. A line is named by all that AWS tells lines apart by,
tags too, so that lines of two parts are two; never by its id, which is good for one part of one delivery only, nor by
rates, amounts or invoices, which a later delivery changes. Two lines of two files that are alike in all of that are taken
for two deliveries of one: nothing in them tells otherwise, and `ai_cost_superseded` shows where their amounts differ.
https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-cur2.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from forensics.model.buckets import Bucket, covered, natural_key
from forensics.model.fields import moment, plain
from forensics.model.money import read_money
from forensics.model.usage import AI_COST, blank
from forensics.model.wrapping import Ordinals, grouping_of, loaded, ordinary, unread
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_HEAD = "lineitem"
_CORE = frozenset(
    _HEAD + name for name in ("usagestartdate", "productcode", "usagetype", "unblendedcost", "lineitemtype")
)
_WITH_COLUMN = ("usagestartdate", "usageenddate", "usagetype", "unblendedcost", "currencycode", "iamprincipal")
_DIMENSIONS = (
    *("usageaccountid", "productcode", "usagetype", "operation", "lineitemtype", "resourceid", "iamprincipal"),
    *("lineitemdescription", "availabilityzone"),
)
#: Where a line says that it is of Bedrock; the product code of a Marketplace model is a code of its own.
_TELLING = (
    *("lineitemproductcode", "lineitemusagetype", "lineitemlineitemdescription", "lineitemresourceid"),
    *("productproductname", "productservicename", "productservicecode", "product"),
)
_USAGE_TYPE = re.compile(
    r"(?:[A-Z]{2,4}\d{1,2}-)?(?P<model>.+?)-(?:mantle-)?(?P<kind>cache-read-input|cache-write-input|input|output)-token(?:s|-count)",
)
_KINDS = {"cache-read-input": "cache_read", "cache-write-input": "cache_write"}
#: Columns that a report has or has not, by the settings it was made with, as dimensions of its lines. All files of one
#: report have the same; reports with other columns are other views of the same costs.
_GROUPED = {
    "usageaccountid": "account",
    "usagetype": "line_item",
    "operation": "operation",
    "productcode": "product",
    "lineitemtype": "type",
    "lineitemdescription": "description",
    "availabilityzone": "zone",
    "resourceid": "resource",
    "iamprincipal": "user",
}
#: Columns without one of the store that tell lines apart too: a price, a store of it, a payer.
_APART = {
    "lineitemlegalentity": "entity",
    "lineitemtaxtype": "tax",
    "billbilltype": "bill",
    "billbillingentity": "seller",
    "billpayeraccountid": "payer",
    "pricingunit": "unit",
    "pricingterm": "term",
    "pricingpurchaseoption": "purchase",
    "pricingofferingclass": "offering",
    "pricingratecode": "rate",
    "productsku": "sku",
    "productregion": "region",
    "productregioncode": "region_code",
    "reservationreservationarn": "reservation",
    "savingsplansavingsplanarn": "savings_plan",
}
_TAGS = ("resourcetags", "tags")


def _labels(names: Iterable[str]) -> dict[str, str]:
    """Return the label of each dimension; of a tag a digest, because its name is the customer's and may say anything."""
    tags = {
        name: f"tag_{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
        for name in names
        if name.startswith(_TAGS)
    }
    return {**{_HEAD + name: label for name, label in _GROUPED.items()}, **_APART, **tags}


def _apart(value: Mapping[str, Any]) -> dict[str, str]:
    """Return a digest of what tells a line apart beside its own dimensions, or nothing where its report has none of it."""
    told = {n: _inside(v) for n, v in value.items() if n in _APART or n.startswith(_TAGS)}
    told = {name: member for name, member in told.items() if member not in (None, "", {}, [])}
    text = json.dumps(told, sort_keys=True, default=str)
    return {"apart": sha256(text.encode()).hexdigest()[:16]} if told else {}


def _inside(member: object) -> Any:
    """Return a map of tags as such, also where CSV has it as text: in what order it was written tells nothing."""
    found = loaded(member) if isinstance(member, str) else member
    return found if isinstance(found, Mapping | list) else plain(member)


def _is_bedrock(value: Mapping[str, Any]) -> bool:
    return any("bedrock" in (plain(value.get(name)) or "").lower() for name in _TELLING)


class AwsCostReport:
    """Lines of the report."""

    id = "aws_cost_report"
    title = "AWS cost and usage report (CSV, Parquet)"
    provider = "aws_bedrock"
    reference = "https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-cur2.html"
    reader_version = "4"
    table = "ai_cost"

    def recognise(self, probe: Probe) -> str:
        """Recognise by the columns of a line item."""
        columns = {"csv": probe.header, "parquet": probe.keys}.get(probe.form, ())
        names = {ordinary(name) for name in columns}
        return "columns of a cost and usage report" if names >= _CORE else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Rows are the records."""
        return ()

    def read(self, document: Document) -> Reading:
        """Turn lines of Bedrock into rows of `ai_cost`."""
        ordinals = Ordinals()
        headers = {tuple(r.value) for r in document.records if isinstance(r.value, Mapping)}
        names = {ordinary(name) for header in headers for name in header}
        grouped = grouping_of([dict.fromkeys(names)], _labels(names))
        reading = Reading([self._answer(record, ordinals, grouped) for record in document.records])
        made = [a.row for a in reading.answers if a.row is not None]
        hours = [Bucket(row["period_start"], row["period_end"]) for row in made]
        received = document.provenance.received_at
        reading.coverage = covered(
            self.provider, "costs", hours, grouped_by=grouped, truncated=False, received=received
        )
        if made and not any(row["user_id"] for row in made):
            reading.notes.append("costs: the report was made without IAM principals")
        return reading

    def _answer(self, record: RawRecord, ordinals: Ordinals, grouped: str) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        value = {ordinary(name): member for name, member in record.value.items()}
        if not _is_bedrock(value):
            return RowOrDefect(record, out_of_scope="lines of services other than Amazon Bedrock are not read")
        start, end = moment(value.get(_HEAD + "usagestartdate")), moment(value.get(_HEAD + "usageenddate"))
        if start is None or end is None or start >= end:
            return RowOrDefect(record, defect="no readable start and end of usage")
        amount = read_money(value.get(_HEAD + "unblendedcost"))
        if amount is None:
            return RowOrDefect(record, defect="no readable unblended cost")
        bucket = Bucket(start, end)
        usage, currency = plain(value.get(_HEAD + "usagetype")), plain(value.get(_HEAD + "currencycode"))
        parts = _USAGE_TYPE.match(usage or "")
        kind = _KINDS.get(parts["kind"], parts["kind"]) if parts else None
        row: Row = {**blank(AI_COST), "provider": self.provider, "period_start": start, "period_end": end}
        row |= {"line_item": usage, "cost_type": "tokens" if kind else None, "token_type": kind}
        row |= {"model": parts["model"] if parts else None, "project_id": plain(value.get(_HEAD + "usageaccountid"))}
        row |= {"user_id": plain(value.get(_HEAD + "iamprincipal")), "amount": amount, "grouped_by": grouped}
        row["currency"] = currency.upper() if currency else None
        row["raw"] = unread(record.value, {_HEAD + name for name in (*_WITH_COLUMN, "usageaccountid")})
        dimensions = {name: text for name in _DIMENSIONS if (text := plain(value.get(_HEAD + name)))}
        dimensions |= _apart(value)
        return RowOrDefect(record, row, ordinals.name(natural_key("costs", bucket, dimensions)))


SOURCE = AwsCostReport()
