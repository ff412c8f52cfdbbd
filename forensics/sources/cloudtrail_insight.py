"""Insight records of CloudTrail, unusual rates of calls as AWS found them, and aggregated counts of calls. Neither are events.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-insights-fields-trails.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aggregated-events.html
"""

from __future__ import annotations

from forensics.model.fields import inside
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, RowOrDefect


def _is_aggregated(value: object) -> bool:
    return inside(value, "eventCategory") == "Aggregated" or inside(value, "eventType") == "AwsAggregatedEvent"


class CloudTrailInsight:
    """Insight records and aggregated counts, registered only."""

    id = "cloudtrail_insight"
    title = "CloudTrail Insights and aggregated events"
    provider = "aws"
    reference = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-insights-fields-trails.html"
    reader_version = "2"
    table = ""

    def recognise(self, probe: Probe) -> str:
        """Recognise by the category or type of the first record."""
        sample = probe.sample
        if _is_aggregated(sample) and inside(sample, "eventName") is None:
            return "records of category Aggregated"
        claimed = inside(sample, "eventCategory") == "Insight" or inside(sample, "eventType") == "AwsCloudTrailInsight"
        return "records of category Insight" if claimed and inside(sample, "eventSource") is None else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the list of records, else the value itself: each is counted."""
        return (probe.container,) if probe.container else ()

    def read(self, document: Document) -> Reading:
        """Answer that each record is registered as evidence."""
        return Reading([_answer(record) for record in document.records])


def _answer(record: RawRecord) -> RowOrDefect:
    if _is_aggregated(record.value):
        return RowOrDefect(record, out_of_scope="aggregated CloudTrail record: counts, not events")
    return RowOrDefect(record, out_of_scope="registered, not yet checked")


SOURCE = CloudTrailInsight()
