"""CloudTrail out of Splunk: JSON lines, the REST interface's list of results, and CSV; whole in `_raw` or as fields.

https://help.splunk.com/en/splunk-enterprise/search/search-manual/export-search-results
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.sources.protocol import Document, Probe, RawRecord, Reading, RowOrDefect
from forensics.sources.trail_mapping import mapped, nested
from forensics.sources.trail_record import NAMES, answer, is_event, is_event_text, loaded

#: What Splunk itself adds to every event.
_OWN = frozenset(
    (
        "host index source sourcetype linecount punct splunk_server splunk_server_group timestartpos timeendpos eventtype"
        " tag timestamp"
    ).split()
)
_LISTS = "{}"


def _wrapped(probe: Probe) -> Any:
    sample = probe.sample
    if probe.container:
        return sample if probe.container in ("result", "results") else None
    return sample.get("result") if isinstance(sample, Mapping) else None


def _flattened(names: Any) -> bool:
    """Whether names are those of a CloudTrail event as fields of Splunk."""
    known = {str(name) for name in names}
    signs = known & {"_time", "_raw", "sourcetype", "splunk_server"}
    dotted = any(n.startswith(("userIdentity.", "requestParameters.", "responseElements.")) for n in known)
    return {"eventSource", "eventName"} <= known and (bool(signs) or dotted)


class SplunkTrail:
    """CloudTrail records as Splunk exports them."""

    id = "aws_cloudtrail_splunk"
    title = "AWS CloudTrail out of Splunk"
    provider = "aws"
    reference = "https://help.splunk.com/en/splunk-enterprise/search/search-manual/export-search-results"
    reader_version = "1"
    table = "aws_event"

    def recognise(self, probe: Probe) -> str:
        """Recognise by a `_raw` that is a CloudTrail record, or by its fields among those of Splunk."""
        if probe.form == "csv":
            head = probe.text_head
            named = "aws:cloudtrail" in head or ("eventSource" in head and "eventName" in head)
            if "_raw" in probe.header and named:
                return "CSV whose _raw is a CloudTrail record"
            return "CSV of CloudTrail fields out of Splunk" if _flattened(probe.header) else ""
        fields = _wrapped(probe) if probe.form in ("json", "ndjson") else None
        if not isinstance(fields, Mapping):
            return ""
        if is_event_text(fields.get("_raw")):
            return "results whose _raw is a CloudTrail record"
        return "results of CloudTrail fields" if is_event(fields) and _flattened(fields) else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """The text of `_raw` in each result; a result without it as it stands."""
        return (probe.container or "result", "_raw")

    def read(self, document: Document) -> Reading:
        """Judge each record."""
        return Reading([_judge(record) for record in document.records])


def _judge(record: RawRecord) -> RowOrDefect:
    value = record.value
    if record.pointer or not isinstance(value, Mapping):
        return answer(record)
    raw = value.get("_raw")
    if isinstance(raw, str) and raw.strip():
        inner = loaded(raw)
        return (
            answer(record, inner, raw=raw.strip())
            if inner is not None
            else RowOrDefect(record, defect="_raw is not JSON")
        )
    return _from_fields(record, value)


def _from_fields(record: RawRecord, fields: Mapping[str, Any]) -> RowOrDefect:
    """Put an event together from fields: all are text, `null` is none, a list may stand in the lines of one cell."""
    kept, unread = {}, []
    for name, value in fields.items():
        if name.partition(".")[0].removesuffix(_LISTS) in NAMES:
            split = value.split("\n") if _LISTS in name and isinstance(value, str) else value
            kept[name] = None if split == "null" else split
        elif value not in ("", None, []) and not name.startswith(("_", "date_", "tag::")) and name not in _OWN:
            unread.append(name)
    event = nested(kept)
    if "eventTime" not in event and fields.get("_time"):
        event["eventTime"] = fields["_time"]
    return mapped(record, event, unread)


SOURCE = SplunkTrail()
