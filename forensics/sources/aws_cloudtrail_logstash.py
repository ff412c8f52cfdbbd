"""CloudTrail through Logstash's codec: records stand flat, eventTime became `@timestamp` beside `@version`.

https://www.elastic.co/guide/en/logstash/current/plugins-codecs-cloudtrail.html
"""

from __future__ import annotations

from typing import Any

from forensics.sources.protocol import Document, Probe, RawRecord, Reading, RowOrDefect
from forensics.sources.trail_record import answer, is_event


def _is_logstash(value: Any) -> bool:
    return is_event(value) and "@timestamp" in value and "eventTime" not in value


class LogstashTrail:
    """Flat CloudTrail records whose time is `@timestamp`."""

    id = "aws_cloudtrail_logstash"
    title = "AWS CloudTrail through Logstash"
    provider = "aws"
    reference = "https://www.elastic.co/guide/en/logstash/current/plugins-codecs-cloudtrail.html"
    reader_version = "1"
    table = "aws_event"

    def recognise(self, probe: Probe) -> str:
        """Recognise by a record that has @timestamp in place of eventTime."""
        if probe.form not in ("json", "ndjson") or probe.container or not _is_logstash(probe.sample):
            return ""
        return "records with eventSource, eventName and @timestamp in place of eventTime"

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """The values themselves."""
        return ()

    def read(self, document: Document) -> Reading:
        """Judge each record; its time is read from @timestamp."""
        return Reading([_judge(record) for record in document.records])


def _judge(record: RawRecord) -> RowOrDefect:
    return answer(record, fidelity="mapped" if _is_logstash(record.value) else "full")


SOURCE = LogstashTrail()
