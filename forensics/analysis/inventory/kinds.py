"""What kind of key it is, what its holder can do with it, and what ends it.

The kind is what a person stated, else what the provider's list says, else what the key's visible form tells. Forms:
https://docs.claude.com/en/api/administration-api, https://platform.openai.com/docs/api-reference/admin-api-keys,
https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyKind:
    """A kind of key: what follows from its exposure, and what has to be done. `makes_keys`: it can make others."""

    id: str
    title: str
    consequence: str
    action: str
    makes_keys: bool = False


_KINDS = (
    KeyKind(
        "inference", "inference key", "its holder can call models at the owner's cost; it reaches no settings and makes no keys",
        "revoke it at the provider; overwriting the stored value does not end it",
    ),
    KeyKind(
        "project", "key of a project or workspace",
        "its holder can call models and reach files, batches and fine-tunes of that project or workspace, at the owner's cost",
        "revoke it at the provider and make a new one; check what the project or workspace stored since the exposure",
    ),
    KeyKind(
        "service_account", "key of a service account", "its holder acts as the service account, also where a person's access was removed",
        "delete the key; when the service account itself is in doubt delete it and make another, which ends all its keys",
    ),
    KeyKind(
        "user", "user-wide key", "its holder acts as the user in every project and organisation that the user can reach",
        "delete the key; look at the usage of every organisation of that user, not only of one project",
    ),
    KeyKind(
        "admin", "administration key", "its holder can make keys, invite members and change limits: what it made outlives its own revocation",
        "delete it first; then list and revoke every key, member and service account that it made since its exposure", True,
    ),
    KeyKind(
        "gateway_virtual", "virtual key of a gateway", "its holder can call models through the gateway, within the limits of the key; the provider sees only the gateway's own key",
        "delete or block it at the gateway; the provider's key behind it need not change unless the gateway itself was read",
    ),
    KeyKind(
        "gateway_master", "master key of a gateway", "its holder can make virtual keys and read the gateway's settings and spending",
        "replace it at the gateway, list the virtual keys made since its exposure, and rotate the provider keys that the gateway holds", True,
    ),
    KeyKind(
        "azure_key_1", "key 1 of an Azure resource", "its holder can call every deployment of the resource; logs do not tell key 1 from key 2",
        "move the applications to key 2, then regenerate key 1; regenerating both at once stops every application",
    ),
    KeyKind(
        "azure_key_2", "key 2 of an Azure resource", "its holder can call every deployment of the resource; logs do not tell key 1 from key 2",
        "move the applications to key 1, then regenerate key 2; regenerating both at once stops every application",
    ),
    KeyKind(
        "service_account_file", "key file of a cloud service account", "its holder can do all that the service account's roles allow, in every project that grants them",
        "delete the key of the service account; tokens issued before live on for up to an hour",
    ),
    KeyKind(
        "bedrock_short", "short-term Bedrock key", "its holder can call Bedrock as the principal that signed it, in one region, for twelve hours at most",
        "it cannot be revoked singly: deny the session or role that signed it until it expires, and end that session",
    ),
    KeyKind(
        "bedrock_long", "long-term Bedrock key", "its holder can call Bedrock as its IAM user, and whatever else the user's policies allow",
        "set the service-specific credential to inactive, then delete it; look for access keys of the same user",
    ),
    KeyKind(
        "aws_pair", "AWS access key pair", "its holder can do all that the IAM user may, and take sessions that outlive the pair",
        "deactivate the pair, deny sessions issued before that time, then delete it; list what those sessions made", True,
    ),
    KeyKind(
        "organization", "key of an organisation", "its holder acts for the whole organisation: nothing tells its use from the owner's",
        "revoke it at the provider and give each application a key of its own", True,
    ),
    KeyKind(
        "unknown", "kind not known", "what its holder can reach is not known: take it for a key that can make others until somebody says what it is",
        "ask what kind of key it is; until then revoke it and list what was made with it", True,
    ),
)  # fmt: skip
KINDS: dict[str, KeyKind] = {kind.id: kind for kind in _KINDS}

#: How people and lists write kinds, in small letters with single underscores.
_WRITTEN = {
    **{kind: kind for kind in KINDS},
    **dict.fromkeys(("api_key", "api", "model", "runtime", "standard"), "inference"),
    **dict.fromkeys(("workspace", "project_key", "workspace_key"), "project"),
    **dict.fromkeys(("service", "svcacct", "sa", "service_account_key"), "service_account"),
    **dict.fromkeys(("user_wide", "user_key", "personal", "legacy", "user_legacy"), "user"),
    **dict.fromkeys(("administration", "admin_api_key", "management", "provisioning", "compliance"), "admin"),
    **dict.fromkeys(("virtual", "gateway", "gateway_key", "virtual_key"), "gateway_virtual"),
    **dict.fromkeys(("master", "master_key"), "gateway_master"),
    **dict.fromkeys(("key1", "key_1", "azure_key1"), "azure_key_1"),
    **dict.fromkeys(("key2", "key_2", "azure_key2"), "azure_key_2"),
    **dict.fromkeys(("sa_key", "service_account_json", "key_file", "json_file"), "service_account_file"),
    **dict.fromkeys(("bedrock_short_term", "short_term", "bedrock_api_key_short"), "bedrock_short"),
    **dict.fromkeys(("bedrock_long_term", "long_term", "bedrock_api_key_long", "service_specific_credential"), "bedrock_long"),
    **dict.fromkeys(("aws_access_key", "access_key", "iam_access_key", "aws"), "aws_pair"),
    **dict.fromkeys(("organisation", "org"), "organization"),
}  # fmt: skip
#: Visible heads of keys, the more telling first. A bare `sk-` tells nothing: several providers use it.
_HEADS = (
    ("sk-ant-admin", "admin"), ("sk-admin-", "admin"), ("sk-svcacct-", "service_account"), ("sk-proj-", "project"),
    ("sk-ant-api", "project"), ("ABSK", "bedrock_long"), ("bedrock-api-key-", "bedrock_short"), ("AKIA", "aws_pair"),
)  # fmt: skip
_WORD = re.compile(r"[\s\-./]+")


@dataclass(frozen=True, slots=True)
class Judged:
    """A kind with its basis: stated, listed, form or unknown. `differs` names another kind that another basis gives."""

    kind: KeyKind
    basis: str
    differs: str = ""


def read_kind(written: str) -> str:
    """Return the id of a kind as people and lists write it, "" for none that is known."""
    return _WRITTEN.get(_WORD.sub("_", written.strip().lower()), "")


def of_form(provider: str, hint: str, key_id: str = "", key_name: str = "") -> str:
    """Return the kind that the visible form of a key tells, "" where it tells none."""
    for head, kind in _HEADS:
        if hint.startswith(head) or key_id.startswith(head):
            return kind
    if provider.startswith("azure"):
        return {"key1": "azure_key_1", "key2": "azure_key_2"}.get(_WORD.sub("", key_name.lower()).replace("_", ""), "")
    return "gateway_virtual" if provider in {"litellm", "portkey"} else ""


def judge_kind(stated: str, listed: str, form: str) -> Judged:
    """Return the kind: as stated, else as the provider lists it, else by form; and where these do not agree."""
    found = [(read_kind(stated), "stated"), (read_kind(listed), "listed"), (form, "form")]
    given = [(kind, basis) for kind, basis in found if kind]
    if not given:
        return Judged(KINDS["unknown"], "unknown")
    first, basis = given[0]
    # A project's key is an inference key by another word: only a difference of reach is one.
    other = next((f"{kind} ({how})" for kind, how in given[1:] if _reach(kind) != _reach(first)), "")
    return Judged(KINDS[first], basis, other)


def _reach(kind: str) -> str:
    return "project" if kind == "inference" else kind
