"""CloudTrail events: S3 delivery, bare arrays and objects, NDJSON, and `lookup-events`.

Record: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
LookupEvents: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from forensics.sources.cloudtrail_digest import DIGEST_NAMES
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, RowOrDefect
from forensics.sources.trail_record import outside

_NAMES = frozenset(
    (
        "eventVersion userIdentity eventTime eventSource eventName awsRegion sourceIPAddress userAgent errorCode errorMessage"
        " requestParameters responseElements additionalEventData requestID eventID eventType apiVersion managementEvent"
        " readOnly resources recipientAccountId serviceEventDetails sharedEventID vpcEndpointId vpcEndpointAccountId"
        " eventCategory addendum sessionCredentialFromConsole edgeDeviceDetails tlsDetails eventContext"
    ).split()
)
_CORE = frozenset({"eventSource", "eventName"})


def _is_event(value: Any) -> bool:
    return isinstance(value, Mapping) and value.keys() >= _CORE and value.get("eventSource") != "aws:s3"


def _is_lookup(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("CloudTrailEvent"), str)


#: Names, in their order, that records of known names only were met with: most have one of few.
_SHAPES: set[tuple[str, ...]] = set()
_MOST_SHAPES = 1_000


def _is_shape(value: dict[str, Any]) -> bool:
    shape = tuple(value)
    if shape in _SHAPES:
        return True
    if not _NAMES.issuperset(shape) or not _CORE.issubset(shape):
        return False
    if len(_SHAPES) < _MOST_SHAPES:
        _SHAPES.add(shape)
    return True


def is_plain_event(value: Any) -> bool:
    """Return whether a parsed record is an event of known names only: a row without remarks."""
    return (
        type(value) is dict
        and _is_shape(value)
        and value["eventSource"] != "aws:s3"
        and value.get("eventCategory") not in ("Insight", "Aggregated")
        and value.get("eventType") not in ("AwsCloudTrailInsight", "AwsAggregatedEvent")
    )


class CloudTrail:
    """Records of CloudTrail, whatever carried them."""

    id = "aws_cloudtrail"
    title = "AWS CloudTrail events"
    provider = "aws"
    reference = (
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html"
    )
    reader_version = "1"
    table = "aws_event"

    def recognise(self, probe: Probe) -> str:
        """Recognise by what the first record holds, never by the file's name."""
        if probe.form not in {"json", "ndjson"}:
            return ""
        if probe.container == "Records" and _is_event(probe.sample):
            return "Records with eventSource and eventName"
        if probe.container == "Records" and probe.sample is None and probe.keys == {"Records"}:
            return "an empty list of Records"
        if _is_lookup(probe.sample):
            return "lookup-events with CloudTrailEvent"
        if probe.container == "Events" and probe.sample is None and probe.keys <= {"Events", "NextToken"}:
            return "an empty lookup-events page"
        stamped = _is_event(probe.sample) and "@timestamp" in probe.sample and "eventTime" not in probe.sample
        if not probe.container and _is_event(probe.sample) and not stamped:
            return "a bare record with eventSource and eventName"
        return ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Records, Events with the text inside, or the values themselves."""
        if probe.container == "Records":
            return ("Records",)
        if probe.container == "Events":
            return ("Events", "CloudTrailEvent")
        return ("CloudTrailEvent",) if _is_lookup(probe.sample) else ()

    def read(self, document: Document) -> Reading:
        """Judge each record; its columns are made by the one projection in SQL from the record's text."""
        return Reading([_judge(record) for record in document.records])


def _judge(record: RawRecord) -> RowOrDefect:
    value = record.value
    if not isinstance(value, Mapping):
        return RowOrDefect(record, defect="not a JSON object")
    if why := outside(value):
        return RowOrDefect(record, out_of_scope=why)
    if value.keys() >= DIGEST_NAMES:
        return RowOrDefect(record, out_of_scope="a digest among events: it can be checked only as a file of its own")
    if not _is_event(value):
        return RowOrDefect(record, defect="no CloudTrail record: eventSource or eventName is missing")
    native = value.get("eventID")
    unknown = sorted(name for name in value if name not in _NAMES)
    row = {"unmapped": json.dumps(unknown, ensure_ascii=False) if unknown else None}
    return RowOrDefect(record, row=row, native_id=native if isinstance(native, str) else "")


SOURCE = CloudTrail()
