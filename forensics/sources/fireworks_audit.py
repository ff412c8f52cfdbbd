"""Audit log of Fireworks: principal, key, address and agent of each administrative call.

https://docs.fireworks.ai/guides/security_compliance/audit_logs
"""

from __future__ import annotations

from forensics.model.fields import compact
from forensics.sources.named_rows import NamedFields, NamedFormat, http_status
from forensics.sources.protocol import Row


def _finish(fields: NamedFields, row: Row, notes: set[str]) -> str:
    status = http_status(fields.text("statuscode"))[0]
    row["outcome"] = {"ok": "success", "error": "failure"}.get(status or "")
    row["details"] = compact(fields.get("payload") or {})
    return ""


SOURCE = NamedFormat(
    id="fireworks_audit",
    title="Fireworks audit log",
    provider="fireworks",
    reference="https://docs.fireworks.ai/guides/security_compliance/audit_logs",
    table="ai_audit_event",
    core=(frozenset({"id", "timestamp", "principal", "method", "resource", "clientip"}),),
    times=("timestamp",),
    texts={
        "event_id": ("id",),
        "action": ("method",),
        "actor_id": ("principal",),
        "actor_key_id": ("apikeyid",),
        "target_id": ("resource",),
        "user_agent": ("useragent",),
    },
    address=("clientip",),
    opened=frozenset({"payload"}),
    finish=_finish,
)
