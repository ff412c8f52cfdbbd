"""CloudTrail records as a JSON list of texts: `lookup-events --query 'Events[].CloudTrailEvent'`.

The other forms of lookup-events are read by `aws_cloudtrail`.
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

from __future__ import annotations

from forensics.sources.protocol import Document, Probe, RawRecord, Reading, RowOrDefect
from forensics.sources.trail_record import answer, is_event_text, loaded


class LookupTexts:
    """Records that are JSON texts of CloudTrail events."""

    id = "aws_cloudtrail_lookup"
    title = "AWS CloudTrail lookup-events, list of texts"
    provider = "aws"
    reference = "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html"
    reader_version = "1"
    table = "aws_event"

    def recognise(self, probe: Probe) -> str:
        """Recognise by a first element that is the text of a record."""
        return "a list of CloudTrail records as texts" if probe.form == "json" and is_event_text(probe.sample) else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Each text of the list."""
        return ()

    def read(self, document: Document) -> Reading:
        """Judge the record inside each text."""
        return Reading([_judge(record) for record in document.records])


def _judge(record: RawRecord) -> RowOrDefect:
    inner = loaded(record.value)
    return answer(record, inner, raw=record.value) if inner is not None else RowOrDefect(record, defect="not JSON text")


SOURCE = LookupTexts()
