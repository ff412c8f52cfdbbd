"""Insight records of CloudTrail: unusual rates of calls as AWS found them. They are no events.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-insights-fields-trails.html
"""

from __future__ import annotations

from forensics.model.fields import inside
from forensics.sources.protocol import Document, Probe, Reading, RowOrDefect


class CloudTrailInsight:
    """Insight records, registered only."""

    id = "cloudtrail_insight"
    title = "CloudTrail Insights"
    provider = "aws"
    reference = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-insights-fields-trails.html"
    reader_version = "1"
    table = ""

    def recognise(self, probe: Probe) -> str:
        """Recognise by the category or type of the first record."""
        sample = probe.sample
        claimed = inside(sample, "eventCategory") == "Insight" or inside(sample, "eventType") == "AwsCloudTrailInsight"
        return "records of category Insight" if claimed and inside(sample, "eventSource") is None else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Take each value as it stands: it is registered whole."""
        return ()

    def read(self, document: Document) -> Reading:
        """Answer that the file is registered as evidence."""
        return Reading([RowOrDefect(r, out_of_scope="registered, not yet checked") for r in document.records])


SOURCE = CloudTrailInsight()
