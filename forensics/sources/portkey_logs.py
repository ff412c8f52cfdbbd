"""Requests in log exports of Portkey. The unit of `cost` is not documented, so it stays in `raw` and no figure uses it.

https://portkey.ai/docs/product/observability/logs-export
"""

from __future__ import annotations

from forensics.sources.named_rows import NamedFields, NamedFormat, http_status
from forensics.sources.protocol import Row


def _finish(fields: NamedFields, row: Row, notes: set[str]) -> str:
    row["status"], row["error_code"] = http_status(fields.text("responsestatuscode"))
    if row["status"] is None:
        row["status"] = {"true": "ok", "1": "ok", "false": "error", "0": "error"}.get(
            (fields.text("issuccess") or "").lower()
        )
    notes.add("costs are kept in raw: their unit is not documented")
    return ""


SOURCE = NamedFormat(
    id="portkey_logs",
    title="Portkey log export",
    provider="portkey",
    reference="https://portkey.ai/docs/product/observability/logs-export",
    core=(frozenset({"id", "createdat", "aiorg", "aimodel"}),),
    times=("createdat",),
    texts={
        "request_id": ("id",),
        "operation": ("requesturl",),
        "model": ("aimodel",),
        "upstream_provider": ("aiorg",),
        "user_id": ("metadata.user", "metadata.userid"),
    },
    counts={"input_tokens_total": ("requnits",), "output_tokens": ("resunits",)},
    opened=frozenset({"metadata"}),
    finish=_finish,
)
