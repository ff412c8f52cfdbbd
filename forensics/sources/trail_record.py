"""What every carrier of CloudTrail records shares: what a record is, and the answer to one. No format of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from forensics.sources.protocol import RawRecord, Row, RowOrDefect

REFERENCE = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html"
NAMES = frozenset(
    (
        "eventVersion userIdentity eventTime @timestamp @version eventSource eventName awsRegion sourceIPAddress userAgent"
        " errorCode errorMessage requestParameters responseElements additionalEventData requestID eventID eventType apiVersion"
        " managementEvent readOnly resources recipientAccountId serviceEventDetails sharedEventID vpcEndpointId"
        " vpcEndpointAccountId eventCategory addendum sessionCredentialFromConsole edgeDeviceDetails tlsDetails eventContext"
    ).split()
)


def is_event(value: Any) -> bool:
    """Return whether a value is a CloudTrail record (no Insight, no notification of S3)."""
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("eventSource"), str)
        and isinstance(value.get("eventName"), str)
        and value["eventSource"] != "aws:s3"
    )


def loaded(text: Any) -> Any:
    """Return the JSON value of a text, or None. Numbers with a fraction stay text."""
    if not isinstance(text, str) or not text.lstrip().startswith(("{", "[", '"')):
        return None
    try:
        return json.loads(text, parse_float=str)
    except (ValueError, RecursionError):
        return None


def is_event_text(text: Any) -> bool:
    """Return whether a text is the JSON of a CloudTrail record."""
    return is_event(loaded(text))


def outside(value: Mapping[str, Any]) -> str:
    """Return why a record of CloudTrail is no event, or "" when it is one."""
    category, kind = value.get("eventCategory"), value.get("eventType")
    if category == "Insight" or kind == "AwsCloudTrailInsight":
        return "CloudTrail Insights record: registered, not analysed"
    if category == "Aggregated" or kind == "AwsAggregatedEvent":
        return "aggregated CloudTrail record: counts, not events"
    return ""


def answer(record: RawRecord, value: Any = None, fidelity: str = "full", raw: str = "") -> RowOrDefect:
    """Answer a record. `value` is the event inside when the record's text is not the event itself.

    `raw` is its text where that is known; else it is written anew from `value`.
    """
    event = record.value if value is None else value
    if not isinstance(event, Mapping):
        return RowOrDefect(record, defect="not a JSON object")
    reason = outside(event)
    if reason:
        return RowOrDefect(record, out_of_scope=reason)
    if not is_event(event):
        return RowOrDefect(record, defect="no CloudTrail record: eventSource or eventName is missing")
    unknown = sorted(str(name) for name in event if name not in NAMES)
    row: Row = {"unmapped": json.dumps(unknown, ensure_ascii=False) if unknown else None, "fidelity": fidelity}
    if value is not None:
        row["raw"] = raw or json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    native = event.get("eventID")
    return RowOrDefect(record, row=row, native_id=native if isinstance(native, str) else "")
