"""Audit log of Portkey: acts on keys, members and settings, with the client's address.

https://portkey.ai/docs/product/enterprise-offering/audit-logs
"""

from __future__ import annotations

from forensics.model.fields import compact
from forensics.sources.named_rows import NamedFields, NamedFormat, http_status
from forensics.sources.protocol import Row


def _finish(fields: NamedFields, row: Row, notes: set[str]) -> str:
    status = http_status(fields.text("responsestatuscode"))[0]
    row["outcome"] = {"ok": "success", "error": "failure"}.get(status or "")
    row["actor_type"] = fields.text("usertype")
    who = fields.text("userid")
    row["actor_key_id" if row["actor_type"] == "api_key" else "actor_id"] = who
    named, method = fields.text("action"), fields.text("method")
    kind = fields.text("resourcetype")
    row["action"] = ".".join(part for part in (kind, named or method) if part) or None
    row["target_id"] = fields.text("uri")
    row["project_id"] = fields.text("workspaceid")
    row["details"] = compact(fields.get("queryparams") or {})
    fields.get("requestheaders"), fields.get("requestbody")  # may hold keys and prompts: never stored
    return ""


SOURCE = NamedFormat(
    id="portkey_audit",
    title="Portkey audit log",
    provider="portkey",
    reference="https://portkey.ai/docs/product/enterprise-offering/audit-logs",
    table="ai_audit_event",
    core=(frozenset({"timestamp", "method", "uri", "clientip", "usertype"}),),
    times=("timestamp",),
    texts={"event_id": ("requestid",)},
    address=("clientip",),
    finish=_finish,
)
