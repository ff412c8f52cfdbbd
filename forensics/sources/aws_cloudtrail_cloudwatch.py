"""CloudTrail through CloudWatch Logs: API dumps, subscriptions, Insights query results (JSON, CSV), exports to S3.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/logs/SubscriptionFilters.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from forensics.sources.protocol import Document, Probe, RawRecord, Reading, RowOrDefect
from forensics.sources.trail_record import answer, is_event, is_event_text, loaded

#: Columns of messages: in the console's download of a stream, and in that of an Insights query.
_COLUMNS = frozenset({"message", "@message"})


def _message(value: Any) -> Any:
    return value.get("message") if isinstance(value, Mapping) else None


def _column(names: Iterable[object]) -> str | None:
    """Return the column of a download that holds the messages, as it is written."""
    return next((str(name) for name in names if str(name).strip().lower() in _COLUMNS), None)


def _is_field(value: Any) -> bool:
    return isinstance(value, Mapping) and "field" in value and "value" in value


class CloudWatchTrail:
    """CloudTrail records as messages of log events."""

    id = "aws_cloudtrail_cloudwatch"
    title = "AWS CloudTrail through CloudWatch Logs"
    provider = "aws"
    reference = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/logs/SubscriptionFilters.html"
    reader_version = "2"
    table = "aws_event"

    def recognise(self, probe: Probe) -> str:
        """Recognise by a message that is a CloudTrail record."""
        if probe.form == "lines":
            return "lines of a time and a CloudTrail record" if is_event(probe.sample) else ""
        if probe.form == "csv":
            told = '""eventSource""' in probe.text_head and '""eventName""' in probe.text_head
            return "a message column of CloudTrail records" if told and _column(probe.header) else ""
        if probe.form not in {"json", "ndjson"}:
            return ""
        if probe.container in {"logEvents", "events"}:
            if is_event_text(_message(probe.sample)):
                return f"{probe.container} whose messages are CloudTrail records"
            head = probe.text_head
            if "CONTROL_MESSAGE" in head and '\\"eventSource\\"' in head and '\\"eventName\\"' in head:
                return "a subscription of CloudTrail records behind a control message"
        if probe.container == "results" and isinstance(probe.sample, list):
            fields = [f for f in probe.sample if _is_field(f)]
            if any(f["field"] == "@message" and is_event_text(f["value"]) for f in fields):
                return "query results whose @message is a CloudTrail record"
        return ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """The text of each message; of query results each field."""
        if probe.container == "results":
            return ("results",)
        return (probe.container, "message") if probe.container else ()

    def read(self, document: Document) -> Reading:
        """Judge each record; a field beside @message is no event."""
        return Reading([_judge(record) for record in document.records])


def _judge(record: RawRecord) -> RowOrDefect:
    value = record.value
    column = _column(value) if isinstance(value, Mapping) and not record.pointer else None
    if column is not None:
        inner = loaded(value[column])
        if inner is None:
            return RowOrDefect(record, defect="the message is not JSON")
        return answer(record, inner, raw=value[column].strip())
    if not _is_field(value):
        return answer(record)
    if value["field"] != "@message":
        return RowOrDefect(record, out_of_scope="fields beside @message in query results")
    inner = loaded(value["value"])
    if inner is None:
        return RowOrDefect(record, defect="@message is not JSON")
    return answer(record, inner, raw=value["value"])


SOURCE = CloudWatchTrail()
