"""Spans of Braintrust project logs. Times of a call are unix seconds with a fraction in `metrics`.

https://www.braintrust.dev/docs/reference/api/Logs
"""

from __future__ import annotations

from forensics.sources.named_rows import NamedFields, NamedFormat
from forensics.sources.protocol import Row


def _finish(fields: NamedFields, row: Row, notes: set[str]) -> str:
    kind = fields.text("spanattributes.type")
    if kind != "llm" and row["input_tokens_total"] is None and row["output_tokens"] is None:
        return "spans that are no calls of a model are not read"
    fields.get("input"), fields.get("output"), fields.get("expected")  # what was asked and answered is never stored
    row["status"] = "error" if fields.get("error") is not None else "ok"
    return ""


SOURCE = NamedFormat(
    id="braintrust",
    title="Braintrust project logs",
    provider="braintrust",
    reference="https://www.braintrust.dev/docs/reference/api/Logs",
    core=(frozenset({"id", "xactid", "spanid", "rootspanid"}),),
    times=("metrics.start", "created"),
    ends=("metrics.end",),
    texts={
        "request_id": ("id",),
        "operation": ("spanattributes.name",),
        "model": ("metadata.model",),
        "account_id": ("projectid",),
        "user_id": ("metadata.userid", "metadata.user"),
    },
    counts={
        "input_tokens_total": ("metrics.prompttokens",),
        "cache_read_tokens": ("metrics.promptcachedtokens",),
        "cache_write_tokens": ("metrics.promptcachecreationtokens",),
        "output_tokens": ("metrics.completiontokens",),
    },
    opened=frozenset({"metrics", "metadata", "spanattributes"}),
    finish=_finish,
)
