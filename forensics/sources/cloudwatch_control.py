"""Control messages of a CloudWatch Logs subscription, which only tell that its destination can be reached: no events.

Delivery writes them beside the data, and into files of their own. Where data follows, the file is of the data's format.
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/logs/SubscriptionFilters.html
"""

from __future__ import annotations

from forensics.model.fields import inside
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, RowOrDefect

_CONTROL = "CONTROL_MESSAGE"
_TEXT = "CWL CONTROL MESSAGE"


def _is_control(event: object) -> bool:
    message = inside(event, "message")
    return isinstance(message, str) and message.startswith(_TEXT)


class CloudWatchControl:
    """Log events of control messages, each out of scope."""

    id = "cloudwatch_control"
    title = "Control messages of a CloudWatch Logs subscription"
    provider = "aws"
    reference = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/logs/SubscriptionFilters.html"
    reader_version = "1"
    table = ""

    def recognise(self, probe: Probe) -> str:
        """Recognise by a control message that no data stands behind."""
        claimed = probe.container == "logEvents" and "messageType" in probe.keys and _is_control(probe.sample)
        return "control messages alone" if claimed else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the log events of each message."""
        return ("logEvents",)

    def read(self, document: Document) -> Reading:
        """Answer that control messages are no events; what is none is a defect."""
        return Reading([_answer(record) for record in document.records])


def _answer(record: RawRecord) -> RowOrDefect:
    if any(inside(context, "messageType") == _CONTROL for context in record.contexts) and _is_control(record.value):
        return RowOrDefect(record, out_of_scope="control messages of a CloudWatch Logs subscription: no events")
    return RowOrDefect(record, defect="a log event among control messages, whose format nothing tells")


SOURCE = CloudWatchControl()
