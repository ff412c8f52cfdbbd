"""Observations of Langfuse from its interface or a blob export, names in either case. No address, no key.

`usageDetails` holds disjoint parts of the input beside `total` in some versions and `input` alone in others; the whole
input is therefore `total` less all parts of the output where both are given.
https://langfuse.com/docs/observability/features/observation-types
"""

from __future__ import annotations

from collections.abc import Mapping

from forensics.model.fields import count
from forensics.model.wrapping import ordinary
from forensics.sources.named_rows import NamedFields, NamedFormat
from forensics.sources.protocol import Row

_CALLS = {"generation", "embedding", "evaluator", ""}


def _finish(fields: NamedFields, row: Row, notes: set[str]) -> str:
    kind = (fields.text("type") or "").lower()
    if kind not in _CALLS:
        return f"observations of type {kind.upper()} are no calls of a model"
    fields.get("input"), fields.get("output")  # what was asked and answered is never stored
    usage = fields.get("usagedetails")
    if isinstance(usage, Mapping):
        _tokens({ordinary(name): count(value) for name, value in usage.items()}, row)
    row["status"] = "error" if (fields.text("level") or "").upper() == "ERROR" else "ok"
    return ""


def _tokens(usage: dict[str, int | None], row: Row) -> None:
    outputs = [n for name, n in usage.items() if name.startswith("output") and n is not None]
    total, given = usage.get("total"), usage.get("input")
    row["output_tokens"] = sum(outputs) if outputs else None
    whole = total - sum(outputs) if total is not None else None
    row["input_tokens_total"] = whole if whole is not None and whole >= (given or 0) else given
    row["cache_read_tokens"] = usage.get("inputcachedtokens", usage.get("inputcacheread"))
    row["cache_write_tokens"] = usage.get("inputcachecreation", usage.get("inputcachewrite"))


_ID = frozenset({"id", "traceid", "type", "starttime"})

SOURCE = NamedFormat(
    id="langfuse",
    title="Langfuse observations",
    provider="langfuse",
    reference="https://langfuse.com/docs/observability/features/observation-types",
    core=(_ID | {"usagedetails"}, _ID | {"totalcost"}, _ID | {"parentobservationid"}),
    times=("starttime",),
    ends=("endtime",),
    texts={
        "request_id": ("id",),
        "operation": ("name",),
        "model": ("model", "providedmodelname", "internalmodelid"),
        "user_id": ("userid",),
        "account_id": ("projectid",),
        "error_code": ("statusmessage",),
    },
    amounts=("totalcost",),
    opened=frozenset({"usagedetails", "costdetails", "metadata"}),
    finish=_finish,
)
