"""Requests that Helicone saw: answers of its query interface and exports. US dollars; a country, never an address.

The dollars are `costUSD`. `cost` counts in a unit of its own, which is not documented: it stays in `raw`.
https://docs.helicone.ai/rest/request/post-v1requestquery-clickhouse
"""

from __future__ import annotations

from forensics.sources.named_rows import NamedFields, NamedFormat, http_status
from forensics.sources.protocol import Row


def _finish(fields: NamedFields, row: Row, notes: set[str]) -> str:
    row["status"], row["error_code"] = http_status(fields.text("responsestatus"))
    if row["cost"] is None and fields.record.get("cost") not in (None, ""):
        notes.add("costs without costUSD are kept in raw: their unit is another")
    notes.add("no addresses: Helicone gives the country of a call only")
    return ""


SOURCE = NamedFormat(
    id="helicone",
    title="Helicone requests",
    provider="helicone",
    reference="https://docs.helicone.ai/rest/request/post-v1requestquery-clickhouse",
    core=(frozenset({"requestid", "requestcreatedat", "responsestatus", "prompttokens"}),),
    times=("requestcreatedat",),
    ends=("responsecreatedat",),
    texts={
        "request_id": ("requestid",),
        "operation": ("requestpath",),
        "model": ("model", "responsemodel", "requestmodel"),
        "upstream_provider": ("provider",),
        "user_id": ("requestuserid",),
    },
    counts={
        "input_tokens_total": ("prompttokens",),
        "cache_read_tokens": ("promptcachereadtokens",),
        "cache_write_tokens": ("promptcachewritetokens",),
        "output_tokens": ("completiontokens",),
    },
    amounts=("costusd",),
    finish=_finish,
)
