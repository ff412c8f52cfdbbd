"""Audit log of Mistral's administration: acts on keys, members and workspaces.

https://docs.mistral.ai/admin/monitor-comply/audit-logs
"""

from __future__ import annotations

from forensics.model.fields import compact
from forensics.sources.named_rows import NamedFields, NamedFormat
from forensics.sources.protocol import Row


def _finish(fields: NamedFields, row: Row, notes: set[str]) -> str:
    kind = (fields.text("targettype") or "").lower()
    row["target_id"] = fields.text("targetmetadata.id", "targetmetadata.uuid", "targetmetadata.name")
    if "key" in kind:
        row["target_key_id"] = row["target_id"]
    row["actor_id"] = fields.text("actormetadata.id", "actormetadata.uuid", "actormetadata.userid")
    row["actor_email"] = fields.text("actormetadata.email")
    if "key" in (row["actor_type"] or "").lower():
        row["actor_key_id"] = row["actor_id"]
    row["details"] = compact({"event": fields.get("eventmetadata"), "target": fields.get("targetmetadata")})
    return ""


SOURCE = NamedFormat(
    id="mistral_audit",
    title="Mistral audit log",
    provider="mistral",
    reference="https://docs.mistral.ai/admin/monitor-comply/audit-logs",
    table="ai_audit_event",
    core=(frozenset({"createdat", "actortype", "eventtype", "targettype", "logid"}),),
    times=("createdat",),
    texts={
        "event_id": ("logid",),
        "action": ("eventtype",),
        "actor_type": ("actortype",),
        "project_id": ("workspaceuuid",),
        "user_agent": ("eventmetadata.useragent",),
    },
    address=("eventmetadata.ipaddress", "actormetadata.ipaddress", "eventmetadata.ip"),
    opened=frozenset({"actormetadata", "eventmetadata", "targetmetadata"}),
    finish=_finish,
)
