"""CloudTrail events in messages of SNS and SQS: the JSON of an EventBridge event or of a record stands in a text.

A message may hold several events, as a list or as `Records`: each is a record of its own, with its place in the message.
A notification that a log file was delivered names the file, which is the evidence; it is no event.
https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.sources.protocol import Document, Probe, RawRecord, Reading, RowOrDefect
from forensics.sources.trail_record import answer, is_event, loaded

_TEXTS = ("Message", "Body", "body")
_DEEPEST = 4


def _inner(value: object) -> tuple[Any, str]:
    """Return what a message holds and the pointer to it, through a message within a message; (None, "") for no message."""
    pointer = ""
    for _ in range(_DEEPEST):
        if not isinstance(value, Mapping):
            break
        sns = value.get("Sns")
        name = next((n for n in _TEXTS if isinstance((sns if isinstance(sns, Mapping) else value).get(n), str)), None)
        if name is None:
            break
        if isinstance(sns, Mapping):
            value, pointer = sns, f"{pointer}/Sns"
        value, pointer = loaded(value[name]), f"{pointer}/{name}"
    return (value, pointer) if pointer else (None, "")


def _several(value: object) -> tuple[list[Any], str]:
    """Return the list of events in what a message holds, and its name there; ([], "") where it is no such list."""
    listed = value.get("Records") if isinstance(value, Mapping) else value
    if isinstance(listed, list) and any(is_event(_event(each)) for each in listed):
        return listed, "/Records" if isinstance(value, Mapping) else ""
    return [], ""


def _event(value: object) -> Any:
    detail = value.get("detail") if isinstance(value, Mapping) else None
    return detail if is_event(detail) else value


def _is_notification(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    listed = value.get("Records")
    first = listed[0] if isinstance(listed, list) and listed else None
    of_s3 = isinstance(first, Mapping) and first.get("eventSource") == "aws:s3"
    return of_s3 or "s3ObjectKey" in value or value.get("Event") == "s3:TestEvent"


class QueueTrail:
    """Messages with one event or several each."""

    id = "aws_cloudtrail_queue"
    title = "AWS CloudTrail through SNS or SQS"
    provider = "aws"
    reference = "https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html"
    reader_version = "3"
    table = "aws_event"

    def recognise(self, probe: Probe) -> str:
        """Recognise by a message whose text holds an event or a notification of a delivery."""
        if probe.form not in {"json", "ndjson"}:
            return ""
        held = _inner(probe.sample)[0]
        if is_event(_event(held)) or _several(held)[0]:
            return "messages with events of CloudTrail"
        told = _is_notification(held) or (
            probe.container == "Records" and _is_notification({"Records": [probe.sample]})
        )
        return "messages that name delivered files" if told else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the list of messages, else the value itself."""
        return (probe.container,) if probe.container else ()

    def inside(self, value: object) -> str:
        """Return the pointer to the list of events in a message that holds several, else ""."""
        held, pointer = _inner(value)
        listed, name = _several(held)
        return pointer + name if listed else ""

    def read(self, document: Document) -> Reading:
        """Take the event out of each message."""
        return Reading([_judge(record) for record in document.records])


def _judge(record: RawRecord) -> RowOrDefect:
    if record.pointer:
        event = _event(record.value)
        return answer(record) if event is record.value else answer(record, event)
    held = _inner(record.value)[0]
    event = _event(held)
    if is_event(event):
        return answer(record, event)
    if _is_notification(held) or _is_notification({"Records": [record.value]}):
        return RowOrDefect(record, out_of_scope="a notification that a file was delivered: the file is the evidence")
    return RowOrDefect(record, out_of_scope="a message without an event of CloudTrail")


SOURCE = QueueTrail()
