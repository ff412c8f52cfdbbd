"""The payload that LiteLLM's logging callbacks write to a bucket, one object a line or a file. US dollars, unix seconds.

https://docs.litellm.ai/docs/proxy/logging_spec
"""

from __future__ import annotations

from forensics.sources.named_rows import NamedFields, NamedFormat
from forensics.sources.protocol import Row

_STATUS = {"success": "ok", "failure": "error"}


def _finish(fields: NamedFields, row: Row, notes: set[str]) -> str:
    stated = fields.text("status")
    row["status"] = _STATUS.get((stated or "").lower(), stated)
    return ""


SOURCE = NamedFormat(
    id="litellm_payload",
    title="LiteLLM logging payload",
    provider="litellm",
    reference="https://docs.litellm.ai/docs/proxy/logging_spec",
    core=(frozenset({"id", "calltype", "responsecost", "starttime", "status"}),),
    times=("starttime",),
    ends=("endtime",),
    texts={
        "request_id": ("id",),
        "operation": ("calltype",),
        "model": ("model",),
        "upstream_provider": ("customllmprovider",),
        "key_hash": ("metadata.userapikeyhash",),
        "key_name": ("metadata.userapikeyalias",),
        "principal": ("metadata.userapikeyuseremail",),
        "user_id": ("metadata.userapikeyuserid", "enduser"),
        "user_agent": ("useragent", "metadata.useragent"),
        "error_code": ("errorinformation.errorcode", "errorinformation.errorclass"),
    },
    counts={
        "input_tokens_total": ("prompttokens",),
        "cache_read_tokens": ("metadata.usageobject.cachereadinputtokens",),
        "cache_write_tokens": ("metadata.usageobject.cachecreationinputtokens",),
        "output_tokens": ("completiontokens",),
    },
    amounts=("responsecost",),
    address=("requesteripaddress", "metadata.requesteripaddress"),
    opened=frozenset({"metadata", "errorinformation"}),
    finish=_finish,
)
