"""LiteLLM's tables of daily spend (by user, team, tag, organisation or end user): usage a day, key and model.

The tables count the same calls by other things: each is a view of its own. Spend stays in `raw`.
https://docs.litellm.ai/docs/proxy/cost_tracking
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from forensics.model.buckets import Bucket, covered, natural_key
from forensics.model.usage import AI_USAGE, blank
from forensics.model.wrapping import Ordinals
from forensics.sources.named_rows import NamedFields, names_of
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_CORE = frozenset({"date", "apikey", "model", "prompttokens", "completiontokens", "apirequests", "spend"})
#: Column that tells which of the tables it is, and the name of the view.
_VIEWS = (
    ("userid", "user"), ("teamid", "team"), ("tag", "tag"), ("organizationid", "organisation"), ("enduserid", "end_user"),
)  # fmt: skip


class LiteLLMDaily:
    """Rows of one of the tables."""

    id = "litellm_daily"
    title = "LiteLLM daily spend"
    provider = "litellm"
    reference = "https://docs.litellm.ai/docs/proxy/cost_tracking"
    reader_version = "1"
    table = "ai_usage"

    def recognise(self, probe: Probe) -> str:
        """Recognise by day, key, model, tokens, requests and spend."""
        return "columns of a table of daily spend" if names_of(probe) >= _CORE else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the list that was found in an enclosing object, else the value itself."""
        return (probe.container,) if probe.container else ()

    def read(self, document: Document) -> Reading:
        """Turn rows into rows of `ai_usage`."""
        ordinals = Ordinals()
        reading = Reading([self._answer(record, ordinals) for record in document.records])
        made = [a.row for a in reading.answers if a.row is not None]
        for grouped in sorted({row["grouped_by"] for row in made}):
            days = [Bucket(r["bucket_start"], r["bucket_end"]) for r in made if r["grouped_by"] == grouped]
            received = document.provenance.received_at
            reading.coverage += covered(
                self.provider, "chat", days, grouped_by=grouped, truncated=False, received=received
            )
        return reading

    def _answer(self, record: RawRecord, ordinals: Ordinals) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        fields = NamedFields(record.value)
        day = fields.time("date")
        if day is None:
            return RowOrDefect(record, defect="no readable date")
        bucket = Bucket(day, day + timedelta(days=1))
        view = next((name for column, name in _VIEWS if fields.text(column)), "")
        row: Row = {**blank(AI_USAGE), "provider": self.provider, "endpoint": "chat"}
        row |= {"bucket_start": bucket.start, "bucket_end": bucket.end, "granularity_s": bucket.seconds}
        row |= {"key_id": fields.text("apikey"), "model": fields.text("model")}
        row["user_id"] = fields.text("userid", "enduserid")
        row["requests"] = fields.number("apirequests")
        row["input_tokens_total"] = fields.number("prompttokens")
        row["cache_read_tokens"] = fields.number("cachereadinputtokens")
        row["cache_write_tokens"] = fields.number("cachecreationinputtokens")
        row["output_tokens"] = fields.number("completiontokens")
        row["grouped_by"] = ",".join(sorted({"key", "model", *([view] if view else [])}))
        named = ("apikey", "model", "modelgroup", "customllmprovider", *(column for column, _ in _VIEWS))
        dimensions = {name: text for name in named if (text := fields.text(name))}
        row["raw"] = fields.rest()
        return RowOrDefect(record, row, ordinals.name(natural_key(view or "all", bucket, dimensions)))


SOURCE = LiteLLMDaily()
