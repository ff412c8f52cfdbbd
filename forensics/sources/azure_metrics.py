"""Metrics of Azure OpenAI resources: one measure a record, by minute. They name deployments, never keys.

Comes as lines of a storage blob, as `{"records": []}`, as a table of Log Analytics, and as the answer of the REST
interface. A measure's `total` is its figure; `count` is how many samples were taken and is no figure of usage.
https://learn.microsoft.com/azure/ai-services/openai/monitor-openai-reference
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from forensics.model.buckets import Bucket, natural_key
from forensics.model.fields import compact, count, inside, moment, plain
from forensics.model.usage import AI_USAGE, blank
from forensics.model.wrapping import Ordinals, american_time, lowered
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

#: Measures that are read, by the column that takes them. The sum of tokens would count both kinds again.
_MEASURES = {
    "azureopenairequests": "requests",
    "processedprompttokens": "input_tokens_total",
    "generatedtokens": "output_tokens",
    "tokentransaction": "other_quantity",
}
_RESOURCE = re.compile(
    r"/subscriptions/([^/]+)/.*/providers/microsoft\.cognitiveservices/accounts/([^/]+)", re.IGNORECASE | re.DOTALL
)
_GRAIN = re.compile(r"P(?:([0-9]{1,3})D)?(?:T(?:([0-9]{1,4})H)?(?:([0-9]{1,5})M)?)?", re.IGNORECASE)
_ALIASES = {"timegenerated": "time", "timegenerated [utc]": "time", "_resourceid": "resourceid", "timestamp": "time"}
_TABLE = frozenset({"metricname", "total", "timegrain"})
_LIST = "value"


def _members(record: Mapping[str, Any]) -> dict[str, Any]:
    return {_ALIASES.get(name, name): value for name, value in lowered(record).items()}


def _is_record(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    fields = _members(value)
    return {*_TABLE, "resourceid", "time"} <= fields.keys() and bool(
        _RESOURCE.search(plain(fields["resourceid"]) or "")
    )


def _is_answer(value: object) -> bool:
    """Whether a value is one metric of the REST answer."""
    place = plain(inside(value, "id")) or ""
    return isinstance(inside(value, "timeseries"), list) and bool(_RESOURCE.search(place))


class AzureMetrics:
    """Records of the four measures of use; others are out of scope by name."""

    id = "azure_metrics"
    title = "Azure OpenAI metrics"
    provider = "azure_openai"
    reference = "https://learn.microsoft.com/azure/ai-services/openai/monitor-openai-reference"
    reader_version = "1"
    table = "ai_usage"

    def recognise(self, probe: Probe) -> str:
        """Recognise by metricName, total and timeGrain of a resource of Cognitive Services."""
        if probe.form == "csv":
            names = {_ALIASES.get(n.strip().lower(), n.strip().lower()) for n in probe.header}
            return "a table with MetricName, Total and TimeGrain" if names >= {*_TABLE, "resourceid", "time"} else ""
        if probe.form not in {"json", "ndjson"}:
            return ""
        values = inside(probe.sample, _LIST)
        first = values[0] if isinstance(values, list) and values else probe.sample
        if _is_answer(first):
            return "an answer with metrics and time series"
        return "metrics of a resource of Cognitive Services" if _is_record(probe.sample) else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the points of the series, the list of records, else the value itself."""
        values = inside(probe.sample, _LIST)
        if _is_answer(probe.sample) or (isinstance(values, list) and values and _is_answer(values[0])):
            return (_LIST, "timeseries", "data") if _LIST in probe.keys else ("timeseries", "data")
        return (probe.container,) if probe.container else ()

    def read(self, document: Document) -> Reading:
        """Turn records into rows of `ai_usage`; one measure each."""
        ordinals = Ordinals()
        grain = next((plain(e.get("interval")) for e in document.envelopes if e.get("interval")), None)
        reading = Reading([_answer(record, ordinals, grain) for record in document.records])
        if any(a.row is not None for a in reading.answers):
            reading.notes.append("metrics name deployments and no keys: they show a rise, not which key made it")
        return reading


def _width(text: str | None) -> timedelta | None:
    match = _GRAIN.fullmatch(text.strip()) if text else None
    if match is None or not any(match.groups()):
        return None
    days, hours, minutes = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes) or None


def _answer(record: RawRecord, ordinals: Ordinals, grain: str | None) -> RowOrDefect:
    value = record.value
    if not isinstance(value, Mapping):
        return RowOrDefect(record, defect="the record is not an object")
    fields = _members(value)
    around = next((c for c in record.contexts if "timeseries" in c or ("name" in c and "id" in c)), {})
    is_point = "metricname" not in fields and bool(around)
    name = plain(inside(around, "name", "value")) if is_point else plain(fields.get("metricname"))
    if not name:
        return RowOrDefect(record, defect="no metricName")
    place = _RESOURCE.search(plain(around.get("id") if is_point else fields.get("resourceid")) or "")
    if place is None:
        return RowOrDefect(record, out_of_scope="metrics of other resources are not read")
    column = _MEASURES.get(name.lower())
    if column is None:
        return RowOrDefect(record, out_of_scope=f"metric {name} is not read")
    if is_point and fields.get("total") is None:
        return RowOrDefect(record, out_of_scope="points without a total")
    total = count(fields.get("total"))
    if total is None:
        return RowOrDefect(record, defect="total is not a whole number")
    start = moment(fields.get("time")) or american_time(fields.get("time"))
    if start is None:
        return RowOrDefect(record, defect="no readable time")
    width = _width(plain(fields.get("timegrain")) or grain)
    if width is None or start > datetime.max - width:  # noqa: DTZ901 - naive UTC
        return RowOrDefect(record, defect="no readable timeGrain")
    return _row(record, name, column, total, Bucket(start, start + width), place, ordinals)


def _row(
    record: RawRecord, name: str, column: str, total: int, bucket: Bucket, place: re.Match[str], ordinals: Ordinals
) -> RowOrDefect:
    fields = _members(record.value)
    told = fields.get("dimensions")
    dimensions = {str(n).lower(): t for n, v in told.items() if (t := plain(v))} if isinstance(told, Mapping) else {}
    series = next((c.get("metadatavalues") for c in record.contexts if "metadatavalues" in c), None)
    for each in series if isinstance(series, list) else []:
        label = plain(inside(each, "name", "value")) or "dimension"
        dimensions[label.lower()] = plain(inside(each, "value")) or ""
    subscription, account = place[1].lower(), place[2].lower()
    row: Row = {
        **blank(AI_USAGE), "provider": "azure_openai", "bucket_start": bucket.start, "bucket_end": bucket.end,
        "granularity_s": bucket.seconds, "endpoint": "metrics", "project_id": subscription, "workspace_id": account,
        "model": dimensions.get("modelname"), column: total,
        "other_unit": f"tokens ({name})" if column == "other_quantity" else None,
        "grouped_by": ",".join(sorted({"resourceid", *dimensions})),
        "raw": compact(record.value),
    }  # fmt: skip
    named = {"metric": name.lower(), "subscription": subscription, "account": account, **dimensions}
    return RowOrDefect(record, row, ordinals.name(natural_key("metrics", bucket, named)))


SOURCE = AzureMetrics()
