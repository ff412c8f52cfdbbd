"""Rows of LiteLLM's audit log: who changed which key, team or model. Values are masked.

https://docs.litellm.ai/docs/proxy/multiple_admins
"""

from __future__ import annotations

from forensics.model.fields import compact, plain
from forensics.model.wrapping import loaded
from forensics.sources.named_rows import NamedFields, NamedFormat
from forensics.sources.protocol import Row

_KEYS = "litellm_verificationtoken"


def _finish(fields: NamedFields, row: Row, notes: set[str]) -> str:
    table, act = fields.text("tablename"), fields.text("action")
    row["action"] = ".".join(part for part in (table, act) if part) or None
    row["outcome"] = "success"
    row["target_id"] = fields.text("objectid")
    if (table or "").lower() == _KEYS:
        row["target_key_id"] = row["target_id"]
    changes = {}
    for name, key in (("before", "beforevalue"), ("after", "updatedvalues")):
        value = fields.get(key)
        value = loaded(value) if isinstance(value, str) else value
        changes[name] = value if value is not None else plain(fields.get(key))
    row["details"] = compact(changes)
    return ""


SOURCE = NamedFormat(
    id="litellm_audit",
    title="LiteLLM audit log",
    provider="litellm",
    reference="https://docs.litellm.ai/docs/proxy/multiple_admins",
    table="ai_audit_event",
    core=(frozenset({"id", "updatedat", "changedby", "action", "tablename", "objectid"}),),
    times=("updatedat",),
    texts={"event_id": ("id",), "actor_id": ("changedby",), "actor_key_id": ("changedbyapikey",)},
    finish=_finish,
)
