"""CloudTrail through EventBridge: the record is the `detail` of an event whose `detail-type` ends in "via CloudTrail".

https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-cloudtrail.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.sources.protocol import Document, Probe, RawRecord, Reading, RowOrDefect
from forensics.sources.trail_record import answer, is_event

_SUFFIX = "via CloudTrail"
_ENVELOPE = frozenset({"version", "id", "detail-type", "source", "account", "time", "region", "detail"})


def _kind(envelope: Mapping[str, Any]) -> str:
    kind = envelope.get("detail-type")
    return kind if isinstance(kind, str) else ""


class EventBridgeTrail:
    """CloudTrail records in EventBridge envelopes."""

    id = "aws_cloudtrail_eventbridge"
    title = "AWS CloudTrail through EventBridge"
    provider = "aws"
    reference = "https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-cloudtrail.html"
    reader_version = "2"
    table = "aws_event"

    def recognise(self, probe: Probe) -> str:
        """Recognise by the envelope, whatever the first event is: a bus carries those of many services."""
        sample = probe.sample
        if probe.form not in {"json", "ndjson"} or not isinstance(sample, Mapping) or not _kind(sample):
            return ""
        known = _kind(sample).endswith(_SUFFIX) or is_event(sample.get("detail")) or sample.keys() >= _ENVELOPE
        return f"events of type {_kind(sample)}" if known and isinstance(sample.get("detail"), Mapping) else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """The detail of each envelope."""
        return (probe.container, "detail") if probe.container else ("detail",)

    def read(self, document: Document) -> Reading:
        """Judge each record; details of other events are out of scope."""
        return Reading([_judge(record) for record in document.records])


def _judge(record: RawRecord) -> RowOrDefect:
    kind = _kind(record.contexts[-1]) if record.contexts else ""
    if kind and not kind.endswith(_SUFFIX) and not is_event(record.value):
        return RowOrDefect(record, out_of_scope=f"event of type {kind}: not of CloudTrail")
    return answer(record)


SOURCE = EventBridgeTrail()
