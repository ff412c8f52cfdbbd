"""CloudTrail events in a table of alerts whose cells hold dictionaries as Python prints them.

Public data sets of bucket traps come so: https://github.com/OTRF/Security-Datasets
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from forensics.model.wrapping import lowered, ordinary
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, RowOrDefect
from forensics.sources.trail_mapping import mapped, put

_LONGEST = 64 * 1024
_DEEPEST = 30
_HEADER = frozenset({"eventname", "eventid", "eventdatetime", "userid", "requestparameters"})
_COLUMNS = {
    "eventtype": "eventType",
    "eventname": "eventName",
    "requestid": "requestID",
    "eventid": "eventID",
    "eventdatetime": "eventTime",
    "eventsource": "eventSource",
    "awsregion": "awsRegion",
    "sourceip": "sourceIPAddress",
    "requestuseragent": "userAgent",
    "errorcode": "errorCode",
}


def literal(text: str) -> Any:
    """Return the dictionary or list of a text as Python prints it; None for anything else, too long or too deep."""
    text = text.strip()
    if not text.startswith(("{", "[")) or len(text) > _LONGEST:
        return None
    try:
        found = _plain(ast.literal_eval(text), 0)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None
    return found if isinstance(found, dict | list) else None


def _plain(value: object, depth: int) -> Any:
    """Return what JSON can hold; numbers with a fraction, sets and bytes become text."""
    if depth > _DEEPEST:
        raise ValueError("nested too deep")
    if isinstance(value, dict):
        return {str(name): _plain(member, depth + 1) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member, depth + 1) for member in value]
    return value if value is None or isinstance(value, bool | int | str) else str(value)


class AlertTable:
    """Events of CloudTrail in an alert table."""

    id = "aws_cloudtrail_alerts"
    title = "AWS CloudTrail events in a table of bucket alerts (CSV)"
    provider = "aws"
    reference = "https://github.com/OTRF/Security-Datasets"
    reader_version = "1"
    table = "aws_event"

    def recognise(self, probe: Probe) -> str:
        """Recognise by the columns of an event beside the one of its date and time."""
        names = {ordinary(name) for name in probe.header}
        return "CSV of alerts with an event and its request" if probe.form == "csv" and names >= _HEADER else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Rows of a CSV file have no path."""
        return ()

    def read(self, document: Document) -> Reading:
        """Put the event of each row together."""
        return Reading([_judge(record) for record in document.records])


def _judge(record: RawRecord) -> RowOrDefect:
    if not isinstance(record.value, Mapping):
        return RowOrDefect(record, defect="not a row")
    cells = {ordinary(name): value for name, value in lowered(record.value).items() if isinstance(value, str)}
    event: dict[str, Any] = {}
    for name, ours in _COLUMNS.items():
        put(event, [ours], cells.get(name, "").strip())
    for name, ours in (("userid", "userIdentity"), ("requestparameters", "requestParameters")):
        text = cells.get(name, "").strip()
        put(event, [ours], None if text in ("", "None") else literal(text) or text)
    request = event.get("requestParameters")
    if "eventSource" not in event and isinstance(request, Mapping) and "bucketName" in request:
        event["eventSource"] = "s3.amazonaws.com"  # only its requests name a bucket
    unread = [n for n, v in record.value.items() if v and ordinary(n) not in {*_COLUMNS, "userid", "requestparameters"}]
    return mapped(record, event, unread)


SOURCE = AlertTable()
