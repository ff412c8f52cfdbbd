"""Requests through Cloudflare's AI Gateway: its log interface and the Logpush data set, whose bodies are encrypted.

https://developers.cloudflare.com/ai-gateway/observability/logging/
"""

from __future__ import annotations

from forensics.sources.named_rows import NamedFields, NamedFormat, http_status
from forensics.sources.protocol import Row


def _finish(fields: NamedFields, row: Row, notes: set[str]) -> str:
    row["status"], row["error_code"] = http_status(fields.text("statuscode"))
    if row["status"] is None:
        row["status"] = {"true": "ok", "false": "error"}.get((fields.text("success") or "").lower())
    fields.get("requestbody"), fields.get("responsebody")  # encrypted for the customer's key, or what was asked
    notes.add("no addresses: the gateway's log has none")
    return ""


SOURCE = NamedFormat(
    id="cloudflare_gateway",
    title="Cloudflare AI Gateway log",
    provider="cloudflare",
    reference="https://developers.cloudflare.com/ai-gateway/observability/logging/",
    core=(
        frozenset({"id", "createdat", "provider", "model", "tokensin", "tokensout"}),
        frozenset({"gateway", "provider", "model", "statuscode", "endpoint"}),
    ),
    times=("createdat", "datetime", "timestamp"),
    texts={
        "request_id": ("id", "logid"),
        "operation": ("path", "endpoint", "requesttype"),
        "model": ("model",),
        "upstream_provider": ("provider",),
        "account_id": ("gateway",),
    },
    counts={"input_tokens_total": ("tokensin",), "output_tokens": ("tokensout",)},
    amounts=("cost", "customcost"),
    finish=_finish,
)
