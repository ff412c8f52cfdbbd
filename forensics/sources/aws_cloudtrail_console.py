"""The download of CloudTrail's Event history as CSV: a summary of each event, without identity, request and response.

The names of its columns are not documented; they are taken by letters alone, under the names that the console shows.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events-console.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.model.wrapping import ordinary
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, RowOrDefect
from forensics.sources.trail_mapping import mapped, put

_COLUMNS = {
    "eventid": ("eventID",),
    "eventname": ("eventName",),
    "eventtime": ("eventTime",),
    "eventsource": ("eventSource",),
    "username": ("userIdentity", "userName"),
    "awsaccesskey": ("userIdentity", "accessKeyId"),
    "accesskeyid": ("userIdentity", "accessKeyId"),
    "accesskey": ("userIdentity", "accessKeyId"),
    "awsregion": ("awsRegion",),
    "region": ("awsRegion",),
    "errorcode": ("errorCode",),
    "readonly": ("readOnly",),
    "requestid": ("requestID",),
    "sourceipaddress": ("sourceIPAddress",),
    "sourceip": ("sourceIPAddress",),
    "eventtype": ("eventType",),
    "eventcategory": ("eventCategory",),
    "recipientaccountid": ("recipientAccountId",),
    "recipientaccount": ("recipientAccountId",),
    "useragent": ("userAgent",),
}
_SHOWN = frozenset({"eventname", "eventtime", "eventsource"})
#: Columns that only this download has: the others are those of query results too.
_OWN = ("awsaccesskey", "resourcetype", "resourcename", "resources")


class ConsoleHistory:
    """Rows of the download."""

    id = "aws_cloudtrail_console"
    title = "AWS CloudTrail Event history (console CSV)"
    provider = "aws"
    reference = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events-console.html"
    reader_version = "1"
    table = "aws_event"

    def recognise(self, probe: Probe) -> str:
        """Recognise by name, time and source of events beside columns of the console, without request or identity."""
        names = {ordinary(name) for name in probe.header} if probe.form == "csv" else set()
        own = "username" in names and any(name in names for name in _OWN)
        return "CSV of the Event history" if names >= _SHOWN and own and "useridentity" not in names else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Rows of a CSV file have no path."""
        return ()

    def read(self, document: Document) -> Reading:
        """Put what is told of each event together."""
        reading = Reading([_judge(record) for record in document.records])
        if any(each.row is not None for each in reading.answers):
            reading.notes = ["a summary: identity, request and response of the events are not in this download"]
        return reading


def _judge(record: RawRecord) -> RowOrDefect:
    if not isinstance(record.value, Mapping):
        return RowOrDefect(record, defect="not a row")
    event: dict[str, Any] = {}
    unread = []
    for name, value in record.value.items():
        text = value.strip() if isinstance(value, str) else ""
        path = _COLUMNS.get(ordinary(name))
        if path is not None:
            put(event, path, "" if text in ("-", "null") else text)
        elif text:
            unread.append(str(name))
    return mapped(record, event, unread, "summary")


SOURCE = ConsoleHistory()
