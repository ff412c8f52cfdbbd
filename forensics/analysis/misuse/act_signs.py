"""Signs in single acts: new addresses and agents, failures and use after the end of a key, changes at the provider."""

from __future__ import annotations

from datetime import datetime

from forensics.analysis.facts import Facts, Row
from forensics.analysis.keys import Key
from forensics.analysis.misuse.links import aliases, mine
from forensics.analysis.misuse.sign import Sign
from forensics.analysis.usage import Series, owned
from forensics.model.clock import iso

#: Changes that open a way or lift a limit, with dots and underscores alike; what each is in words.
_CHANGES = {
    **dict.fromkeys(
        ("admin_api_key_created", "tenant_admin_api_key_created", "platform_admin_api_key_created"), "a new admin key"
    ),
    **dict.fromkeys(
        ("api_key_created", "platform_api_key_created", "tenant_project_api_key_created", "service_account_created",
         "service_key_created"), "a new key",
    ),
    **dict.fromkeys(
        ("invite_sent", "invite_accepted", "user_added", "tenant_user_invited", "org_user_invite_sent",
         "org_user_invite_accepted", "org_invite_link_generated"), "a new member",
    ),
    **dict.fromkeys(
        ("role_assignment_created", "tenant_role_assignment_created", "role_assignment_granted", "rbac_role_assigned"),
        "a new role",
    ),
    **dict.fromkeys(
        ("rate_limit_updated", "rate_limit_deleted", "tenant_billing_overage_limit_updated", "platform_spend_limit_deleted",
         "extra_usage_spend_limit_updated", "extra_usage_spend_limit_deleted", "platform_workspace_rate_limit_updated",
         "platform_workspace_rate_limit_deleted", "prepaid_extra_usage_auto_reload_enabled"), "a limit changed or removed",
    ),
    **dict.fromkeys(
        ("ip_allowlist_updated", "ip_allowlist_deleted", "ip_allowlist_config_deactivated", "org_ip_restriction_updated",
         "org_ip_restriction_deleted"), "an address list loosened or removed",
    ),
}  # fmt: skip
#: Kinds of key that can change an organisation at the provider.
_ADMIN = frozenset({"admin", "organization", "organisation", "service_account", "user", "master"})


def sources_of(key: Key, facts: Facts) -> list[Row]:
    """Return the rows of single requests with a key, or with an alias stated for it."""
    known = aliases(key, facts)
    return [
        r
        for r in facts.sources_named({key.key_id, *known})
        if (owned(key, r["owner"] or "") or r["owner"] == facts.settings.organisation)
        and (r["key_id"] == key.key_id or (r["key_name"] in known and r["upstream_provider"] in (None, key.provider)))
    ]


def after_end(
    key: Key, facts: Facts, series: Series | None, rotated: datetime | None, revoked: Row | None
) -> list[Sign]:
    """Return use of the old key after its place got a new value, and failures after its revocation."""
    out = []
    if series is not None and rotated is not None:
        late = series.buckets.used_since(rotated)
        if late:
            text = f"its place got a new value at {iso(rotated)}, and {len(late)} buckets wholly after it show use of this key"
            keys = tuple(k for b in late for k in b.event_keys)
            out.append(
                Sign("after_rotation", text, "rotation", "exposure.usage_buckets", keys, late[0].start, late[-1].end)
            )
    if revoked is None:
        return out
    at = revoked["event_time"]
    acts = [
        a for a in facts.acts_on(key.key_id)
        if a["outcome"] == "failure" and a["event_time"] >= at and mine(key, a, "actor_key_id")
    ]  # fmt: skip
    failed = [r for r in sources_of(key, facts) if r["last_failure"] is not None and r["last_failure"] >= at]
    if acts or failed:
        times = [*(a["event_time"] for a in acts), *(r["last_failure"] for r in failed)]
        text = f"somebody still tried the key after its revocation at {iso(at)} and was refused, last {iso(max(times))}"
        keys = (*(a["event_key"] for a in acts), *(r["event_key"] for r in failed))
        query = "exposure.provider_acts" if acts else "exposure.request_sources"
        out.append(Sign("failures", text, "failures after revocation", query, keys, min(times), max(times)))
    return out


def changes(key: Key, facts: Facts, baseline_until: datetime | None, since: datetime) -> list[Sign]:
    """Return changes at the provider after `since`, by the key itself or, for a key that can make them, by a newcomer.

    For other keys they are told with weight nothing: they are not made with this key.
    """
    logged = sorted(facts.acts_of(key.provider, key.customer), key=lambda a: (a["event_time"], a["event_key"]))
    acts = [
        (a, _CHANGES[name])
        for a in logged
        if a["event_time"] >= since
        and (name := a["action"].replace(".", "_")) in _CHANGES
        and a["outcome"] != "failure"
    ]
    own = [(a, what) for a, what in acts if a["actor_key_id"] == key.key_id]
    before = baseline_until or since
    regulars = {a["actor"] for a in logged if a["event_time"] < before}
    newcomers = [(a, what) for a, what in acts if a["actor"] not in regulars and a["actor_key_id"] != key.key_id]
    can = key.kind.lower() in _ADMIN
    out = []
    for found, kind, who in (
        (own, "control_plane", "with this key"),
        (newcomers, "control_plane" if can else "surroundings", "by somebody who had not acted there before"),
    ):
        if found:
            first = found[0][0]
            words = ", ".join(sorted({what for _, what in found}))
            text = f"after {iso(since)} the provider's log shows {words}, {who}: first {iso(first['event_time'])} ({first['action']})"
            keys = tuple(a["event_key"] for a, _ in found)
            out.append(
                Sign(kind, text, f"event {first['event_key']}", "exposure.provider_acts", keys, first["event_time"], found[-1][0]["event_time"])
            )  # fmt: skip
    return out
