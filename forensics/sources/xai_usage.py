"""xAI usage of a team: series of numbers whose meaning stands in the request alone. Registered only.

`POST https://management-api.x.ai/v1/billing/teams/{team}/usage`, https://docs.x.ai/docs/management-api. What the numbers
count (dollars, tokens, requests) and what the groups are (key, model, address) is asked for, and not repeated in the
answer; a column map that says so makes rows of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from forensics.sources.protocol import Document, Probe, Reading, RowOrDefect

_NAMES = frozenset({"groupLabels", "dataPoints"})


class XaiUsage:
    """Series by group, which fill no table by themselves."""

    id = "xai_usage"
    title = "xAI usage of a team"
    provider = "xai"
    reference = "https://docs.x.ai/docs/management-api"
    reader_version = "1"
    table = ""

    def recognise(self, probe: Probe) -> str:
        """Recognise by the names of a series."""
        if probe.container != "timeSeries" or not isinstance(probe.sample, Mapping):
            return ""
        return "series with groupLabels and dataPoints" if probe.sample.keys() >= _NAMES else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the series."""
        return (probe.container,)

    def read(self, document: Document) -> Reading:
        """Answer for each series that it is registered; an answer cut off by the provider says so."""
        said = (
            "xAI usage, of which the request alone says what it counts (a column map can): registered, fills no table"
        )
        reading = Reading([RowOrDefect(record, out_of_scope=said) for record in document.records])
        if any(envelope.get("limitReached") is True for envelope in document.envelopes):
            reading.notes.append("truncated: the answer says that its limit was reached")
        return reading


SOURCE = XaiUsage()
