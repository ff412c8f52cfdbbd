"""GitHub's usage metrics of Copilot, a line a user and day. Only the command line tool's part counts tokens.

https://docs.github.com/en/copilot/reference/copilot-usage-metrics
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from forensics.model.buckets import Bucket, covered, natural_key
from forensics.model.usage import AI_USAGE, blank
from forensics.sources.named_rows import NamedFields, names_of
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_CORE = frozenset({"day", "userid", "userlogin"})
_ANY = ("totalsbyfeature", "totalsbyide", "totalsbycli", "totalsbymodelfeature", "aicreditsused")


class CopilotMetrics:
    """Lines of the metrics."""

    id = "copilot_metrics"
    title = "GitHub Copilot usage metrics"
    provider = "github_copilot"
    reference = "https://docs.github.com/en/copilot/reference/copilot-usage-metrics"
    reader_version = "1"
    table = "ai_usage"

    def recognise(self, probe: Probe) -> str:
        """Recognise by day, user and one of the totals."""
        names = names_of(probe) if probe.form != "csv" else frozenset()
        return "lines of usage metrics" if names >= _CORE and any(name in names for name in _ANY) else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the list that was found in an enclosing object, else the value itself."""
        return (probe.container,) if probe.container else ()

    def read(self, document: Document) -> Reading:
        """Turn lines into rows of `ai_usage`."""
        reading = Reading([self._answer(record) for record in document.records])
        made = [a.row for a in reading.answers if a.row is not None]
        days = [Bucket(row["bucket_start"], row["bucket_end"]) for row in made]
        received = document.provenance.received_at
        reading.coverage = covered(
            self.provider, "copilot", days, grouped_by="user", truncated=False, received=received
        )
        if made:
            reading.notes = ["tokens are those of the command line tool: the metrics count none elsewhere"]
        return reading

    def _answer(self, record: RawRecord) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        fields = NamedFields(record.value)
        day = fields.time("day")
        if day is None:
            return RowOrDefect(record, defect="no readable day")
        bucket = Bucket(day, day + timedelta(days=1))
        row: Row = {**blank(AI_USAGE), "provider": self.provider, "endpoint": "copilot", "grouped_by": "user"}
        row |= {"bucket_start": bucket.start, "bucket_end": bucket.end, "granularity_s": bucket.seconds}
        row["user_id"] = fields.text("userlogin", "userid")
        row["requests"] = fields.number("totalsbycli.requestcount")
        row["input_tokens_total"] = fields.number("totalsbycli.tokenusage.prompttokenssum")
        row["output_tokens"] = fields.number("totalsbycli.tokenusage.outputtokenssum")
        dimensions = {name: text for name in ("userid", "enterpriseid") if (text := fields.text(name))}
        row["raw"] = fields.rest()
        return RowOrDefect(record, row, natural_key("copilot", bucket, dimensions))


SOURCE = CopilotMetrics()
