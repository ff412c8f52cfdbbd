"""DeepSeek's export of usage (`amount-*.csv`): a line for each kind of token of a day or hour, key and model.

Every line fills only its own measure, so that sums over lines are right: cache hits and misses are both input. Times of
newer exports carry the offset of whoever looked at them. The key stands by name and in its masked form.
https://platform.deepseek.com/usage
"""

from __future__ import annotations

from collections.abc import Mapping

from forensics.model.buckets import Bucket, covered, natural_key
from forensics.model.usage import AI_USAGE, blank
from forensics.model.wrapping import Ordinals
from forensics.sources.named_rows import NamedFields, names_of, stretch_of
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, Row, RowOrDefect

_CORE = frozenset({"userid", "model", "apikeyname", "apikey", "type", "price", "amount"})
_MEASURES: dict[str, tuple[str, ...]] = {
    "input_cache_hit_tokens": ("input_tokens_total", "cache_read_tokens"),
    "input_cache_miss_tokens": ("input_tokens_total", "input_tokens_uncached"),
    "output_tokens": ("output_tokens",),
    "request_count": ("requests",),
}
_GROUPED = "key,model,user"


class DeepSeekUsage:
    """Lines of the export."""

    id = "deepseek_usage"
    title = "DeepSeek usage export"
    provider = "deepseek"
    reference = "https://platform.deepseek.com/usage"
    reader_version = "1"
    table = "ai_usage"

    def recognise(self, probe: Probe) -> str:
        """Recognise by user, model, key, type, price and amount."""
        return "columns of a usage export" if names_of(probe) >= _CORE else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """CSV has no path."""
        return ()

    def read(self, document: Document) -> Reading:
        """Turn lines into rows of `ai_usage`."""
        ordinals = Ordinals()
        reading = Reading([self._answer(record, ordinals) for record in document.records])
        made = [a.row for a in reading.answers if a.row is not None]
        buckets = [Bucket(row["bucket_start"], row["bucket_end"]) for row in made]
        received = document.provenance.received_at
        reading.coverage = covered(
            self.provider, "chat", buckets, grouped_by=_GROUPED, truncated=False, received=received
        )
        return reading

    def _answer(self, record: RawRecord, ordinals: Ordinals) -> RowOrDefect:
        if not isinstance(record.value, Mapping):
            return RowOrDefect(record, defect="the record is not an object")
        fields = NamedFields(record.value)
        bucket, kind = stretch_of(fields), (fields.text("type") or "").lower()
        if bucket is None:
            return RowOrDefect(record, defect="no readable day or times")
        if kind not in _MEASURES:
            return RowOrDefect(record, out_of_scope=f"amounts of type {kind or 'none'} are not read")
        amount = fields.number("amount")
        if amount is None:
            return RowOrDefect(record, defect="amount is not a whole number")
        row: Row = {**blank(AI_USAGE), "provider": self.provider, "endpoint": "chat"}
        row |= {"bucket_start": bucket.start, "bucket_end": bucket.end, "granularity_s": bucket.seconds}
        row |= dict.fromkeys(_MEASURES[kind], amount)
        row |= {"key_name": fields.text("apikeyname"), "model": fields.text("model"), "user_id": fields.text("userid")}
        row["grouped_by"] = _GROUPED
        named = ("userid", "model", "apikeyname", "apikey", "type")
        dimensions = {name: text for name in named if (text := fields.text(name))}
        fields.read -= {path for path in fields.read if "key" in path[-1].lower() and "name" not in path[-1].lower()}
        row["raw"] = fields.rest()
        return RowOrDefect(record, row, ordinals.name(natural_key("chat", bucket, dimensions)))


SOURCE = DeepSeekUsage()
